"""What a training's numbers depend on beside its configuration and data, so that a change of it can be told."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from runfiles.versions import versions

_PACKAGES = ("torch", "stable-baselines3", "numpy", "numba", "pandas", "scipy", "TA-Lib", "skfolio")
_NAMES = {"code": "code", "cpu": "processor", "gpu": "CUDA device", "kernels": "set of kernels",
          "threads": "count of threads", "python": "Python"}  # fmt: skip


def made_with(device: torch.device) -> dict[str, str]:
    """Code, interpreter, packages, processor and torch's threads of this process, and the name of the CUDA device where
    the training's `device` is one.
    """
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return of(versions(), _PACKAGES) | {"gpu": gpu, "threads": str(torch.get_num_threads())}


def of(found: Mapping[str, Any], packages: Iterable[str]) -> dict[str, str]:
    """The same of what `versions.json` says, with these packages; it knows no CUDA device."""
    machine = found["machine"]
    return {
        "code": str(found["code_sha256"]),
        "python": str(found["python"]),
        "cpu": f"{machine['arch']} {machine['cpu']}".strip(),
        "kernels": str(machine.get("kernels", "")),
        "threads": str(found["threads"]),
        **{name: str(found["packages"].get(name, "")) for name in packages},
    }


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What is another, in words: `torch 2.13.0, now 2.14.0`."""
    return [
        _NAMES.get(name, name)
        + ("" if name == "code" else f" {before.get(name) or 'none'}, now {now.get(name) or 'none'}")
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
