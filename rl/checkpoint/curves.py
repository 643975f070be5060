"""The curves of a training that goes on: those of the earlier process up to the checkpoint, so that none is doubled.

What it wrote after the checkpoint is cut off: the rest of the training writes it again. Checkpoints are synced to the
disk and curves are not, so that a power cut may leave anything behind their last whole piece: a curve that is damaged
loses what lies there and stops nothing.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from stable_baselines3.common.logger import CSVOutputFormat

from runfiles import atomic, layout
from runfiles.records import RecordFault, records

_STEP = "time/total_timesteps"
Pieces = Iterator[tuple[int, bytes]]
"""(environment step, bytes as they lie in the file), one after the other, up to the first that is not whole."""


def cut(folder: Path, step: int, log: Callable[[str], None]) -> None:
    """Take everything behind environment step `step`, and behind the first piece that is not whole, out of
    `progress.csv` and `tb/` of a run directory; `log` hears of what was not whole. Raises OSError where the rest cannot
    be written.
    """
    table = folder / layout.PROGRESS_CSV
    if table.exists():
        _cut(table, _rows, step, log)
    for path in sorted((folder / layout.TENSORBOARD).rglob("*tfevents*")):
        if path.is_file() and not path.is_symlink():
            _cut(path, _events, step, log)


def continued(path: Path, step: int) -> CSVOutputFormat:
    """SB3's table, from step 0 an empty one, else behind the rows that are there, which SB3 alone would throw away."""
    text = path.read_text(encoding="utf-8") if step and path.exists() else ""
    table = CSVOutputFormat(str(path))
    table.file.write(text)
    table.file.flush()
    table.keys = text.partition("\n")[0].split(",") if text else []
    return table


def _cut(path: Path, pieces: Callable[[bytes], Pieces], step: int, log: Callable[[str], None]) -> None:
    content = path.read_bytes()
    whole = list(pieces(content))
    size = sum(len(piece) for _, piece in whole)
    if size < len(content):
        log(f"{path.name} is damaged or torn: of its {len(content):,} bytes the first {size:,} are kept")
    atomic.write_bytes(path, b"".join(piece for at, piece in whole if at <= step))


def _rows(content: bytes) -> Pieces:
    """The lines of SB3's table: its header, which belongs to every step, then each with the step that it names."""
    lines = content.splitlines(keepends=True)
    header = _fields(lines[0]) if lines else []
    if _STEP not in header:
        return
    yield 0, lines[0]
    column = header.index(_STEP)
    for line in lines[1:]:
        row = _fields(line)
        if len(row) != len(header) or not row[column].isdecimal():
            return
        yield int(row[column]), line


def _fields(line: bytes) -> list[str]:
    """Those of one line; none of what is no whole line of such a table."""
    try:
        return next(csv.reader([line.decode("utf-8")]), []) if line.endswith(b"\n") else []
    except (UnicodeDecodeError, csv.Error):
        return []


def _events(content: bytes) -> Pieces:
    """The records of TensorBoard's file."""
    from tensorboard.compat.proto.event_pb2 import Event

    place = 0
    try:
        for record in records(content):
            step = int(Event.FromString(record.content).step)
            yield step, content[place : record.end]
            place = record.end
    except RecordFault:
        return
    except Exception as error:
        if type(error).__name__ != "DecodeError":  # protobuf's, which is TensorBoard's to install
            raise
