"""What the shim asks of the operating system. Linux in full; elsewhere each call says that it could not.

Standard library only: the shim starts in milliseconds and must not fail for want of a package.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from pathlib import Path

LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_OOM_SCORE_ADJ = 500  # the job is chosen by the kernel before the server is

# One look may miss a process: its parent is listed, forks it, and is gone before its environment is read.
_EMPTY_LOOKS = 3

MARK = "STOCKBOT_RUN"  # in the environment of the job and of all that it starts


def take_lock(path: Path, patience_s: float = 0.5) -> int | None:
    """The descriptor that holds the lock, or None when another process holds it.

    Whoever asks whether a run is alive holds the lock for a moment too; hence the patience.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
        time.sleep(0.01)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock: the one sign that a run is alive on this machine."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def adopt_orphans() -> None:
    """Become the parent of whatever a dying child leaves behind (Linux)."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def hear_signals() -> None:
    """In a new child: a server that ignores or blocks signals must not hand that down to a job we want to end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def die_with(parent: int) -> None:
    """In a new child: be killed when `parent` dies (Linux), and be first in line when memory runs out."""
    if not LINUX:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)  # it died before we asked
    with contextlib.suppress(OSError):  # a stricter kernel: the job runs with the server's score
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE_ADJ))


def marked(mark: str) -> list[int]:
    """Processes, zombies left out, that carry the run's mark in their environment (Linux; else none)."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc") if LINUX else ():  # noqa: PTH208 - a thousand names, no Path for each
        if name.isdecimal():
            with contextlib.suppress(OSError):  # gone, or another user's
                if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    found.append(int(name))
    return found


def signal_group(group: int, *numbers: int) -> None:
    for number in numbers:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def kill_all(group: int, mark: str, patience_s: float = 5.0) -> None:
    """Kill the group and every marked process, until none is left: a double fork does not escape.

    The group's leader, when it is our child, stays unburied: its status is for whoever waits for it.
    """
    deadline = time.monotonic() + patience_s
    signal_group(group, signal.SIGKILL)
    empty = 0
    while empty < _EMPTY_LOOKS and time.monotonic() < deadline:
        left = marked(mark)
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        reap_orphans(spare=group)
        empty = 0 if left else empty + 1
        time.sleep(0.005)


def reap_orphans(spare: int = 0) -> None:
    """Bury adopted children that have ended; `spare` is left for whoever wants its status."""
    while LINUX:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid == spare:
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(found.si_pid, 0)


def has_ended(pid: int) -> bool:
    """Whether our child has ended. On Linux it stays a zombie until it is waited for, and so keeps its number."""
    if LINUX:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False


def oom_kills() -> int:
    """How many processes the kernel killed for want of memory, in our control group or else at all; 0 where unknown."""
    for path, key in ((_cgroup() / "memory.events", "oom_kill"), (Path("/proc/vmstat"), "oom_kill")):
        with contextlib.suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == key:
                    return int(value)
    return 0


def _cgroup() -> Path:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            if line.startswith("0::"):
                return Path("/sys/fs/cgroup") / line[3:].lstrip("/")
    return Path("/sys/fs/cgroup")
