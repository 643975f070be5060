"""Texts as days and times of the day: one by one for what is wrong, whole columns at once for what is right."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST, LAST = dt.date(1800, 1, 1), dt.date(2200, 12, 31)
Ints = NDArray[np.int64]
Moment = tuple[dt.date, int, int | None]
"""Day, second of the day, and offset from UTC in seconds where one is written."""
WORDS = {"ymd": "year-month-day", "dmy": "day/month/year", "mdy": "month/day/year", "epoch_s": "seconds since 1970",
         "epoch_ms": "milliseconds since 1970"}  # fmt: skip
_EXAMPLE = {"ymd": "2022-12-28", "dmy": "28/12/2022", "mdy": "12/28/2022"}
_DATE = r"(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,4})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
_WHOLE = rf"{_DATE}(?:[T ]{_TIME}\s*(?P<offset>Z|[+-]\d{{2}}:?\d{{2}})?)?"
_PARTS = re.compile(rf"{_WHOLE}\Z", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_EPOCH = re.compile(r"-?\d{1,13}\Z", re.ASCII)
_ORDER = {"ymd": "abc", "dmy": "cba", "mdy": "cab"}


class NoMoment(ValueError):
    """The text at `place` is no time of a market; the message is the second half of a sentence."""

    def __init__(self, place: int, text: str, why: str) -> None:
        self.place, self.text = place, text
        super().__init__(why)


@dataclass(frozen=True)
class Moments:
    """(n,) each: days since 1970, seconds of the day, seconds ahead of UTC and whether any are written."""

    day: Ints
    second: Ints
    offset: Ints
    has_offset: NDArray[np.bool_]


def of(texts: Any, date_format: str) -> Moments:
    """Of a pyarrow array of strings. Raises NoMoment for the first that is none."""
    found, good = (_epochs if date_format.startswith("epoch") else _dates)(texts, date_format)
    for place in np.flatnonzero(~good):
        text = texts[int(place)].as_py()
        try:
            day, second, offset = moment(text, date_format)
        except ValueError as fault:
            raise NoMoment(int(place), text, str(fault)) from fault
        found.day[place], found.second[place] = (day - dt.date(1970, 1, 1)).days, second
        found.offset[place], found.has_offset[place] = offset or 0, offset is not None
    return found


def moment(text: str, date_format: str) -> Moment:
    """One text. Raises ValueError with what would be right, the second half of a sentence."""
    if date_format.startswith("epoch"):
        return _of_epoch(text, date_format)
    if compact := _COMPACT.match(text):
        if date_format != "ymd":
            raise ValueError(f"{WORDS[date_format]} is not how it is written")
        return _sane(_day(*map(int, compact.groups()))), 0, None
    match = _PARTS.match(text)
    if match is None:
        raise ValueError(f"a date such as {_EXAMPLE[date_format]} is right")
    year, month, day_ = match.group(*_ORDER[date_format])
    if len(year) != 4:
        raise ValueError(f"a date such as {_EXAMPLE[date_format]}, with four digits of the year, is right")
    return _sane(_day(int(year), int(month), int(day_))), _second(match), _offset(match.group("offset"))


def _of_epoch(text: str, date_format: str) -> Moment:
    if not _EPOCH.match(text):
        raise ValueError(f"{WORDS[date_format]} are a whole number")
    seconds = int(text) // (1000 if date_format == "epoch_ms" else 1)
    if abs(seconds // 86_400) > 300_000:
        raise ValueError("it is no day of a market")
    return _sane(dt.date(1970, 1, 1) + dt.timedelta(days=seconds // 86_400)), seconds % 86_400, 0


def _day(year: int, month: int, day_: int) -> dt.date:
    try:
        return dt.date(year, month, day_)
    except ValueError as fault:
        raise ValueError("there is no such day") from fault


def _sane(day_: dt.date) -> dt.date:
    if not FIRST <= day_ <= LAST:
        raise ValueError(f"days from {FIRST} to {LAST} are taken")
    return day_


def _second(match: re.Match[str]) -> int:
    hour, minute, second = (int(text or 0) for text in match.group("hour", "minute", "second"))
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


def _epochs(texts: Any, date_format: str) -> tuple[Moments, NDArray[np.bool_]]:
    import pyarrow.compute as pc

    good = _mask(pc.match_substring_regex(texts, r"^-?\d{1,13}$"))
    seconds = _ints(texts, good) // (1000 if date_format == "epoch_ms" else 1)
    day = seconds // 86_400
    return Moments(day, seconds % 86_400, np.zeros_like(day), np.ones(len(day), dtype=np.bool_)), good & _is_sane(day)


def _dates(texts: Any, date_format: str) -> tuple[Moments, NDArray[np.bool_]]:
    """What `_PARTS` takes, a piece at a time; all else, and every fault, is left to `moment`."""
    import pyarrow.compute as pc

    parts = pc.extract_regex(texts, f"^{_WHOLE}$")
    held = _mask(pc.is_valid(parts))
    part = {name: pc.struct_field(parts, name) for name in ("a", "b", "c", "hour", "minute", "second", "offset")}
    number = {name: _ints(part[name], held) for name in ("a", "b", "c", "hour", "minute", "second")}
    year, month, day_ = (number[name] for name in _ORDER[date_format])
    day, exists = _days(year, month, day_)
    digits = np.nan_to_num(pc.utf8_length(part[_ORDER[date_format][0]]).to_numpy(zero_copy_only=False))
    in_day = (number["hour"] <= 23) & (number["minute"] <= 59) & (number["second"] <= 59)
    good = held & (digits == 4) & exists & in_day & _is_sane(day)
    offset, has_offset = _offsets(part["offset"])
    return Moments(day, number["hour"] * 3600 + number["minute"] * 60 + number["second"], offset, has_offset), good


def _days(year: Ints, month: Ints, day_: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Days since 1970, and whether there is such a day."""
    month_of_all = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    first, next_ = (one.astype("datetime64[D]").astype(np.int64) for one in (month_of_all, month_of_all + 1))
    return first + day_ - 1, (year > 0) & (month >= 1) & (month <= 12) & (day_ >= 1) & (day_ <= next_ - first)


def _is_sane(day: Ints) -> NDArray[np.bool_]:
    first, last = ((one - dt.date(1970, 1, 1)).days for one in (FIRST, LAST))
    found: NDArray[np.bool_] = (day >= first) & (day <= last)
    return found


def _offsets(texts: Any) -> tuple[Ints, NDArray[np.bool_]]:
    """A file has few of them."""
    import pyarrow.compute as pc

    coded = pc.fill_null(texts, "").dictionary_encode()
    known = [_offset(text or None) for text in coded.dictionary.to_pylist()]
    place = np.asarray(coded.indices.to_numpy(zero_copy_only=False))
    seconds = np.array([one or 0 for one in known], dtype=np.int64)[place]
    return seconds, np.array([one is not None for one in known], dtype=np.bool_)[place]


def _ints(texts: Any, held: NDArray[np.bool_]) -> Ints:
    """Whole numbers where `held`; 0 elsewhere and for an empty text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    some = pc.and_(pa.array(held), pc.fill_null(pc.not_equal(texts, ""), False))
    return np.asarray(pc.cast(pc.if_else(some, texts, "0"), pa.int64()).to_numpy(zero_copy_only=False)).astype(np.int64)


def _mask(column: Any) -> NDArray[np.bool_]:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
