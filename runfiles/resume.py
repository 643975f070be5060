"""`resumed/resume.json`: from which checkpoints a training goes on. The service writes it, the job reads it.

`{"v":1,"checkpoints":[{"file","sha256"}]}`, newest first; each file lies beside it in `resumed/`.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runfiles import atomic, layout, strict_json

VERSION = 1
MOST_BYTES = 64 * 1024
_NAME = re.compile(r"[a-z]{1,32}\.zip\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class ResumeFault(ValueError):
    """The file is none that `write` wrote; the message is one clause."""


@dataclass(frozen=True)
class Named:
    """A checkpoint: the name of its file in `resumed/`, and the sha256 that it had when its run ended."""

    file: str
    sha256: str


def write(folder: Path, checkpoints: Sequence[Named]) -> None:
    """Into a run directory whose `resumed/` is there."""
    atomic.write_json(folder / layout.RESUME, {"v": VERSION, "checkpoints": [asdict(each) for each in checkpoints]})


def read(folder: Path) -> list[Named] | None:
    """None where the run directory has none: a training from its beginning. Raises ResumeFault."""
    try:
        with (folder / layout.RESUME).open("rb") as stream:
            value = strict_json.read(stream.read(MOST_BYTES), layout.RESUME)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ResumeFault("it cannot be read") from error
    listed = value.get("checkpoints") if isinstance(value, dict) and value.get("v") == VERSION else None
    if not isinstance(listed, list) or not listed or not all(_is_named(item) for item in listed):
        raise ResumeFault("it is not in the form that this version reads")
    return [Named(item["file"], item["sha256"]) for item in listed]


def _is_named(item: object) -> bool:
    return (
        isinstance(item, dict)
        and set(item) == {"file", "sha256"}
        and all(isinstance(value, str) for value in item.values())
        and bool(_NAME.match(item["file"]))
        and bool(_SHA256.match(item["sha256"]))
    )
