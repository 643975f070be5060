"""The table of a result that was made elsewhere: which columns it is read from, and its cells as they are written.
Runs in the child only (`backtest.foreign.child`); the job asks `backtest.foreign.reading`.

Strict: what is not plainly a day and a number ends the run with one sentence that names the column and the row.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtest.config import MOST_RESULT_BYTES, MOST_RESULT_ROWS, ResultConfig
from backtest.series import Floats
from marketdata.bars import Days
from marketdata.files import guess, tables, times
from marketdata.files.cells import numbers
from marketdata.files.column_map import SEPARATORS
from marketdata.files.limits import FileRefused
from marketdata.files.tables import Head, Part, Table, row_of

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
    days alone; `values` (n,). `kind`: csv or parquet.
    """

    kind: str
    date: str
    value: str
    days: Days
    closes: Days | None
    values: Floats

    def place(self, index: int) -> str:
        """Where a person finds the row."""
        return row_of(self.kind, LABEL, index)


def read(path: Path, chosen: ResultConfig) -> Rows:
    """The two columns of a CSV or Parquet file. Raises ResultRefused."""
    try:
        return _read(path, chosen)
    except FileRefused as fault:
        raise ResultRefused(_capital(str(fault))) from fault


def _read(path: Path, chosen: ResultConfig) -> Rows:
    size = path.stat().st_size
    if size > MOST_RESULT_BYTES:
        raise ResultRefused(f"The file holds {size:,} bytes; at most {MOST_RESULT_BYTES:,} are taken.")
    cut = guess.dialect(path, LABEL)
    part = Part(lambda head: _chosen(head, chosen), MOST_RESULT_BYTES)
    table = tables.read(path, LABEL, encoding=cut.encoding, separator=SEPARATORS[cut.separator], part=part)
    _check_rows(table.n_rows)
    date, value = table.columns
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
            f"{_capital(table.row(int(empty[0])))} has no {value}; one row for each bar is right, with a finite number "
            "in it, so write the value of that bar."
        )
    closes = times.instants(held, form, "UTC", table.row) if _has_times(held, form) else None
    return Rows(table.kind, date, value, times.days(held, form, table.row), closes, values)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _check_rows(n_rows: int) -> None:
    if n_rows > MOST_RESULT_ROWS:
        raise ResultRefused(
            f"The file holds {n_rows:,} rows; at most {MOST_RESULT_ROWS:,} are taken, one for each bar that is judged."
        )


def _chosen(head: Head, chosen: ResultConfig) -> tuple[str, str]:
    """The columns of days and of values, before any other is read."""
    _check_rows(head.n_rows or 0)
    date = _column(head.names, chosen.date, DAYS, "date", "days", (UNNAMED, "Unnamed: 0"))
    try:
        what = chosen.holds.replace("_", " in ")
        value = _column(head.names, chosen.value, VALUES[_kind(chosen.holds)], "value", what)
    except ResultRefused as fault:
        raise ResultRefused(f"{fault}{_held_otherwise(head.names, chosen)}") from fault
    if date == value:
        raise ResultRefused(f"result.value: {value} is the column of days already; name the column of {chosen.holds}.")
    return date, value


def _kind(holds: str) -> str:
    return "equity" if holds == "equity" else "returns"


def _held_otherwise(there: tuple[str, ...], chosen: ResultConfig) -> str:
    """Where no value's name was given: what else to change, where a column is named like the other kind of values."""
    other = "returns" if _kind(chosen.holds) == "equity" else "equity"
    found = [name for name in there if _plain(name) in VALUES[other]]
    if chosen.value is not None or not found:
        return ""
    say = "returns, or returns_percent" if other == "returns" else "equity"
    return f" Or result.holds is not {chosen.holds}: {found[0]} is named like {other}, for which it must say {say}."


def _plain(name: str) -> str:
    """Letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _column(
    there: tuple[str, ...], asked: str | None, names: tuple[str, ...], field: str, what: str, also: tuple[str, ...] = ()
) -> str:
    """The column asked for, else the only one that is named like one."""
    known = ", ".join(there[:20])
    if asked is not None:
        if asked not in there:
            raise ResultRefused(f"result.{field}: the file has no column {asked}; it has {known}.")
        return asked
    found = [name for name in there if _plain(name) in names]
    found = found or [name for name in there if name in also]
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
