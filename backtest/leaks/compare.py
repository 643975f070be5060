"""The first difference between a run on the true bars and one on altered bars; None where there is none.

Equal means equal to the bit; NaN equals NaN. The one exception are numbers that were fitted by linear algebra, perhaps
on another machine (`ROUNDING`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.leaks.probes import Numbers, Statistic, Table
from backtest.leaks.trace import COLUMNS, Book, Trace
from marketdata.bars import Bars
from simulator.ledger import Orders

ROUNDING = 1e-9
"""What a fit of other rounding may move what is seen by it. Measured of the beliefs in regimes: 3e-13 between the
kernels of four kinds of CPU, one thread and two; 4e-4 and more when the fit knows one bar more."""

_ORDERS = tuple(Orders.__dataclass_fields__)


@dataclass(frozen=True)
class Difference:
    """What differs, where and when, as a clause; what follows from it is for whoever compared to say."""

    clause: str

    def sentence(self, conclusion: str = "") -> str:
        return f"{self.clause}; {conclusion}." if conclusion else f"{self.clause}."


def when(bars: Bars, t: int) -> str:
    """A bar for a person: its day, and its closing time where a day has several."""
    return f"{bars.known_at[t].astype('datetime64[m]')}Z" if bars.intraday else str(bars.session[t])


def same(a: Any, b: Any) -> NDArray[np.bool_]:
    """Element by element."""
    found: NDArray[np.bool_] = (a == b) | (np.not_equal(a, a) & np.not_equal(b, b))
    return found


def tables(name: str, true: Table, other: Table, bars: Bars, cut: int, how: str) -> Difference | None:
    """Of the rows up to the cut, which must not change."""
    if true.names != other.names:
        return Difference(f"{name}: its columns are others when {how}")
    wrong = ~same(true.values[: cut + 1], other.values[: cut + 1])
    if not wrong.any():
        return None
    place = tuple(np.argwhere(wrong)[0])
    symbol = f" of {bars.symbols[place[1]]}" if wrong.ndim == 3 else ""
    before, after = true.values[place], other.values[place]
    return Difference(
        f"{name}: {true.names[place[-1]]}{symbol} on {when(bars, int(place[0]))} is {_number(before)}, "
        f"and {_number(after)} when {how}"
    )


def known_at(name: str, table: Table, bars: Bars) -> Difference | None:
    """Of the rows of a table against the closes at which they are used."""
    late = np.flatnonzero(table.known_at > bars.known_at[: len(table.known_at)])
    if not len(late):
        return None
    t = int(late[0])
    known = table.known_at[t].astype("datetime64[m]")
    return Difference(
        f"{name}: the row of {when(bars, t)} was known at {known}Z only, after the close at which it is used"
    )


def refitted(found: Statistic) -> Difference | None:
    """Of numbers that were fitted, against the same fit on the training bars alone."""
    if found.refitted is None or (found.apart is not None and found.apart <= ROUNDING):
        return None
    return _fit(found, found.refitted, "fitted on the training bars alone")


def statistics(true: Statistic, other: Statistic, how: str) -> Difference | None:
    """Of numbers that were fitted on bars before the cut."""
    return _fit(true, other.used, f"when {how}")


def _fit(found: Statistic, other: NDArray[np.float64], how: str) -> Difference | None:
    if found.used.shape != other.shape:
        return Difference(f"{found.name}: it has {found.used.size} numbers, and {other.size} {how}")
    wrong = np.flatnonzero(~same(found.used, other))
    if not len(wrong):
        return None
    at = _first_beyond_rounding(found.used[wrong], other[wrong], wrong)
    return Difference(f"{found.name}: {found.labels[at]} is {_number(found.used[at])}, and {_number(other[at])} {how}")


def _first_beyond_rounding(used: NDArray[np.float64], other: NDArray[np.float64], places: NDArray[np.intp]) -> int:
    """Of the places that differ the first that shows in nine digits, else the first."""
    plain = ~np.isclose(used, other, rtol=ROUNDING, atol=0.0, equal_nan=True)
    return int(places[plain.argmax()])


def observations(true: Trace, other: Trace, bars: Bars, cut: int, how: str) -> Difference | None:
    for t in sorted(t for t in true.observed if t <= cut):
        part = _part(true.observed[t], other.observed.get(t, {}))
        if part:
            return Difference(f"observation: {part} on {when(bars, t)} is another one when {how}")
    return None


def _part(true: Mapping[str, Numbers], other: Mapping[str, Numbers]) -> str:
    for name, value in true.items():
        found = other.get(name)
        if found is None or found.shape != value.shape or not same(value, found).all():
            return name
    return ""


def decisions(true: Trace, other: Trace, bars: Bars, cut: int, how: str) -> Difference | None:
    for t in sorted(t for t in true.decided.keys() | other.decided.keys() if t <= cut):
        before, after = true.decided.get(t), other.decided.get(t)
        if before is None and after is None:
            continue
        if before is None or after is None:
            said = "is made" if after is None else "is not made"
            return Difference(f"decision: the one of {when(bars, t)} {said}, and the reverse when {how}")
        wrong = np.flatnonzero(~same(before, after)) if before.shape == after.shape else np.array([0])
        if len(wrong):
            at = int(wrong[0])
            named = bars.symbols[at] if len(before) == bars.n_assets else f"action {at}"
            return Difference(
                f"decision: {named} on {when(bars, t)} is {_number(before[at])}, and {_number(after[at])} when {how}"
            )
    return None


def books(true: Book, other: Book, bars: Bars, cut: int, how: str) -> Difference | None:
    """Of money and shares at every close up to the cut, and of every fill by then."""
    rows = cut - true.t0 + 1
    for name in COLUMNS:
        wrong = ~same(true.columns[name][:rows], other.columns[name][:rows])
        if wrong.any():
            t = true.t0 + int(np.argwhere(wrong)[0][0])
            return Difference(f"book: {name.replace('_', ' ')} at the close of {when(bars, t)} changes when {how}")
    return _fills(true.orders, other.orders, bars, cut, how)


def _fills(true: Orders, other: Orders, bars: Bars, cut: int, how: str) -> Difference | None:
    mine, theirs = (np.flatnonzero((orders.filled >= 0) & (orders.filled <= cut)) for orders in (true, other))
    if len(mine) != len(theirs):
        return Difference(f"book: {len(mine)} orders are filled by {when(bars, cut)}, and {len(theirs)} when {how}")
    for name in _ORDERS:
        wrong = np.flatnonzero(~same(getattr(true, name)[mine], getattr(other, name)[theirs]))
        if len(wrong):
            row = mine[wrong[0]]
            symbol, t = bars.symbols[true.asset[row]], int(true.filled[row])
            return Difference(
                f"book: {name.replace('_', ' ')} of the fill of {symbol} on {when(bars, t)} changes when {how}"
            )
    return None


def _number(value: Any) -> str:
    return f"{float(value):.9g}"
