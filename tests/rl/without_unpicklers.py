"""`python -m tests.rl.without_unpicklers MODULE ARGUMENTS…`: runs a job of ours in which every unpickler raises.

One is let through: numba's own cache of compiled kernels, which set-up wrote, by the frame that asks for it.
"""

import _pickle
import pickle
import runpy
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

ALLOWED = ("numba/core/caching.py", "numba/core/serialize.py")
_TRUE = {"load": pickle.load, "loads": pickle.loads}


class Called(BaseException):
    """An unpickler was called; no `except Exception` of a library may swallow it."""


class Refusing:
    """Stands for Unpickler, also as the base of a library's own class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise Called("Unpickler")


def refusing(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        frame: FrameType | None = sys._getframe(1)
        if frame is not None and frame.f_code.co_filename.endswith(ALLOWED):
            return _TRUE[name](*args, **kwargs)
        raise Called(f"{name} was called")

    return refuse


def forbid() -> None:
    """From here on no unpickler works in this process."""
    for module in (pickle, _pickle):
        for name in _TRUE:
            setattr(module, name, refusing(name))
        module.Unpickler = Refusing  # type: ignore[attr-defined]
    pickle._Unpickler = Refusing  # type: ignore[attr-defined]
    import cloudpickle
    import torch
    from stable_baselines3.common import save_util

    for module, name in ((cloudpickle, "load"), (cloudpickle, "loads"), (cloudpickle.cloudpickle, "load"),
                         (cloudpickle.cloudpickle, "loads"), (torch, "load"), (torch.serialization, "load"),
                         (save_util, "load_from_zip_file"), (save_util, "json_to_data")):  # fmt: skip
        setattr(module, name, refusing(name))


if __name__ == "__main__":
    forbid()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
