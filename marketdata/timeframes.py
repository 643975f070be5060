"""Longer bars made of a symbol's own: a quarter or a whole hour, a session, a week, a month.

Weeks begin on Monday, months on the 1st, both cut by session; hours and quarters of an hour begin at the session's
open, and its last one ends with the session. A period is complete at the close of its last bar, and that a bar is the
last is known from the calendar alone: from the days and closing times on which trading was to be expected, never from
the bars that follow. Where the exchange stayed shut against its calendar, or a symbol has no bar at the period's end,
the period is complete with the first bar of the next one.
"""

import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import ALWAYS_OPEN, BARS_A_DAY, DAILY, INTERVAL_SECONDS, Bars, Days, Floats
from marketdata.sessions import Sessions, scheduled_days, sessions_between

TIMEFRAMES = ("15m", "1h", "1d", "1w", "1mo")
_ORDER = ("1m", *TIMEFRAMES)
_SESSIONS = {("1w", "XNYS"): 5, ("1mo", "XNYS"): 23, ("1w", ALWAYS_OPEN): 7, ("1mo", ALWAYS_OPEN): 31}
"""The most sessions of a week and a month; XNYS also met on Saturdays until May 1952, which this leaves out."""

AGGREGATED = {
    "open": "first", "high": "max", "low": "min", "close": "last", "market": "last", "volume": "sum", "dividend": "sum",
}  # fmt: skip
"""How a column of bars becomes one of a period; `vwap` is weighted by volume."""


class TimeframeError(ValueError):
    """No period of that name can be made of these bars; the message is one sentence."""


@dataclass(frozen=True, eq=False)
class Periods:
    """Of each bar (T,): `key` of its period, never decreasing; whether it is the `last` that the calendar expects."""

    key: NDArray[np.int64]
    last: NDArray[np.bool_]


def bars_in(timeframe: str, interval: str, calendar: str) -> int:
    """The most bars of `interval` that one period holds. Raises TimeframeError where it is not longer than a bar."""
    if _ORDER.index(timeframe) <= _ORDER.index(interval):
        raise TimeframeError(f"@{timeframe} needs bars shorter than {timeframe}; these are bars of {interval}")
    if timeframe in ("15m", "1h"):
        return INTERVAL_SECONDS[timeframe] // INTERVAL_SECONDS[interval]
    a_day = BARS_A_DAY[interval] if calendar != ALWAYS_OPEN else INTERVAL_SECONDS[DAILY] // INTERVAL_SECONDS[interval]
    return a_day * _SESSIONS.get((timeframe, calendar), 1)


def periods(bars: Bars, timeframe: str) -> Periods:
    """The period of each bar. Raises TimeframeError where it is not longer than a bar."""
    bars_in(timeframe, bars.interval, bars.calendar)
    if timeframe in INTERVAL_SECONDS and timeframe != DAILY:
        return _within_session(bars, np.timedelta64(INTERVAL_SECONDS[timeframe], "s").astype("timedelta64[ns]"))
    key, ends_session = _label(bars.session, timeframe), _ends_session(bars)
    if timeframe == DAILY:
        return Periods(key, ends_session)
    next_day = _next_scheduled(bars)
    return Periods(key, ends_session & (_label(next_day, timeframe) != key) & ~np.isnat(next_day))


def aggregated(columns: dict[str, Floats], starts: NDArray[np.int64]) -> dict[str, Floats]:
    """Columns (n,) of bars as columns (p,) of the periods that begin at `starts` (p,)."""
    size = len(next(iter(columns.values())))
    ends = np.append(starts[1:], size) - 1
    reduce: dict[str, Callable[[Floats], Floats]] = {
        "first": lambda column: column[starts], "last": lambda column: column[ends],
        "max": lambda column: np.maximum.reduceat(column, starts),
        "min": lambda column: np.minimum.reduceat(column, starts),
        "sum": lambda column: np.add.reduceat(column, starts),
    }  # fmt: skip
    out = {name: reduce[AGGREGATED[name]](column) for name, column in columns.items() if name != "vwap"}
    if "vwap" in columns:
        volume = columns["volume"]
        traded, money = (np.add.reduceat(each, starts) for each in (volume, volume * columns["vwap"]))
        plain = np.add.reduceat(columns["vwap"], starts) / (ends - starts + 1)
        out["vwap"] = np.where(traded > 0, money / np.where(traded > 0, traded, 1.0), plain)
    return out


def _label(days: Days, timeframe: str) -> NDArray[np.int64]:
    """A number that days of one period share; 1970-01-01 was a Thursday."""
    if timeframe == "1mo":
        return days.astype("datetime64[M]").astype(np.int64)
    number = days.astype("datetime64[D]").astype(np.int64)
    return (number + 3) // 7 if timeframe == "1w" else number


@functools.lru_cache(maxsize=8)
def _years(calendar: str, first: int, last: int) -> tuple[Sessions, Days]:
    """Sessions and scheduled days of whole years: what the calendar gives takes it a second to make."""
    start, end = dt.date(first, 1, 1), dt.date(last, 12, 31)
    return sessions_between(calendar, start, end), scheduled_days(calendar, start, end)


def _calendar_of(bars: Bars) -> tuple[Sessions, Days]:
    """Sessions and scheduled days of the bars' years, and of the one after them."""
    first, last = (int(day.astype("datetime64[Y]").astype(np.int64)) + 1970 for day in bars.session[[0, -1]])
    return _years(bars.calendar, first, last + 1)


def _next_scheduled(bars: Bars) -> Days:
    """(T,) the next day after each bar's session on which trading was to be expected."""
    days = _calendar_of(bars)[1]
    after = np.searchsorted(days, bars.session, side="right")
    return np.append(days, np.datetime64("NaT"))[after]


def _trading_hours(bars: Bars) -> tuple[Days, Days]:
    """(T,) open and close of each bar's session in UTC, NaT where the calendar has no such session."""
    known = _calendar_of(bars)[0]
    place = np.searchsorted(known.session, bars.session)
    found = np.append(known.session, np.datetime64("NaT"))[place] == bars.session
    opens, closes = (np.append(each, np.datetime64("NaT"))[place] for each in (known.open, known.close))
    nothing = np.datetime64("NaT", "ns")
    return np.where(found, opens, nothing), np.where(found, closes, nothing)


def _ends_session(bars: Bars) -> NDArray[np.bool_]:
    if not bars.intraday:
        return np.ones(bars.n_bars, dtype=np.bool_)
    ends: NDArray[np.bool_] = bars.known_at >= _trading_hours(bars)[1]  # False where there is no such session
    return ends


def _within_session(bars: Bars, span: np.timedelta64) -> Periods:
    opens, closes = _trading_hours(bars)
    known = ~np.isnat(opens)
    since = np.where(known, bars.known_at - np.timedelta64(1, "ns") - opens, np.timedelta64(0, "ns"))
    place = since // span
    last = bars.known_at >= np.minimum(opens + (place + 1) * span, closes)
    key = _label(bars.session, DAILY) * 100 + np.clip(place.astype(np.int64), 0, 99)
    return Periods(key, last & known)
