"""How a job ended: `exit.json` in the control folder, written once by the shim and read by the executor.

`{"v":1,"end":"ok|error|diverged|oom|killed|timeout|disk|cancelled","code","signal","sentence","started","ended","duration_s","peak_rss_mb"}`
"""

import json
import os
from pathlib import Path
from typing import Literal, TypedDict, get_args

from runfiles import atomic, layout

VERSION = 1
MAX_BYTES = 64 * 1024
MAX_SENTENCE = 2000
ROOM = 16 * 1024
"""Bytes reserved for the file: more than its longest sentence takes, of the longest letters."""

End = Literal["ok", "error", "diverged", "oom", "killed", "timeout", "disk", "cancelled"]
ENDS: frozenset[str] = frozenset(get_args(End))

# exit codes of a job that ended by its own word (runfiles.job); 2 is what argparse says of a wrong command line
CODE_OK, CODE_CRASHED, CODE_REFUSED, CODE_DISK, CODE_MEMORY, CODE_CANCELLED = 0, 1, 3, 4, 5, 143


class Outcome(TypedDict):
    """`code` and `signal`: exit status of the job, one of them null. `started`, `ended`: ISO, UTC, for people.

    `duration_s` is of the monotonic clock; `peak_rss_mb`, in MiB, the largest resident size of one of the job's
    processes.
    """

    v: int
    end: End
    code: int | None
    signal: int | None
    sentence: str
    started: str
    ended: str
    duration_s: float
    peak_rss_mb: float | None


def reserve(control: Path) -> None:
    """Take the room of `exit.json` on the disk while there is some: a run that fills the disk must be able to say so.

    Raises OSError where there is none.
    """
    atomic.write_bytes(control / layout.EXIT_ROOM, bytes(ROOM))


def write(control: Path, outcome: Outcome) -> None:
    """Written over the reserved room where it was taken, and then renamed. Raises OSError."""
    try:
        _fill(control / layout.EXIT_ROOM, atomic.json_bytes(outcome))
    except FileNotFoundError:
        atomic.write_json(control / layout.EXIT, outcome)
        return
    (control / layout.EXIT_ROOM).replace(control / layout.EXIT)
    atomic.sync_folder(control)


def _fill(room: Path, content: bytes) -> None:
    with room.open("r+b") as stream:
        stream.write(content)
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())


def read(control: Path) -> Outcome | None:
    """The outcome, or None where there is none or where it is not one: an unreadable end is no end."""
    try:
        with (control / layout.EXIT).open("rb") as stream:
            value = json.loads(stream.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return value if _is_outcome(value) else None


def _is_outcome(value: object) -> bool:
    if not isinstance(value, dict) or value.get("v") != VERSION or value.get("end") not in ENDS:
        return False
    numbers = all(value.get(name) is None or isinstance(value.get(name), int | float)
                  for name in ("code", "signal", "duration_s", "peak_rss_mb"))  # fmt: skip
    return numbers and all(isinstance(value.get(name), str) for name in ("sentence", "started", "ended"))
