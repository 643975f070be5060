"""A column of days or times as arrays; what is no time of a market is told with its place. Runs in the child only."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Days
from marketdata.files import moments
from marketdata.files.cells import Place, coded
from marketdata.files.limits import FileRefused
from marketdata.files.moments import Ints, Moments

DAY_S = 86_400
_EPOCH = dt.datetime(1970, 1, 1)


def days(column: Any, date_format: str, row: Place) -> Days:
    """(n,) datetime64[D], the day as it is written, whatever its offset. Raises FileRefused naming the row."""
    if _is_typed(column):
        return _typed(column, row, local=True).astype("datetime64[D]")
    found, rows = _written(column, date_format, row)
    return found.day.astype("datetime64[D]")[rows]


def instants(column: Any, date_format: str, zone: str, row: Place) -> Days:
    """(n,) datetime64[ns] in UTC; times without an offset are of `zone`."""
    import pyarrow as pa

    if pa.types.is_date(column.type):
        raise FileRefused("The date column holds days; bars shorter than a day need times.", "columns.date")
    if _is_typed(column):
        found = _typed(column, row, local=False)
        if column.type.tz is not None or zone == "UTC":
            return found
        whole = found.astype("datetime64[s]")  # what stands below a second is kept
        moved: Days = in_utc(whole.astype("int64"), zone).astype("datetime64[s]").astype("datetime64[ns]")
        exact: Days = moved + (found - whole)
        return exact
    written, rows = _written(column, date_format, row)
    naive = written.day * DAY_S + written.second
    seconds = np.where(written.has_offset, naive - written.offset, 0)
    local = ~written.has_offset
    seconds[local] = in_utc(naive[local], zone)
    return seconds.astype("datetime64[s]").astype("datetime64[ns]")[rows]


def in_utc(naive: Ints, zone: str) -> Ints:
    """(n,) seconds since 1970 of wall-clock times of `zone`, as if they were UTC; of two the earlier.

    A zone is asked once a day, and once a time on the few days on which its clocks are put forward or back.
    """
    if zone == "UTC":
        return naive
    midnights, place = np.unique(naive // DAY_S * DAY_S, return_inverse=True)
    at_start = np.array([_ahead(int(one), zone) for one in midnights], dtype=np.int64)
    at_end = np.array([_ahead(int(one) + DAY_S, zone) for one in midnights], dtype=np.int64)
    found = naive - at_start[place]
    changing = np.flatnonzero((at_start != at_end)[place])
    found[changing] = [int(one) - _ahead(int(one), zone) for one in naive[changing]]
    return found


def _ahead(naive: int, zone: str) -> int:
    """Seconds by which the clocks of the zone are ahead of UTC."""
    when = _EPOCH + dt.timedelta(seconds=naive)
    return naive - int(when.replace(tzinfo=ZoneInfo(zone)).timestamp())


def _is_typed(column: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_date(column.type) or pa.types.is_timestamp(column.type))


def _typed(column: Any, row: Place, *, local: bool) -> Days:
    """datetime64[ns] of a column of timestamps, datetime64[D] of days. Seconds come first: 9999 is none in ns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count:
        first = int(np.flatnonzero(pc.is_null(column).to_numpy(zero_copy_only=False))[0])
        raise FileRefused(f"The date is empty in {row(first)}.", "columns.date")
    timed = pa.types.is_timestamp(column.type)
    if local and timed and column.type.tz is not None:
        column = pc.local_timestamp(column)
    seconds = _numpy(pc.cast(column, pa.timestamp("s"), safe=False)).astype("datetime64[s]")
    years = seconds.astype("datetime64[Y]").astype(int) + 1970
    outside = np.flatnonzero((years < moments.FIRST.year) | (years > moments.LAST.year))
    if len(outside):
        day = seconds[outside[0]].astype("datetime64[D]")
        said = (
            f"The date in {row(int(outside[0]))} is {day}, and days from {moments.FIRST} to {moments.LAST} are taken."
        )
        raise FileRefused(said, "columns.date")
    if not timed:
        return seconds.astype("datetime64[D]")
    return _numpy(pc.cast(column, pa.timestamp("ns"), safe=False)).astype("datetime64[ns]")


def _numpy(column: Any) -> NDArray[Any]:
    return np.asarray(column.to_numpy(zero_copy_only=False) if hasattr(column, "type") else column)


def _written(column: Any, date_format: str, row: Place) -> tuple[Moments, NDArray[np.intp]]:
    """The distinct times of a column of text or whole numbers, and for each row which."""
    texts, rows = coded(column, "date")
    try:
        return moments.of(texts, date_format), rows
    except moments.NoMoment as fault:
        first = int(np.argmax(rows == fault.place))
        said = f'"{fault.text[:40]}"' if fault.text else "empty"
        sentence = f"The date in {row(first)} is {said}, and {fault}."
        raise FileRefused(sentence, "columns.date" if not fault.text else "columns.date_format") from fault
