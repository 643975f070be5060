"""Sessions of a calendar, when they open and close, and the bars that an interval cuts them into.

`XNYS` is the New York Stock Exchange with its early closes and daylight saving, out of `exchange_calendars`, which is
imported here only, when first asked. `24/7` never closes: its sessions are days in UTC.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from marketdata.bars import ALWAYS_OPEN, DAILY, INTERVAL_SECONDS, Days

CALENDARS = ("XNYS", ALWAYS_OPEN)
ZONES = {"XNYS": "America/New_York", ALWAYS_OPEN: "UTC"}
"""Where it is the day by which a calendar calls its sessions."""


@dataclass(frozen=True)
class Sessions:
    """`session` (T,) datetime64[D]; `open` and `close` (T,) datetime64[ns], trading in UTC, early closes too."""

    session: Days
    open: Days
    close: Days


@dataclass(frozen=True)
class Grid:
    """Every bar of a calendar: `session` (T,) datetime64[D], `start` and `known_at` (T,) datetime64[ns], UTC.

    `known_at` is the close of the bar. A session's last bar ends with the session, so it may be a short one.
    """

    session: Days
    start: Days
    known_at: Days

    @property
    def n_bars(self) -> int:
        return len(self.session)


def sessions_between(calendar: str, start: dt.date, end: dt.date) -> Sessions:
    """Sessions of `calendar` from `start` to `end`, both inside; maybe none.

    Raises ValueError for an unknown calendar or reversed dates.
    """
    if calendar not in CALENDARS:
        raise ValueError(f"calendar must be one of {', '.join(CALENDARS)}, not {calendar}")
    if start > end:
        raise ValueError(f"start {start} must not lie after end {end}")
    if calendar == ALWAYS_OPEN:
        days = np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + 1)
        return Sessions(days, days.astype("datetime64[ns]"), (days + 1).astype("datetime64[ns]"))
    import exchange_calendars

    # Without a start and end the library covers 20 years back from today only; it also refuses a span without sessions.
    margin = dt.timedelta(days=14)
    known = exchange_calendars.get_calendar(calendar, start=str(start - margin), end=str(end + margin))
    session = known.sessions.to_numpy().astype("datetime64[D]")
    opens, closes = (
        times.dt.tz_localize(None).to_numpy().astype("datetime64[ns]") for times in (known.opens, known.closes)
    )
    inside = (session >= np.datetime64(start)) & (session <= np.datetime64(end))
    return Sessions(session[inside], opens[inside], closes[inside])


def grid(calendar: str, interval: str, start: dt.date, end: dt.date) -> Grid:
    """Every bar of `interval` in the sessions from `start` to `end`, both inside; maybe none.

    Raises ValueError for an unknown calendar or interval, or reversed dates.
    """
    if interval not in INTERVAL_SECONDS:
        raise ValueError(f"interval must be one of {', '.join(INTERVAL_SECONDS)}, not {interval}")
    known = sessions_between(calendar, start, end)
    if interval == DAILY:
        return Grid(known.session, known.open, known.close)
    step = np.timedelta64(INTERVAL_SECONDS[interval], "s").astype("timedelta64[ns]")
    counts = -((known.open - known.close) // step)  # rounded up: the last bar may be a short one
    of_session = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(of_session)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = known.open[of_session] + place * step
    return Grid(known.session[of_session], starts, np.minimum(starts + step, known.close[of_session]))


def days_of(calendar: str, starts: Days) -> Days:
    """(n,) datetime64[D]: the day on which each bar of these starts (UTC) began, where the exchange stands.

    That of the session for bars inside it, and the same day for those before its open and after its close.
    """
    import pandas as pd

    local = pd.DatetimeIndex(starts.astype("datetime64[s]"), tz="UTC").tz_convert(ZONES[calendar])
    days: Days = local.tz_localize(None).to_numpy().astype("datetime64[D]")
    return days


def scheduled_days(calendar: str, start: dt.date, end: dt.date) -> Days:
    """(n,) days on which trading was to be expected from `start` to `end`, as could be known before: the sessions, and
    the days on which the exchange stayed closed without it standing in the yearly calendar (11 September 2001, storms).
    """
    sessions = sessions_between(calendar, start, end).session
    if calendar == ALWAYS_OPEN:
        return sessions
    import exchange_calendars

    closed = exchange_calendars.get_calendar(calendar).adhoc_holidays
    days = np.array([str(day)[:10] for day in closed], dtype="datetime64[D]")
    return np.union1d(sessions, days[(days >= np.datetime64(start)) & (days <= np.datetime64(end))])
