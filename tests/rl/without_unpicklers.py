"""`python -m tests.rl.without_unpicklers MODULE ARGUMENTS…`: runs a job of ours in which every unpickler raises.

Two are let through, by the frame that asks: numba's cache of compiled kernels and Jinja's of compiled templates, which
set-up and we ourselves wrote on this machine. No policy reaches either.
"""

import _pickle
import pickle
import runpy
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, ClassVar

ALLOWED = ("numba/core/caching.py", "numba/core/serialize.py", "jinja2/bccache.py")
_TRUE = {"load": pickle.load, "loads": pickle.loads}


class Called(BaseException):
    """An unpickler was called; no `except Exception` of a library may swallow it."""


class Refusing:
    """Stands for Unpickler, also as the base of a library's own class."""

    dispatch: ClassVar[dict[Any, Any]] = {}  # joblib copies it where it defines its own

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
    from stable_baselines3.common import base_class, save_util

    places = {
        cloudpickle: ("load", "loads"),
        cloudpickle.cloudpickle: ("load", "loads"),
        torch: ("load",),
        torch.serialization: ("load",),
        save_util: ("load_from_zip_file", "json_to_data"),
        base_class: ("load_from_zip_file",),
    }
    for module, name in ((module, name) for module, names in places.items() for name in names):
        setattr(module, name, refusing(name))


if __name__ == "__main__":
    forbid()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
