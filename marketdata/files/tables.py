"""A file as columns: CSV cells as text, Parquet cells as they are typed. Runs in the child only."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketdata.files.decode import decoded
from marketdata.files.limits import MAX_CELL, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, FileRefused

PARQUET, ZIP, GZIP = b"PAR1", b"PK\x03\x04", b"\x1f\x8b"
BLOCK = 8 * 1024 * 1024  # bytes of a piece of CSV: no line is longer
STORED_CELL = 16
"""Bytes of a page for each cell beside its text: a number or a time, or a length and a place in a dictionary."""
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
        return row_of(self.kind, self.label, index)


def row_of(kind: str, label: str, index: int) -> str:
    """Where a person finds the row: the header of a CSV is row 1."""
    number = index + (2 if kind == "csv" else 1)
    return f"row {number} of {label}"


@dataclass(frozen=True)
class Head:
    """What a file says of itself before a cell is read: the names of its columns, and its rows where it is a Parquet
    (a CSV does not say: None).
    """

    names: tuple[str, ...]
    n_rows: int | None


@dataclass(frozen=True)
class Part:
    """Which columns are read, the others being left alone; `most_text`: bytes that the text of one may unpack to."""

    choose: Callable[[Head], Sequence[str]]
    most_text: int


def read(
    path: Path, label: str, *, encoding: str, separator: str, most_rows: int = MAX_ROWS, part: Part | None = None
) -> Table:
    """The whole file, or a part of it. Raises FileRefused with one sentence for what is no such file or holds too much.

    `most_rows`: how many the files before it have left over.
    """
    if kind_of(path, label) == "parquet":
        return read_parquet(path, label, most_rows, part)
    return read_csv(path, label, encoding, separator, most_rows, part)


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


def read_csv(path: Path, label: str, encoding: str, separator: str, most_rows: int, part: Part | None = None) -> Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    raw = decoded(path, label, encoding, most_rows=most_rows)
    names = header(raw, label, separator)
    _check_columns(label, len(names))
    wanted = names if part is None else list(part.choose(Head(tuple(names), None)))
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
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=wanted
            ),
        )
    except pa.ArrowInvalid as fault:
        raise FileRefused(_csv_sentence(label, wrong, len(names))) from fault
    if not table.num_rows:
        raise FileRefused(f"{label} has a header and no rows.")
    columns = dict(zip(wanted, table.columns, strict=True))
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


def read_parquet(path: Path, label: str, most_rows: int, part: Part | None = None) -> Table:
    file = _opened(path, label)
    schema, n_rows = file.schema_arrow.remove_metadata(), file.metadata.num_rows
    names = list(schema.names)
    wanted = names if part is None else list(part.choose(Head(tuple(names), n_rows)))
    _check_count(label, n_rows, len(wanted), most_rows)
    _check_flat(label, [schema.field(name) for name in wanted])
    if part is not None:
        _check_apart(label, names, wanted)
        _check_stored(label, file.metadata, wanted, part)
        file = _opened(path, label, wanted)  # repeated texts stay one text and a number for each row
    table = _of_file(label, lambda: file.read(None if part is None else wanted, False, False))
    if not table.num_rows:
        raise FileRefused(f"{label} has no rows.")
    if part is not None:
        _check_unpacked(label, table, part)
    columns = {name: _plain(table.column(name)) for name in wanted}
    _check_cells(label, columns)
    return Table(label, "parquet", columns, table.num_rows)


def _opened(path: Path, label: str, coded: Sequence[str] = ()) -> Any:
    """The file with its schema read and nothing else; texts of the columns `coded` will be read as dictionaries."""
    import pyarrow.parquet as pq

    file = _of_file(
        label,
        lambda: pq.ParquetFile(
            path, memory_map=False, page_checksum_verification=False, read_dictionary=list(coded) or None
        ),
    )
    names = _of_file(label, lambda: file.schema_arrow.names)
    _check_names(label, names)
    _check_columns(label, len(names))
    return file


def _of_file(label: str, read_some: Callable[[], Any]) -> Any:
    """What pyarrow makes of a stranger's bytes. Raises FileRefused where it can make nothing of them."""
    import pyarrow as pa

    try:
        return read_some()
    except MemoryError:  # pyarrow's own is an ArrowException too
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as fault:
        raise FileRefused(f"{label} is a damaged Parquet file.") from fault


def _check_flat(label: str, fields: Sequence[Any]) -> None:
    import pyarrow as pa

    for field in fields:
        if pa.types.is_nested(field.type) or isinstance(field.type, pa.BaseExtensionType):
            raise FileRefused(f"{label} has a column {field.name} of type {field.type}; flat columns are taken.")


def _check_apart(label: str, names: Sequence[str], wanted: Sequence[str]) -> None:
    """A column is asked for by its path, and of `a` and `a.b` the first would bring the second along."""
    for name in wanted:
        if below := next((other for other in names if other.startswith(f"{name}.")), None):
            raise FileRefused(f"{label} has columns {name} and {below}, which Parquet cannot tell apart; rename one.")


def _check_stored(label: str, metadata: Any, wanted: Sequence[str], part: Part) -> None:
    """Before a page is unpacked: what the file says that the pages of a column unpack to."""
    most = part.most_text + STORED_CELL * metadata.num_rows
    total = dict.fromkeys(wanted, 0)
    for place in range(metadata.num_row_groups):
        group = metadata.row_group(place)
        for chunk in map(group.column, range(group.num_columns)):
            if chunk.path_in_schema in total:
                total[chunk.path_in_schema] += max(chunk.total_uncompressed_size, chunk.total_compressed_size)
    for name, size in total.items():
        if size > most:
            raise FileRefused(f"{label} has a column {name} that unpacks to {size:,} bytes; at most {most:,} are read.")


def _check_unpacked(label: str, table: Any, part: Part) -> None:
    """Before a repeated text is written out for each of its rows."""
    for name in table.column_names:
        size = sum(map(_text_bytes, table.column(name).chunks))
        if size > part.most_text:
            raise FileRefused(
                f"{label} has {size:,} bytes of text in {name}; at most {part.most_text:,}, as in a CSV, are taken."
            )


def _text_bytes(chunk: Any) -> int:
    """Of all its rows; 0 for numbers and times."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = pa.types.is_dictionary(chunk.type)
    kind = chunk.type.value_type if coded else chunk.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return 0
    lengths = pc.binary_length(chunk.dictionary).take(chunk.indices) if coded else pc.binary_length(chunk)
    return int(pc.sum(lengths).as_py() or 0)


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
