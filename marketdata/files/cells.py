"""Cells as numbers and times, whole columns at once; what is neither is told with its place."""

import datetime as dt
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Days, Floats
from marketdata.files.column_map import DECIMALS, THOUSANDS
from marketdata.files.limits import FileRefused

Place = Callable[[int], str]
"""Index of a row → where it stands, such as `AAPL on 2020-01-02 (row 5 of prices.csv)`."""

MISSING = ("", "nan", "na", "n/a", "null", "none", "-", "#n/a", "nat")
SECOND_NS = 1_000_000_000
_FIRST, _LAST = dt.date(1800, 1, 1), dt.date(2200, 12, 31)


def numbers(column: Any, *, decimal: str, thousands: str, field: str, place: Place) -> Floats:
    """(n,) float64, NaN where the cell is empty. Raises FileRefused for a cell that is no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(pc.cast(column, pa.float64(), safe=False))
    if not pa.types.is_string(kind):
        raise FileRefused(f"The column of {field} holds {kind}; numbers are right.", f"columns.{field}")
    text = pc.utf8_trim_whitespace(column)
    empty = pc.fill_null(pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING)), True)
    point, group = DECIMALS[decimal], THOUSANDS[thousands]
    good = pc.fill_null(pc.match_substring_regex(text, _number_pattern(point, group)), False)
    wrong = np.flatnonzero(~(_bools(good) | _bools(empty)))
    if len(wrong):
        row = int(wrong[0])
        said = text[row].as_py()[:40]
        sentence = f'{place(row)} has a {field} of "{said}", which is no number with a decimal {decimal}.'
        raise FileRefused(sentence, f"columns.{field}")
    if group:
        text = pc.replace_substring(text, group, "")
    if point != ".":
        text = pc.replace_substring(text, point, ".")
    return _floats(pc.cast(pc.if_else(empty, pa.scalar(None, pa.string()), text), pa.float64()))


@cache
def _number_pattern(point: str, group: str) -> str:
    whole = rf"(\d+|\d{{1,3}}({re.escape(group)}\d{{3}})+)" if group else r"\d+"
    mark = re.escape(point)
    return rf"^[+-]?({whole}({mark}\d*)?|{mark}\d+)([eE][+-]?\d{{1,3}})?$"


def _floats(column: Any) -> Floats:
    found: Floats = np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    return found


def _bools(column: Any) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return found


def texts(column: Any, field: str) -> tuple[list[str], NDArray[np.intp]]:
    """Distinct texts in the order of their first row, and for each row which. Empty cells are empty texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        raise FileRefused(f"The column of {field} holds {column.type}; text is right.", f"columns.{field}")
    text = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    coded = text.combine_chunks().dictionary_encode() if hasattr(text, "combine_chunks") else text.dictionary_encode()
    return coded.dictionary.to_pylist(), np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.intp)


def days(column: Any, date_format: str, row: Place) -> Days:
    """(n,) datetime64[D], the day as it is written, whatever its offset. Raises FileRefused naming the row."""
    import pyarrow as pa

    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return _typed(column, row, local=True).astype("datetime64[D]")
    moments, rows = _moments(column, date_format, row)
    found = np.array([moment[0] for moment in moments], dtype="datetime64[D]")[rows]
    return found


def instants(column: Any, date_format: str, zone: str, row: Place) -> Days:
    """(n,) datetime64[ns] in UTC; times without an offset are of `zone`."""
    import pyarrow as pa

    if pa.types.is_date(column.type):
        raise FileRefused("The date column holds days; bars shorter than a day need times.", "columns.date")
    if pa.types.is_timestamp(column.type):
        found = _typed(column, row, local=False)
        if column.type.tz is not None or zone == "UTC":
            return found
        naive, rows = np.unique(found, return_inverse=True)
        seconds = naive.astype("datetime64[s]").astype("int64")
        utc = [_utc_seconds(dt.datetime(1970, 1, 1) + dt.timedelta(seconds=int(one)), zone) for one in seconds]
        return np.array(utc, dtype="datetime64[s]").astype("datetime64[ns]")[rows]
    moments, rows = _moments(column, date_format, row)
    seconds_utc = [_instant(day, second, offset, zone) for day, second, offset in moments]
    return np.array(seconds_utc, dtype="int64").astype("datetime64[s]").astype("datetime64[ns]")[rows]


Moment = tuple[dt.date, int, int | None]
"""Day, second of the day, and offset from UTC in seconds where one is written."""


def _instant(day: dt.date, second: int, offset: int | None, zone: str) -> int:
    naive = dt.datetime(day.year, day.month, day.day) + dt.timedelta(seconds=second)
    if offset is not None:
        return int((naive - dt.datetime(1970, 1, 1)).total_seconds()) - offset
    return _utc_seconds(naive, zone)


def _utc_seconds(naive: dt.datetime, zone: str) -> int:
    return int(naive.replace(tzinfo=ZoneInfo(zone)).timestamp())


def _typed(column: Any, row: Place, *, local: bool) -> Days:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count:
        first = int(np.flatnonzero(_bools(pc.is_null(column)))[0])
        raise FileRefused(f"The date is empty in {row(first)}.", "columns.date")
    if local and pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    unit = "datetime64[D]" if pa.types.is_date(column.type) else "datetime64[ns]"
    found = np.asarray(column.cast(pa.timestamp("s" if unit.endswith("[D]") else "ns")).to_numpy()).astype(unit)
    years = found.astype("datetime64[Y]").astype(int) + 1970
    outside = np.flatnonzero((years < _FIRST.year) | (years > _LAST.year))
    if len(outside):
        raise FileRefused(
            f"The date {found[outside[0]]} in {row(int(outside[0]))} is no day of a market.", "columns.date"
        )
    return found


def _moments(column: Any, date_format: str, row: Place) -> tuple[list[Moment], NDArray[np.intp]]:
    found, rows = texts(column, "date")
    moments: list[Moment] = []
    for place, text in enumerate(found):
        try:
            moments.append(moment(text, date_format))
        except ValueError as fault:
            first = int(np.argmax(rows == place))
            said = f'"{text[:40]}"' if text else "empty"
            sentence = f"The date in {row(first)} is {said}, and {fault}."
            raise FileRefused(sentence, "columns.date" if not text else "columns.date_format") from fault
    return moments, rows


_PARTS = re.compile(
    r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\Z",
    re.ASCII,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_EPOCH = re.compile(r"-?\d{1,13}\Z", re.ASCII)
WORDS = {"ymd": "year-month-day", "dmy": "day/month/year", "mdy": "month/day/year", "epoch_s": "seconds since 1970",
         "epoch_ms": "milliseconds since 1970"}  # fmt: skip


def moment(text: str, date_format: str) -> Moment:
    """Raises ValueError with what would be right, the second half of a sentence."""
    if date_format.startswith("epoch"):
        if not _EPOCH.match(text):
            raise ValueError(f"{WORDS[date_format]} are a whole number")
        seconds = int(text) // (1000 if date_format == "epoch_ms" else 1)
        day = dt.date(1970, 1, 1) + dt.timedelta(days=_within(seconds // 86_400))
        return _sane(day), seconds % 86_400, 0
    if compact := _COMPACT.match(text):
        if date_format != "ymd":
            raise ValueError(f"{WORDS[date_format]} is not how it is written")
        return _sane(_day(*map(int, compact.groups()))), 0, None
    match = _PARTS.match(text)
    if match is None:
        raise ValueError(f"a date such as {_EXAMPLE[date_format]} is right")
    first, second, third = match.group(1, 2, 3)
    year, month, day_ = {"ymd": (first, second, third), "dmy": (third, second, first), "mdy": (third, first, second)}[
        date_format
    ]
    if len(year) != 4:
        raise ValueError(f"a date such as {_EXAMPLE[date_format]}, with four digits of the year, is right")
    return _sane(_day(int(year), int(month), int(day_))), _second(match), _offset(match.group(7))


_EXAMPLE = {"ymd": "2022-12-28", "dmy": "28/12/2022", "mdy": "12/28/2022"}


def _within(days_: int) -> int:
    if abs(days_) > 300_000:
        raise ValueError("it is no day of a market")
    return days_


def _day(year: int, month: int, day_: int) -> dt.date:
    try:
        return dt.date(year, month, day_)
    except ValueError as fault:
        raise ValueError("there is no such day") from fault


def _sane(day_: dt.date) -> dt.date:
    if not _FIRST <= day_ <= _LAST:
        raise ValueError(f"days from {_FIRST} to {_LAST} are taken")
    return day_


def _second(match: re.Match[str]) -> int:
    hour, minute, second = (int(text or 0) for text in match.group(4, 5, 6))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("there is no such time of day")
    return hour * 3600 + minute * 60 + second


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    sign = -1 if text[0] == "-" else 1
    return sign * (int(text[1:3]) * 3600 + int(text[-2:]) * 60)
