"""Rows of a file laid on the master index: every session of the calendar from the first to the last row.

A session without a row stays as a bar of NaN, so that it is seen as a gap and never silently closed up. A row on a day
without a session cannot be traded and is left out; a second row of a day is left out too. Both are told as findings.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Adjustment, Bars, BarsError, Days, Floats
from marketdata.findings import Finding
from marketdata.sessions import Sessions, sessions_between

Rows = tuple[Days, dict[str, Floats]]
"""Days (n,) datetime64[D] in the order of the file, and a column (n,) of each field."""


def align(
    rows: Mapping[str, Rows], *, calendar: str = "XNYS", adjustment: Adjustment = "raw"
) -> tuple[Bars, list[Finding]]:
    """Bars (T, A) in the order of `rows`, and what did not fit. Raises BarsError when no row falls on a session."""
    findings: list[Finding] = []
    single = {symbol: _without_repeats(symbol, *each, findings) for symbol, each in rows.items()}
    known = _index(calendar, np.concatenate([days for days, _ in single.values()]))
    fields = dict.fromkeys(name for _, columns in single.values() for name in columns)
    arrays = {name: np.full((len(known.session), len(rows)), np.nan) for name in fields}
    for asset, (symbol, (days, columns)) in enumerate(single.items()):
        inside = np.isin(days, known.session)
        findings += _outside(symbol, calendar, days[~inside])
        where = np.searchsorted(known.session, days[inside])
        for name, column in columns.items():
            arrays[name][where, asset] = column[inside]
    bars = Bars(symbols=tuple(rows), session=known.session, known_at=known.close, calendar=calendar,
                adjustment=adjustment, **arrays)  # type: ignore[arg-type]  # fmt: skip
    return bars, findings


def _index(calendar: str, days: Days) -> Sessions:
    """Sessions from the first to the last row that falls on one."""
    if len(days):
        known = sessions_between(calendar, days.min().item(), days.max().item())
        held = np.flatnonzero(np.isin(known.session, days))
        if len(held):
            rows = slice(held[0], held[-1] + 1)
            return Sessions(known.session[rows], known.open[rows], known.close[rows])
    raise BarsError(f"no row of the source falls on a session of {calendar}")


def _without_repeats(symbol: str, days: Days, columns: dict[str, Floats], findings: list[Finding]) -> Rows:
    _, first, place = np.unique(days, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[place] != np.arange(len(days)))
    if len(repeated):
        findings.append(_duplicate(symbol, days, columns, repeated, first[place][repeated]))
    return days[first], {name: column[first] for name, column in columns.items()}


def _duplicate(
    symbol: str, days: Days, columns: dict[str, Floats], repeated: NDArray[np.intp], originals: NDArray[np.intp]
) -> Finding:
    """Red when a repeated row says something else than the first: which one is true is not ours to guess."""
    differs = np.zeros(len(repeated), dtype=np.bool_)
    for column in columns.values():
        one, other = column[repeated], column[originals]
        differs |= (one != other) & ~(np.isnan(one) & np.isnan(other))
    row = repeated[int(np.argmax(differs))]
    told = "other values" if differs.any() else "the same values"
    sentence = f"{symbol} has {len(repeated)} repeated rows; that of {days[row]} has {told}, and the first was taken."
    return Finding("red" if differs.any() else "amber", "duplicate", symbol, days[row].item(), sentence)


def _outside(symbol: str, calendar: str, days: Days) -> list[Finding]:
    if not len(days):
        return []
    sentence = f"{symbol} has {len(days)} rows on days without a session of {calendar}, {days[0]} first; left out."
    return [Finding("amber", "no_session", symbol, days[0].item(), sentence)]
