"""The files of one upload, read one after the other. Runs in the child only."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from marketdata.files import tables as table_files
from marketdata.files.column_map import SEPARATORS
from marketdata.files.limits import MAX_BYTES, MAX_FILES, MAX_ROWS, FileRefused
from marketdata.files.tables import Table


@dataclass(frozen=True)
class Upload:
    """A file at `path`; `label` is the name that its sender gave it, for sentences and symbols only."""

    path: Path
    label: str


def tables(files: Sequence[Upload], *, encoding: str, separator: str) -> list[Table]:
    """Raises FileRefused for the first file that is none, and for more than the limits in all."""
    if len(files) > MAX_FILES:
        raise FileRefused(f"{len(files):,} files were sent; at most {MAX_FILES} are taken.")
    size = sum(each.path.stat().st_size for each in files)
    if size > MAX_BYTES:
        raise FileRefused(f"The files hold {size:,} bytes; at most {MAX_BYTES:,} are taken.")
    found: list[Table] = []
    left = MAX_ROWS
    for each in files:
        table = table_files.read(
            each.path, each.label, encoding=encoding, separator=SEPARATORS[separator], most_rows=left
        )
        left -= table.n_rows
        found.append(table)
    return found
