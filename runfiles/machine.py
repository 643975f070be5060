"""What this machine lets a process have: memory, by the machine, its control groups (cgroups) and the process's own
limits; and disk. All in bytes.
"""

import os
import resource
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_V1_FILE, _V2_FILE = "memory.limit_in_bytes", "memory.max"
_UNLIMITED = 1 << 60
"""What version 1 of control groups writes for no limit is more than this."""


@dataclass(frozen=True)
class Limit:
    """`bytes` at most, and `of` what this is the limit, in words for a sentence."""

    bytes: int
    of: str


def memory_limit(root: Path = Path("/")) -> Limit:
    """The least that the machine and the control groups around this process allow, of resident memory."""
    whole = Limit(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "this machine has")
    groups = [Limit(found, "this process's control group allows") for found in _groups(root)]
    return min([whole, *groups], key=lambda limit: limit.bytes)


def address_limit() -> Limit | None:
    """What RLIMIT_AS or RLIMIT_DATA leaves of memory that is still to be taken by this process; None without one.

    Both count what is mapped and not what is used: what is mapped already is taken off.
    """
    mapped = _mapped()
    found = []
    for which, name, word in (
        (resource.RLIMIT_AS, "RLIMIT_AS", "VmSize"),
        (resource.RLIMIT_DATA, "RLIMIT_DATA", "VmData"),
    ):
        soft, _ = resource.getrlimit(which)
        if soft != resource.RLIM_INFINITY and word in mapped:
            found.append(Limit(max(0, soft - mapped[word]), f"{name} leaves this process"))
    return min(found, key=lambda limit: limit.bytes, default=None)


def memory_available() -> int | None:
    """What the machine could give now without driving others out; None where it does not say."""
    return _numbers(Path("/proc/meminfo")).get("MemAvailable")


def resident() -> int | None:
    """What this process holds now; None where the machine does not say."""
    return _mapped().get("VmRSS")


def disk_free(folder: Path) -> int:
    """What may still be written below `folder`, which need not be there yet."""
    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    return shutil.disk_usage(there).free


def _groups(root: Path) -> Iterator[int]:
    """The limit of each control group that this process is in, and of those around it."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        base, name = (
            (root / "sys/fs/cgroup", _V2_FILE) if not controllers else (root / "sys/fs/cgroup/memory", _V1_FILE)
        )
        here = base / path.lstrip("/")
        for folder in (here, *here.parents):
            found = _number(folder / name)
            if found is not None and found < _UNLIMITED:
                yield found
            if folder == base:
                break


def _number(path: Path) -> int | None:
    """None for `max` and for a file that is not there."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _mapped() -> dict[str, int]:
    return _numbers(Path("/proc/self/status"))


def _numbers(path: Path) -> dict[str, int]:
    """Lines such as `VmRSS:  1024 kB` of a file of the kernel's, in bytes; none where there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) << 10 for name, value in pairs}
