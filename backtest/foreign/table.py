"""The table of a result that was made elsewhere: which columns it is read from, and its cells as they are written.

Strict: what is not plainly a day and a number ends the run with one sentence that names the column and the row.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtest.config import MOST_RESULT_BYTES, ResultConfig
from backtest.series import Floats
from marketdata.bars import Days
from marketdata.files import guess, tables, times
from marketdata.files.cells import numbers
from marketdata.files.column_map import SEPARATORS
from marketdata.files.limits import FileRefused
from marketdata.files.tables import Table

LABEL = "the file"
DAYS = ("date", "datetime", "time", "timestamp", "day", "session", "index")
VALUES = {
    "equity": ("equity", "value", "portfoliovalue", "portfolio", "nav", "balance", "totalvalue", "accountvalue"),
    "returns": ("returns", "return", "dailyreturn", "dailyreturns", "ret", "pctchange", "strategyreturns"),
}
"""Names by which a column is found where none is given, letters and digits alone."""
UNNAMED = "column 1"
"""What the reader calls a first column without a name, as pandas writes an index."""


class ResultRefused(ValueError):
    """The table is no result that can be judged; the message is one sentence."""


@dataclass(frozen=True)
class Rows:
    """n rows in the order of the file. `days` (n,) as they are written; `closes` (n,) in UTC, None where the cells hold
    days alone; `values` (n,). `row` numbers are those of an editor: the header of a CSV is row 1.
    """

    table: Table
    date: str
    value: str
    days: Days
    closes: Days | None
    values: Floats

    def place(self, index: int) -> str:
        return self.table.row(index)


def read(path: Path, chosen: ResultConfig) -> Rows:
    """The two columns of a CSV or Parquet file. Raises ResultRefused."""
    try:
        return _read(path, chosen)
    except FileRefused as fault:
        sentence = str(fault)
        raise ResultRefused(sentence[:1].upper() + sentence[1:]) from fault


def sha256_of(path: Path) -> str:
    """Of the file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(path: Path, chosen: ResultConfig) -> Rows:
    size = path.stat().st_size
    if size > MOST_RESULT_BYTES:
        raise ResultRefused(f"The file holds {size:,} bytes; at most {MOST_RESULT_BYTES:,} are taken.")
    cut = guess.dialect(path, LABEL)
    table = tables.read(path, LABEL, encoding=cut.encoding, separator=SEPARATORS[cut.separator])
    date = _column(table, chosen.date, DAYS, "date", "days", (UNNAMED, "Unnamed: 0"))
    value = _column(table, chosen.value, VALUES["equity" if chosen.holds == "equity" else "returns"], "value",
                    chosen.holds.replace("_", " in "))  # fmt: skip
    if date == value:
        raise ResultRefused(f"result.value: {value} is the column of days already; name the column of {chosen.holds}.")
    held = table.columns[date]
    form = _date_format(table, date, chosen)
    marks = guess.number_marks(guess.samples_of(table, value), cut.separator)
    values = numbers(
        table.columns[value], decimal=marks["decimal"], thousands=marks["thousands"], field=value,
        place=lambda index: _capital(table.row(index)),
    )  # fmt: skip
    empty = np.flatnonzero(~np.isfinite(values))
    if len(empty):
        raise ResultRefused(
            f"{_capital(table.row(int(empty[0])))} has no {value}; every row needs a finite number, "
            "so leave out rows without one."
        )
    closes = times.instants(held, form, "UTC", table.row) if _has_times(held, form) else None
    return Rows(table, date, value, times.days(held, form, table.row), closes, values)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _column(
    table: Table, asked: str | None, names: tuple[str, ...], field: str, what: str, also: tuple[str, ...] = ()
) -> str:
    """The column asked for, else the only one that is named like one."""
    known = ", ".join(list(table.columns)[:20])
    if asked is not None:
        if asked not in table.columns:
            raise ResultRefused(f"result.{field}: the file has no column {asked}; it has {known}.")
        return asked
    found = [name for name in table.columns if re.sub(r"[^a-z0-9]", "", name.lower()) in names]
    found = found or [name for name in table.columns if name in also]
    if len(found) != 1:
        why = f"{' and '.join(found[:4])} may be" if found else "no column is named like"
        raise ResultRefused(f"result.{field}: {why} the column of {what}; name one of {known}.")
    return found[0]


def _date_format(table: Table, date: str, chosen: ResultConfig) -> str:
    """As asked for, else as the cells decide."""
    if chosen.date_format != "auto":
        return chosen.date_format
    form, notes = guess.date_format_of(guess.dates_of(table, date))
    if notes:
        raise ResultRefused(f"result.date_format: {notes[0]}")
    return form


def _has_times(column: Any, form: str) -> bool:
    """Whether the cells hold more than days."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if form.startswith("epoch") or pa.types.is_timestamp(column.type):
        return True
    return bool(pa.types.is_string(column.type) and pc.any(pc.match_substring(column, ":")).as_py())
