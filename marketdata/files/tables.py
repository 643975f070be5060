"""A file as columns: CSV cells as text, Parquet cells as they are typed. Runs in the child only."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketdata.files.decode import decoded
from marketdata.files.limits import MAX_CELL, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, FileRefused

PARQUET, ZIP, GZIP = b"PAR1", b"PK\x03\x04", b"\x1f\x8b"
BLOCK = 8 * 1024 * 1024  # bytes of a piece of CSV: no line is longer
NOT_TABLES = {
    ZIP: "a zip archive or an Excel workbook; save the sheet as CSV, or unpack the archive",
    GZIP: "compressed with gzip; unpack it first",
    b"BZh": "compressed with bzip2; unpack it first",
    b"\xfd7zXZ": "compressed with xz; unpack it first",
    b"(\xb5/\xfd": "compressed with zstd; unpack it first",
    b"\x80\x03": "a Python pickle, which is never read; save it as CSV or Parquet",
    b"\x80\x04": "a Python pickle, which is never read; save it as CSV or Parquet",
    b"\x80\x05": "a Python pickle, which is never read; save it as CSV or Parquet",
    b"\x89HDF": "an HDF5 file; save it as CSV or Parquet",
    b"\x93NUMPY": "a NumPy file; save it as CSV or Parquet",
    b"%PDF": "a PDF; save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
}


@dataclass(frozen=True)
class Table:
    """`columns`: name → pyarrow array of n rows; `label`: the name of the file, for sentences; `kind`: csv, parquet."""

    label: str
    kind: str
    columns: dict[str, Any]
    n_rows: int

    def column(self, name: str, field: str) -> Any:
        """Raises FileRefused naming the columns that there are."""
        if name not in self.columns:
            known = ", ".join(list(self.columns)[:20])
            raise FileRefused(f"{self.label} has no column {name}; it has {known}.", f"columns.{field}")
        return self.columns[name]

    def row(self, index: int) -> str:
        """Where a person finds the row: the header of a CSV is row 1."""
        number = index + (2 if self.kind == "csv" else 1)
        return f"row {number} of {self.label}"


def read(path: Path, label: str, *, encoding: str, separator: str, most_rows: int = MAX_ROWS) -> Table:
    """The whole file. Raises FileRefused with one sentence for what is no such file or holds too much.

    `most_rows`: how many the files before it have left over.
    """
    if kind_of(path, label) == "parquet":
        return read_parquet(path, label, most_rows)
    return read_csv(path, label, encoding, separator, most_rows)


def kind_of(path: Path, label: str) -> str:
    """`csv` or `parquet`, by the first bytes and never by the name. Raises FileRefused for known other kinds."""
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head:
        raise FileRefused(f"{label} is empty.")
    if head.startswith(PARQUET):
        return "parquet"
    for magic, what in NOT_TABLES.items():
        if head.startswith(magic):
            raise FileRefused(f"{label} is {what}.")
    return "csv"


def read_csv(path: Path, label: str, encoding: str, separator: str, most_rows: int) -> Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    raw = decoded(path, label, encoding, most_rows=most_rows)
    names = header(raw, label, separator)
    _check_columns(label, len(names))
    wrong: list[Any] = []

    def refuse(row: Any) -> str:
        wrong.append(row)
        return "error"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(raw),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=1, block_size=max(1024, min(BLOCK, len(raw)))
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, invalid_row_handler=refuse),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as fault:
        raise FileRefused(_csv_sentence(label, wrong, len(names))) from fault
    if not table.num_rows:
        raise FileRefused(f"{label} has a header and no rows.")
    columns = dict(zip(names, table.columns, strict=True))
    _check_cells(label, columns)
    return Table(label, "csv", columns, table.num_rows)


def header(raw: bytes, label: str, separator: str) -> list[str]:
    """Names of the columns; one without a name is called by its place. Raises FileRefused for repeated ones."""
    end = raw.find(b"\n")
    line = raw[: len(raw) if end < 0 else end].decode()
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error as fault:
        raise FileRefused(f"{label} has a header that is no CSV.") from fault
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(cells, 1)]
    _check_names(label, names)
    if len(names) < 2:
        raise FileRefused(f"{label} has only one column when cut at this separator.", "columns.separator")
    return names


def read_parquet(path: Path, label: str, most_rows: int) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, memory_map=False, page_checksum_verification=False)
        schema = file.schema_arrow.remove_metadata()
        names = list(schema.names)
        _check_names(label, names)
        _check_columns(label, len(names))
        _check_count(label, file.metadata.num_rows, len(names), most_rows)
        for field in schema:
            if pa.types.is_nested(field.type) or isinstance(field.type, pa.BaseExtensionType):
                raise FileRefused(f"{label} has a column {field.name} of type {field.type}; flat columns are taken.")
        table = file.read(use_threads=False, use_pandas_metadata=False)
    except (FileRefused, MemoryError):  # pyarrow's own is an ArrowException too
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as fault:
        raise FileRefused(f"{label} is a damaged Parquet file.") from fault
    if not table.num_rows:
        raise FileRefused(f"{label} has no rows.")
    columns = {name: _plain(table.column(name)) for name in names}
    _check_cells(label, columns)
    return Table(label, "parquet", columns, table.num_rows)


def _plain(column: Any) -> Any:
    """Dictionaries and large strings as plain strings."""
    import pyarrow as pa

    kind = column.type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    kind = pa.string() if pa.types.is_large_string(kind) else kind
    return column if kind == column.type else column.cast(kind)


def _check_names(label: str, names: Sequence[str]) -> None:
    seen: set[str] = set()  # a count for each name would take a minute for a header of a few hundred kilobytes
    for name in names:
        if len(name) > MAX_CELL or not name.isprintable():
            raise FileRefused(f"{label} has a column with a name that is no plain text of at most {MAX_CELL} letters.")
        if name in seen:
            raise FileRefused(f"{label} has two columns named {name}; rename one.")
        seen.add(name)


def _check_columns(label: str, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise FileRefused(f"{label} has {columns:,} columns; at most {MAX_COLUMNS:,} are taken.")


def _check_count(label: str, rows: int, columns: int, most_rows: int) -> None:
    """What the file says of itself, before anything of it is unpacked: it may be a thousandth as large."""
    if rows > most_rows:
        raise FileRefused(f"The files hold more than {MAX_ROWS:,} rows, reached in {label}; no more are taken.")
    if rows * columns > MAX_CELLS:
        size = f"{rows:,} rows × {columns:,} columns = {rows * columns:,} cells"
        raise FileRefused(f"{label} has {size}; at most {MAX_CELLS:,} are taken.")


def _check_cells(label: str, columns: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, column in columns.items():
        if pa.types.is_string(column.type):
            longest = pc.max(pc.utf8_length(column)).as_py() or 0
            if longest > MAX_CELL:
                raise FileRefused(f"{label} has a cell of {longest:,} characters in {name}; at most {MAX_CELL}.")


def _csv_sentence(label: str, wrong: list[Any], expected: int) -> str:
    if wrong:
        row = f"Row {wrong[0].number}" if wrong[0].number is not None else "A row"
        return f"{row} of {label} has {wrong[0].actual_columns} cells, and the header {expected}."
    return f"{label} is no CSV that can be read: a row is too long, or a quotation mark is never closed."
