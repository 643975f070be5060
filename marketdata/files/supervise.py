"""The parent of a child that reads files: a few at once, a scrubbed environment, a group that is killed at the end."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marketdata.config_base import ConfigFault
from marketdata.files.child import JOB, MEMORY, RESULT

log = logging.getLogger(__name__)

CHILDREN = threading.BoundedSemaphore(2)
PATIENCE_S = 30.0  # for a child of somebody else's to end
WALL_S = 90.0
ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = (sys.executable, "-P", "-m", "marketdata.files.child")
MOST_RESULT = 64 * 1024 * 1024

_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
_FIXED = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
          "MKL_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system", "ARROW_IO_THREADS": "1",
          "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip

SLOW = "Reading the files took too long and was stopped; send fewer rows or columns."
CUT_OFF = (
    "The reading was cut off by the server before it had come to an end, which says nothing of the files (it may be "
    "short of memory, or stopping); send them again in a moment."
)
BROKEN = "The files could not be read; they may be damaged."


_OF_SIGNAL: dict[int, str] = {
    signal.SIGALRM: SLOW, signal.SIGXCPU: SLOW, signal.SIGXFSZ: MEMORY, signal.SIGABRT: MEMORY,  # bad_alloc aborts
    signal.SIGKILL: CUT_OFF, signal.SIGTERM: CUT_OFF, signal.SIGINT: CUT_OFF, signal.SIGHUP: CUT_OFF,
}  # fmt: skip


class Busy(Exception):
    """Others' files are being read; the same again in a moment."""


def run(folder: Path, job: Mapping[str, Any], command: Sequence[str] | None = None) -> dict[str, Any]:
    """The child's answer to `job`, which it finds in `folder`. `command`: another child than the reader of prices.

    Raises ConfigFault with the sentence for files that are refused or too much, Busy when no turn came.
    """
    if not CHILDREN.acquire(timeout=PATIENCE_S):
        raise Busy
    try:
        (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
        code = _wait(folder, command or COMMAND)
    finally:
        CHILDREN.release()
    return _answer(folder, code)


def environment(folder: Path) -> dict[str, str]:
    """No key, no address, no home; its own folder for what libraries put aside."""
    found = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {"LANG": "C.UTF-8", **found, **_FIXED, "TMPDIR": str(folder), "HOME": str(folder)}


def _wait(folder: Path, command: Sequence[str]) -> int | None:
    """Exit code, negative for a signal; None for a child that took too long."""
    with (folder / "log").open("wb") as log_file:
        child = subprocess.Popen(
            [*command, str(folder)], cwd=folder,
            env=environment(folder), stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file,
            start_new_session=True,
        )  # fmt: skip
    try:
        return child.wait(timeout=WALL_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _answer(folder: Path, code: int | None) -> dict[str, Any]:
    if code is None:
        raise ConfigFault({"file": [SLOW]})
    path = folder / RESULT
    if code == 0 and path.is_file() and path.stat().st_size <= MOST_RESULT:
        answer = json.loads(path.read_text(encoding="utf-8"))
        if "errors" in answer:
            raise ConfigFault(answer["errors"])
        found: dict[str, Any] = answer["ok"]
        return found
    log.error("a child that reads files ended with %s: %s", code, _last_words(folder))
    raise ConfigFault({"file": [_OF_SIGNAL.get(-code, BROKEN)]})


def _last_words(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return (folder / "log").read_text(encoding="utf-8", errors="replace")[-4000:]
    return ""
