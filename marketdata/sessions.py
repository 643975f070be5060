"""Sessions of an exchange and when they close. `exchange_calendars` is imported here only, when first asked."""

import datetime as dt
from dataclasses import dataclass

import numpy as np

from marketdata.bars import Days

CALENDARS = ("XNYS",)


@dataclass(frozen=True)
class Sessions:
    """`session` (T,) datetime64[D] and `close` (T,) datetime64[ns], the end of trading in UTC, early closes too."""

    session: Days
    close: Days


def sessions_between(calendar: str, start: dt.date, end: dt.date) -> Sessions:
    """Sessions of `calendar` from `start` to `end`, both inside; maybe none.

    Raises ValueError for an unknown calendar or reversed dates.
    """
    if calendar not in CALENDARS:
        raise ValueError(f"calendar must be one of {', '.join(CALENDARS)}, not {calendar}")
    if start > end:
        raise ValueError(f"start {start} must not lie after end {end}")
    import exchange_calendars

    # Without a start and end the library covers 20 years back from today only; it also refuses a span without sessions.
    margin = dt.timedelta(days=14)
    known = exchange_calendars.get_calendar(calendar, start=str(start - margin), end=str(end + margin))
    session = known.sessions.to_numpy().astype("datetime64[D]")
    close = known.closes.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    inside = (session >= np.datetime64(start)) & (session <= np.datetime64(end))
    return Sessions(session=session[inside], close=close[inside])
