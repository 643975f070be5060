"""A file of a universe's members, point in time: columns symbol, start, end. Runs in the child only."""

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars, Days
from marketdata.files import cells, times
from marketdata.files.layouts import checked_symbol
from marketdata.files.limits import FileRefused
from marketdata.files.tables import Table
from marketdata.findings import Finding, counted

FIELD = "membership"
OPEN_END = np.datetime64("2999-12-31", "D")
FAR = ("9999-12-31", "2999-12-31")
"""Days that many write for an end that has not come."""


@dataclass(frozen=True)
class Interval:
    """First and last day of a membership, both inside; the last is far away where it has not ended."""

    start: np.datetime64
    end: np.datetime64
    where: str


COLUMNS = ("symbol", "start", "end")


def is_one(table: Table) -> bool:
    """Whether the names of the columns are those of a membership."""
    return set(COLUMNS) <= {name.strip().lower() for name in table.columns}


def intervals(table: Table, date_format: str) -> dict[str, list[Interval]]:
    """Intervals of each symbol, by start. Raises FileRefused naming symbol and day for what makes no sense."""
    by_name = {name.strip().lower(): name for name in table.columns}
    missing = [name for name in COLUMNS if name not in by_name]
    if missing:
        raise FileRefused(f"{table.label} has no column {missing[0]}; a membership has symbol, start, end.", FIELD)
    names, rows = cells.texts(table.columns[by_name["symbol"]], FIELD)
    starts = times.days(table.columns[by_name["start"]], date_format, table.row)
    ends = _ends(table, by_name["end"], date_format)
    found: dict[str, list[Interval]] = {}
    for row, which in enumerate(rows):
        symbol = checked_symbol(names[which], table.row(row), FIELD)
        if ends[row] < starts[row]:
            said = f"{symbol} leaves on {ends[row]}, before it joins on {starts[row]} ({table.row(row)})"
            raise FileRefused(f"{said}; end is the last day inside.", FIELD)
        found.setdefault(symbol, []).append(Interval(starts[row], ends[row], table.row(row)))
    for symbol, held in found.items():
        _check_apart(symbol, held)
    return found


def _ends(table: Table, column: str, date_format: str) -> Days:
    """The last day of each row; an empty cell is a membership that goes on."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cell = table.columns[column]
    far = pa.scalar(str(OPEN_END))
    if pa.types.is_null(cell.type):
        return np.full(table.n_rows, OPEN_END)
    if pa.types.is_string(cell.type):
        text = pc.utf8_trim_whitespace(pc.fill_null(cell, ""))
        open_ = pc.is_in(text, value_set=pa.array(["", *FAR]))
        empty = np.asarray(open_.to_numpy(zero_copy_only=False), dtype=bool)
        found = np.full(table.n_rows, OPEN_END)
        if not empty.all():
            held = np.flatnonzero(~empty)
            found[held] = times.days(text.take(pa.array(held)), date_format, lambda row: table.row(int(held[row])))
        return found
    if not (pa.types.is_date(cell.type) or pa.types.is_timestamp(cell.type)):
        raise FileRefused(f"The column {column} of {table.label} holds {cell.type}; days are right.", FIELD)
    filled = pc.fill_null(pc.cast(cell, pa.date32(), safe=False), far.cast(pa.date32()))
    ends: Days = np.minimum(np.asarray(filled.to_numpy(zero_copy_only=False)).astype("datetime64[D]"), OPEN_END)
    return ends


def _check_apart(symbol: str, held: list[Interval]) -> None:
    held.sort(key=lambda each: each.start)
    for earlier, later in itertools.pairwise(held):
        if later.start <= earlier.end:
            said = f"{symbol} joins on {later.start} ({later.where}) while it is a member since {earlier.start}"
            raise FileRefused(f"{said}; intervals of a symbol must not overlap.", FIELD)


def mask(bars: Bars, members: Mapping[str, list[Interval]]) -> NDArray[np.bool_]:
    """(T, A): whether the symbol belongs to the universe at the close of t."""
    found = np.zeros((bars.n_bars, bars.n_assets), dtype=np.bool_)
    for asset, symbol in enumerate(bars.symbols):
        for each in members.get(symbol, ()):
            found[:, asset] |= (bars.session >= each.start) & (bars.session <= each.end)
    return found


def findings(bars: Bars, member: NDArray[np.bool_], members: Mapping[str, list[Interval]]) -> list[Finding]:
    """What a membership that does not fit the prices leaves unsaid about names that died."""
    first, last = bars.session[0], bars.session[-1]
    inside = {s: held for s, held in members.items() if any(e.start <= last and e.end >= first for e in held)}
    found = []
    if absent := [symbol for symbol in inside if symbol not in bars.symbols]:
        day = max(min(each.start for each in inside[absent[0]]), first)
        text = f"{len(absent)} of {len(inside)} members have no prices here, {absent[0]} first: "
        found.append(_amber("member_without_prices", "", day, text + "names that died may be missing."))
    for asset, symbol in enumerate(bars.symbols):
        here = member[:, asset]
        if not here.any():
            text = f"{symbol} has prices and is never a member: it cannot be bought."
            found.append(_amber("never_member", symbol, first, text))
            continue
        gone = np.flatnonzero(here & ~bars.present[:, asset])
        if len(gone):
            day = bars.session[gone[0]]
            text = f"{symbol} is a member without a close on {counted(len(gone), 'sessions')}, {day} first."
            found.append(_amber("member_without_close", symbol, day, text))
    return found


def _amber(code: str, symbol: str, day: np.datetime64, text: str) -> Finding:
    return Finding("amber", code, symbol, cast(dt.date, day.item()), text)
