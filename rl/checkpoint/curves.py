"""The curves of a training that goes on: those of the earlier process up to the checkpoint, so that none is doubled.

What it wrote after the checkpoint is cut off: the rest of the training writes it again.
"""

import csv
import struct
from collections.abc import Iterator
from pathlib import Path

from stable_baselines3.common.logger import CSVOutputFormat

from runfiles import atomic, layout

_HEAD = struct.Struct("<QI")  # of a record: length and its checksum; content and its checksum follow
_FOOT = 4
_STEP = "time/total_timesteps"


def cut(folder: Path, step: int) -> None:
    """Take everything behind environment step `step` out of `progress.csv` and `tb/` of a run directory."""
    _cut_table(folder / layout.PROGRESS_CSV, step)
    for path in sorted((folder / layout.TENSORBOARD).rglob("*tfevents*")):
        if path.is_file() and not path.is_symlink():
            atomic.write_bytes(path, b"".join(_records(path.read_bytes(), step)))


def continued(path: Path, step: int) -> CSVOutputFormat:
    """SB3's table, from step 0 an empty one, else behind the rows that are there, which SB3 alone would throw away."""
    text = path.read_text(encoding="utf-8") if step and path.exists() else ""
    table = CSVOutputFormat(str(path))
    table.file.write(text)
    table.file.flush()
    table.keys = text.partition("\n")[0].split(",") if text else []
    return table


def _cut_table(path: Path, step: int) -> None:
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    column = next(csv.reader(lines[:1]), []).index(_STEP) if lines else 0
    kept = [line for line in lines[1:] if line.endswith("\n") and _within(line, column, step)]
    atomic.write_text(path, "".join(lines[:1] + kept))


def _within(line: str, column: int, step: int) -> bool:
    row = next(csv.reader([line]))
    return len(row) > column and row[column].isdecimal() and int(row[column]) <= step


def _records(content: bytes, step: int) -> Iterator[bytes]:
    """The whole records of TensorBoard's file that are not after `step`; a torn one at the end is left out."""
    from tensorboard.compat.proto.event_pb2 import Event

    place = 0
    while place + _HEAD.size <= len(content):
        begin = place + _HEAD.size
        end = begin + _HEAD.unpack_from(content, place)[0]
        if end + _FOOT > len(content):
            return
        if Event.FromString(content[begin:end]).step <= step:
            yield content[place : end + _FOOT]
        place = end + _FOOT
