"""The rows of a result on the bars of a dataset: each row one bar, each bar between the first and last row one row.

Nothing is filled, moved, sorted or dropped: what does not fit is told with its row, its day and what would be right.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.config import ImportConfig
from backtest.foreign.table import ResultRefused, Rows
from backtest.series import Floats
from marketdata.bars import ALWAYS_OPEN, Bars, Days
from marketdata.splits import LEAST_BARS, Range

NO_FRACTION = 0.05
"""Median size of a bar's return from which fractions are percents: 5 % a bar."""
NO_PERCENT = 0.02
"""Median size in percent below which percents are fractions: 0.02 % a bar; of daily bars 0.3 % a year."""
LEAST_EQUITY, MOST_EQUITY = 1e-6, 1e15
"""What an account may be worth, in its own money: beyond, sums over its bars are no numbers any more."""


@dataclass(frozen=True)
class Curve:
    """`equity` (N+1,) at the bars t0..t1 of `span`, in the money of the file, or of `start_cash` for returns."""

    span: Range
    equity: Floats


def curve_of(rows: Rows, config: ImportConfig, bars: Bars, start_cash: float) -> Curve:
    """The equity of the rows, on the bars that they are of. Raises ResultRefused."""
    by_close = _by_close(rows, config, bars)
    when = rows.closes if by_close and rows.closes is not None else rows.days
    kept = _kept(rows, when, config)
    if not len(kept):
        raise ResultRefused(f"The file has no row between {config.start or 'its start'} and {config.end or 'its end'}.")
    at = _bars_of(rows, kept, when[kept], bars, by_close)
    values = rows.values[kept]
    if config.result.holds == "equity":
        _require_positive(rows, kept, values)
        _require_bounded(rows, kept, values, "equity")
        first, equity = int(at[0]), values
    else:
        first = int(at[0]) - 1
        if first < 0:
            raise ResultRefused(
                f"{_at(rows, kept, 0)} holds a return of the data's first bar, which has no bar before it; begin a "
                "row later."
            )
        growth = 1.0 + _fractions(rows, kept, values, config.result.holds)
        with np.errstate(over="ignore"):
            equity = start_cash * np.concatenate(([1.0], np.cumprod(growth)))
        _require_bounded(rows, kept, equity[1:], f"with this return {start_cash:g} has grown to")
    span = Range(first, int(at[-1]))
    if span.n_bars < LEAST_BARS:
        raise ResultRefused(f"The file has {len(kept)} rows to be judged; at least {LEAST_BARS + 1} are needed.")
    return Curve(span, np.ascontiguousarray(equity))


def _kept(rows: Rows, when: Days, config: ImportConfig) -> NDArray[np.intp]:
    """Rows from `start` to `end`, after all of them were found to be in order."""
    wrong = np.flatnonzero(when[1:] <= when[:-1])
    if len(wrong):
        k = int(wrong[0]) + 1
        said = "stands there twice" if when[k] == when[k - 1] else f"comes after {_shown(when[k - 1])}"
        raise ResultRefused(
            f"Column {rows.date}, {rows.place(k)}: {_shown(when[k])} {said}; one row a bar is right, the oldest first."
        )
    inside = np.ones(len(when), dtype=np.bool_)
    if config.start is not None:
        inside &= rows.days >= np.datetime64(config.start, "D")
    if config.end is not None:
        inside &= rows.days <= np.datetime64(config.end, "D")
    return np.flatnonzero(inside)


def _bars_of(rows: Rows, kept: NDArray[np.intp], when: Days, bars: Bars, by_close: bool) -> NDArray[np.intp]:
    """(n,) index of each row's bar."""
    index = bars.known_at if by_close else bars.session
    if when[0] < index[0] or when[-1] > index[-1]:
        k = 0 if when[0] < index[0] else int(np.argmax(when > index[-1]))
        raise ResultRefused(
            f"{_at(rows, kept, k)} is {_shown(when[k])}, outside the data's {_shown(index[0])} to {_shown(index[-1])}; "
            "judge less of it with start and end, or choose data that hold it."
        )
    at = np.searchsorted(index, when)
    strange = np.flatnonzero(index[np.minimum(at, len(index) - 1)] != when)
    if len(strange):
        k = int(strange[0])
        what = "the close of no bar" if by_close else "no session"
        raise ResultRefused(
            f"{_at(rows, kept, k)} is {_shown(when[k])}, {what} of this dataset ({bars.calendar}); {len(strange)} of "
            f"{len(when)} rows are such, and only rows of its bars can be judged beside it."
        )
    gaps = np.flatnonzero(np.diff(at) != 1)
    if len(gaps):
        missing = int(at[-1] - at[0] + 1 - len(at))
        lost = index[at[gaps[0]] + 1]
        raise ResultRefused(
            f"Column {rows.date}: {_shown(lost)} is missing after {rows.place(int(kept[gaps[0]]))}, the first of "
            f"{missing} bars of the dataset that have no row; nothing is filled in, so write one row for each bar."
        )
    return at


def _by_close(rows: Rows, config: ImportConfig, bars: Bars) -> bool:
    """Whether a row's time is the close of its bar. Raises ResultRefused where nothing says what it is."""
    chosen = config.result.times
    if bars.intraday and (rows.closes is None or chosen == "day"):
        raise ResultRefused(
            f"Column {rows.date} must hold the close of each bar in UTC: this dataset has bars of {bars.interval}, and "
            "a day does not name one."
        )
    if chosen == "close" and rows.closes is None:
        raise ResultRefused(f"result.times: column {rows.date} holds days and no times; day is right.")
    if chosen == "auto" and rows.closes is not None and bars.calendar == ALWAYS_OPEN and not bars.intraday:
        raise ResultRefused(
            f"result.times: column {rows.date} holds times, and this calendar's days end at midnight: say day where "
            "they are of the day that begins, or close where they are the end of the bar."
        )
    return bars.intraday or chosen == "close"


def _require_positive(rows: Rows, kept: NDArray[np.intp], values: Floats) -> None:
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        k = int(wrong[0])
        raise ResultRefused(
            f"Column {rows.value}, {rows.place(int(kept[k]))}: equity of {values[k]:g} on {rows.days[kept[k]]}; it "
            "must be above 0, and where the column holds returns or profits say so in result.holds or choose another."
        )


def _require_bounded(rows: Rows, kept: NDArray[np.intp], equity: Floats, what: str) -> None:
    wrong = np.flatnonzero((equity < LEAST_EQUITY) | ~(equity <= MOST_EQUITY))
    if len(wrong):
        k = int(wrong[0])
        raise ResultRefused(
            f"Column {rows.value}, {rows.place(int(kept[k]))}: {what} {equity[k]:g} on {rows.days[kept[k]]}; equity of "
            f"{LEAST_EQUITY:g} to {MOST_EQUITY:g} is right, so write it in another unit or correct the cell."
        )


def _fractions(rows: Rows, kept: NDArray[np.intp], values: Floats, holds: str) -> Floats:
    """Returns as fractions. Raises ResultRefused for a loss of all, and where they look like the other kind."""
    percent = holds == "returns_percent"
    returns = values / 100.0 if percent else values
    moved = np.abs(values[values != 0])
    usual = float(np.median(moved)) if len(moved) else 0.0
    if not percent and usual > NO_FRACTION:
        raise ResultRefused(
            f"Column {rows.value}: the usual return is {usual:g}, which is {usual:.0%} a bar as a fraction; if it "
            "holds percents, say result.holds: returns_percent."
        )
    if percent and 0 < usual < NO_PERCENT:
        raise ResultRefused(
            f"Column {rows.value}: the usual return is {usual:g} %, too little to move anything; if it holds "
            "fractions, say result.holds: returns (a curve that quiet can be written as equity)."
        )
    wrong = np.flatnonzero(returns <= -1.0)
    if len(wrong):
        k = int(wrong[0])
        raise ResultRefused(
            f"Column {rows.value}, {rows.place(int(kept[k]))}: a return of {values[k]:g}{' %' * percent} on "
            f"{rows.days[kept[k]]} loses all there is; returns above {'-100 %' if percent else '-1'} are right."
        )
    found: Floats = returns
    return found


def _at(rows: Rows, kept: NDArray[np.intp], k: int) -> str:
    text = rows.place(int(kept[k]))
    return text[:1].upper() + text[1:]


def _shown(when: np.datetime64) -> str:
    """A day, or a time in UTC."""
    plain = when.astype("datetime64[s]").item()
    if np.datetime_data(when.dtype)[0] == "D" or not isinstance(plain, dt.datetime):
        return str(when.astype("datetime64[D]"))
    return f"{plain:%Y-%m-%d %H:%M} UTC"
