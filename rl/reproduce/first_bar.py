"""The first bar on which two books differ, from the tables that a bundle holds: weights, equity and orders."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from runfiles.bundle import BundleRefused

TABLES = ("weights", "equity", "orders")
_DECIDED = frozenset({"id", "decided", "symbol", "side", "qty_target"})
"""Columns of an order that stand when it is decided; the others when it is filled."""
ROW = "the row"
_FILL, _CLOSE, _DECISION = range(3)
"""Within a bar orders are filled first; then it closes, and then is decided."""


class Cell(NamedTuple):
    """Where two tables differ first; `theirs` or `ours` None where that table has no such row."""

    row: int
    column: str
    theirs: str | None
    ours: str | None
    values: dict[str, str]


class Bar(NamedTuple):
    """The first bar that differs. `symbol` is empty where the whole book is meant."""

    time: str
    moment: int
    table: str
    symbol: str
    column: str
    theirs: str | None
    ours: str | None

    def sentence(self) -> str:
        """For people: the bar, where it is, and both values."""
        of = f"{self.symbol}, " if self.symbol else ""
        both = f"{told(self.theirs)} in the bundle, {told(self.ours)} here"
        return f"The first bar that differs is {self.time}: {of}{self.column} of {self.table}.csv is {both}."


def told(value: str | None) -> str:
    """A cell for people; None is one that is not there."""
    return "missing" if value is None else value or "empty"


def first_cell(theirs: Path, ours: Path, leave_out: frozenset[str] = frozenset()) -> Cell | None:
    """The first cell that differs between two CSV files, rows counted from 1; `values` are those of its row. Raises
    BundleRefused where one is no table.

    Columns in `leave_out` are not looked at. One that a file lacks differs in the header, row 0; their order may differ
    (SB3's table of curves takes it from a set).
    """
    (their_names, their_rows), (our_names, our_rows) = _table(theirs), _table(ours)
    names = [name for name in their_names if name not in leave_out]
    for name in [*names, *(name for name in our_names if name not in leave_out)]:
        if (name in their_names) != (name in our_names):
            one, other = ("there" if name in held else None for held in (their_names, our_names))
            return Cell(0, name, one, other, {})
    row = 0
    while True:
        row += 1
        left, right = next(their_rows, None), next(our_rows, None)
        if left is None and right is None:
            return None
        theirs_here = dict(zip(their_names, left or (), strict=False))
        ours_here = dict(zip(our_names, right or (), strict=False))
        if left is None or right is None:
            known = ours_here if left is None else theirs_here
            return Cell(row, ROW, None if left is None else "there", None if right is None else "there", known)
        for name in names:
            if theirs_here.get(name) != ours_here.get(name):
                return Cell(row, name, theirs_here.get(name), ours_here.get(name), theirs_here)


def _table(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    rows = _rows(path)
    return next(rows, []), rows


def _rows(path: Path) -> Iterator[list[str]]:
    """Raises BundleRefused where a line is no row of a table."""
    try:
        yield from csv.reader(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except csv.Error as error:
        raise BundleRefused(f"{path.name} is no table that can be read ({error}).") from error


def first_bar(theirs: Path, ours: Path) -> Bar | None:
    """Of two folders that hold `TABLES`; None where all that both have are the same."""
    found = []
    for table in TABLES:
        one, other = theirs / f"{table}.csv", ours / f"{table}.csv"
        if one.is_file() and other.is_file() and (cell := first_cell(one, other)) is not None and cell.row:
            found.append(_bar(table, cell))
    return min(found, default=None, key=lambda bar: (bar.time, bar.moment))


def _bar(table: str, cell: Cell) -> Bar:
    values, decided = cell.values, cell.column in _DECIDED or cell.column == ROW
    if table != "orders":
        symbol = cell.column if table == "weights" and cell.column != ROW else ""
        column = "weight" if symbol else cell.column
        return Bar(values.get("time", ""), _CLOSE, table, symbol, column, cell.theirs, cell.ours)
    time = values.get("decided", "") if decided else values.get("filled") or values.get("decided", "")
    symbol = values.get("symbol", "")
    return Bar(time, _DECISION if decided else _FILL, table, symbol, cell.column, cell.theirs, cell.ours)
