"""`versions.json`: what a result was made with, so that it can be made again."""

import hashlib
import os
import platform
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CODE = ("runfiles", "marketdata", "simulator", "backtest", "rl")
PACKAGES = ("torch", "stable-baselines3", "gymnasium", "tensorboard", "numpy", "numba", "pandas", "pyarrow", "TA-Lib",
            "exchange_calendars", "skfolio", "arch", "scipy", "pydantic", "PyYAML")  # fmt: skip

_ABLE = frozenset({"sse4_2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni",
                   "avx512_bf16", "amx_tile", "asimd", "sve", "sve2"})  # fmt: skip
_CHOOSES = ("ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "NUMBA_CPU_NAME",
            "NUMBA_CPU_FEATURES", "OPENBLAS_CORETYPE")  # fmt: skip


def versions() -> dict[str, Any]:
    """Code, packages, machine, threads and clock of this process, as plain JSON."""
    installed = _installed()
    return {
        "v": 1,
        "stockbot": release(),
        "code_sha256": code_hash(),
        "python": platform.python_version(),
        "packages": {name: installed[_plain(name)] for name in PACKAGES if _plain(name) in installed},
        "machine": _machine(),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "clock": {"utc": datetime.now(UTC).isoformat(timespec="seconds"), "zone": time.tzname[0]},
        "executable": Path(sys.executable).name,
    }


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "release": platform.release(),
        "arch": platform.machine(),
        "cpu": _cpu(),
        "kernels": _kernels(),
        "cpus": os.cpu_count(),
    }


def _cpu() -> str:
    """The processor's name: another one may add in another order."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor()


def _kernels() -> str:
    """What the processor can do at once, and what was told to use less of it: torch, numpy's BLAS and our compiled code
    choose their kernels by it, and another kernel may add in another order.
    """
    told = [f"{name}={os.environ[name]}" for name in _CHOOSES if name in os.environ]
    try:
        found = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    except OSError:
        found = None
    able = sorted(set(found.group(1).split()) & _ABLE) if found else []
    return " ".join([*able, *told])[:200]


def release() -> str:
    """The top heading of CHANGELOG.md that holds a version, or "unreleased"."""
    try:
        found = re.search(r"^## \[?v?(\d+\.\d+[^\s\]]*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    except OSError:
        return "unreleased"
    return found.group(1) if found else "unreleased"


def code_hash() -> str:
    """sha256 over path and content of every source file that makes numbers: a changed checkout shows."""
    digest = hashlib.sha256()
    for path in sorted(path for package in CODE for path in (ROOT / package).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _installed() -> dict[str, str]:
    """Version by name of every installed package, from the names of their folders `name-version.dist-info`: reading
    their metadata instead takes a twentieth of a second.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        for entry in Path(folder).glob("*.dist-info"):
            name, _, version = entry.stem.partition("-")
            found.setdefault(_plain(name), version)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
