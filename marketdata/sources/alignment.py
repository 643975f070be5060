"""Rows of a source laid on the master index: every bar of the calendar from the first to the last row.

A bar without a row stays as NaN, so that it is seen as a gap and never silently closed up. A row on a time without a
bar cannot be traded and is left out; a second row of a bar is left out too; rows out of order are put in order. All of
it is told as findings.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import DAILY, NO_ACTION, Adjustment, Bars, BarsError, Days, Floats
from marketdata.findings import Finding, Level, counted
from marketdata.sessions import Grid, grid

Rows = tuple[Days, dict[str, Floats]]
"""Times (n,) in the order of the source, and a column (n,) of each field: datetime64[D] of the session for daily rows,
the start of the bar in UTC for shorter ones."""
Events = Sequence[tuple[np.datetime64, float]]
"""Day (datetime64[D]) and amount of each action of a symbol."""


def align(
    rows: Mapping[str, Rows],
    *,
    calendar: str = "XNYS",
    interval: str = DAILY,
    adjustment: Adjustment = "raw",
    splits: Mapping[str, Events] | None = None,
    dividends: Mapping[str, Events] | None = None,
) -> tuple[Bars, list[Finding]]:
    """Bars (T, A) in the order of `rows`, and what did not fit. Raises BarsError when no row falls on a bar.

    `splits` and `dividends` by symbol, for raw prices whose source records them; each is put on the first bar of its
    session, or of the next session where its day has none.
    """
    findings: list[Finding] = []
    single = {symbol: _in_order(symbol, *each, findings) for symbol, each in rows.items()}
    known, keys = _index(calendar, interval, [times for times, _ in single.values()])
    fields = dict.fromkeys(name for _, columns in single.values() for name in columns)
    arrays = {name: np.full((known.n_bars, len(rows)), np.nan) for name in fields}
    for asset, (symbol, (times, columns)) in enumerate(single.items()):
        where, inside = _places(keys, times)
        findings += _outside(symbol, calendar, times[~inside])
        for name, column in columns.items():
            arrays[name][where[inside], asset] = column[inside]
    for name, events in (("split", splits), ("dividend", dividends)):
        if events is not None:
            arrays[name] = _actions(name, known, tuple(rows), events, findings)
    bars = Bars(symbols=tuple(rows), session=known.session, known_at=known.known_at, calendar=calendar,
                interval=interval, adjustment=adjustment, **arrays)  # type: ignore[arg-type]  # fmt: skip
    return bars, findings


def _index(calendar: str, interval: str, rows: Sequence[Days]) -> tuple[Grid, Days]:
    """Bars from the first to the last row that falls on one, and the times (T,) by which rows name them.

    `rows`: the times of each symbol, ascending.
    """
    if some := [times for times in rows if len(times)]:
        first, last = min(times[0] for times in some), max(times[-1] for times in some)
        known = grid(calendar, interval, first.astype("datetime64[D]").item(), last.astype("datetime64[D]").item())
        keys = known.session if interval == DAILY else known.start.astype(some[0].dtype)
        held = [where[inside] for where, inside in (_places(keys, times) for times in some) if inside.any()]
        if held:
            span = slice(min(places[0] for places in held), max(places[-1] for places in held) + 1)
            return Grid(known.session[span], known.start[span], known.known_at[span]), keys[span]
    what = "a session" if interval == DAILY else f"a bar of {interval}"
    raise BarsError(f"no row of the source falls on {what} of {calendar}")


def _places(keys: Days, times: Days) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each time the place of its key, and whether there is one. By search: hashing takes ten times as long."""
    where = np.searchsorted(keys, times)
    inside = where < len(keys)
    inside[inside] = keys[where[inside]] == times[inside]
    return where, inside


def _in_order(symbol: str, times: Days, columns: dict[str, Floats], findings: list[Finding]) -> Rows:
    """Each time once, ascending."""
    if np.all(times[1:] > times[:-1]):
        return times, columns
    _, first, place = np.unique(times, return_index=True, return_inverse=True)
    once = times[np.sort(first)]
    back = np.flatnonzero(once[1:] < once[:-1])
    if len(back):
        earlier, later = once[back[0] + 1], once[back[0]]
        text = f"{symbol} has rows out of order, {_told(earlier)} after {_told(later)} first; they were put in order."
        findings.append(Finding("amber", "unsorted", symbol, _day(earlier), text))
    repeated = np.flatnonzero(first[place] != np.arange(len(times)))
    if len(repeated):
        findings.append(_duplicate(symbol, times, columns, repeated, first[place][repeated]))
    return times[first], {name: column[first] for name, column in columns.items()}


def _duplicate(
    symbol: str, times: Days, columns: dict[str, Floats], repeated: NDArray[np.intp], originals: NDArray[np.intp]
) -> Finding:
    """Red when a repeated row says something else than the first: which one is true is not ours to guess."""
    differs = np.zeros(len(repeated), dtype=np.bool_)
    for column in columns.values():
        one, other = column[repeated], column[originals]
        differs |= (one != other) & ~(np.isnan(one) & np.isnan(other))
    row = repeated[int(np.argmax(differs))]
    told = "other values" if differs.any() else "the same values"
    many = counted(len(repeated), "repeated rows")
    sentence = f"{symbol} has {many}; that of {_told(times[row])} has {told}, and the first was"
    level: Level = "red" if differs.any() else "amber"
    return Finding(level, "duplicate", symbol, _day(times[row]), f"{sentence} taken.")


def _outside(symbol: str, calendar: str, times: Days) -> list[Finding]:
    if not len(times):
        return []
    when = "days without a session" if times.dtype == np.dtype("datetime64[D]") else "times outside the sessions"
    sentence = f"{symbol} has {counted(len(times), 'rows')} on {when} of {calendar}, {_told(times[0])} first; left out."
    return [Finding("amber", "no_session", symbol, _day(times[0]), sentence)]


def _actions(
    name: str, known: Grid, symbols: tuple[str, ...], events: Mapping[str, Events], findings: list[Finding]
) -> Floats:
    """(T, A) of one kind of action. What lies before the first or after the last bar concerns no bar of these."""
    found = np.full((known.n_bars, len(symbols)), NO_ACTION[name])
    for asset, symbol in enumerate(symbols):
        for day, amount in events.get(symbol, ()):
            row = int(np.searchsorted(known.session, day, side="left"))
            if day < known.session[0] or row == known.n_bars:
                continue
            if known.session[row] != day:
                text = f"{symbol} has a {name} on {day}, a day without a session; it counts on {known.session[row]}."
                findings.append(Finding("amber", "no_session", symbol, _day(day), text))
            found[row, asset] = found[row, asset] * amount if name == "split" else found[row, asset] + amount
    return found


def _told(time: np.datetime64) -> str:
    """`2020-01-02`, or `2020-01-02 14:30 UTC` for the start of a bar."""
    daily = time.dtype == np.dtype("datetime64[D]")
    return str(time) if daily else f"{np.datetime_as_string(time, unit='m').replace('T', ' ')} UTC"


def _day(time: np.datetime64) -> dt.date:
    day: dt.date = time.astype("datetime64[D]").item()
    return day
