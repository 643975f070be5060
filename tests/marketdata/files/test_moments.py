"""Whole columns of times are read as each one alone would be."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from marketdata.files import moments, times

DAYS = ["2020-03-04", "2020/3/4", "20200304", "04/03/2020", "4.3.2020", "2020-02-29", "2200-12-31", "1800-01-01"]
TAILS = ["", " 09:30", "T16:00:59", " 9:05:01.123", "T00:00Z", " 23:59 -05:00", "T10:00+0530"]
WRONG = ["", "soon", "2019-02-29", "2020-13-01", "2020-00-10", "2020-01-32", "0000-01-01", "1799-12-31", "2201-01-01",
         "03/04/20", "2020-01-01 24:00", "2020-01-01 10:60", "2020-01-01x", "9" * 13, "12.5", "-1", "0"]  # fmt: skip


def alone(text: str, order: str) -> tuple[int, int, int, bool] | str:
    try:
        day, second, offset = moments.moment(text, order)
    except ValueError as fault:
        return str(fault)
    return (day - dt.date(1970, 1, 1)).days, second, offset or 0, offset is not None


@pytest.mark.parametrize("order", ["ymd", "dmy", "mdy", "epoch_s", "epoch_ms"])
def test_a_column_says_what_each_text_alone_says(order: str) -> None:
    texts = [day + tail for day, tail in itertools.product(DAYS, TAILS)] + WRONG + ["1583280000", "1583280000123"]
    good = [text for text in texts if not isinstance(alone(text, order), str)]
    found = moments.of(pa.array(good, pa.string()), order)
    told = zip(found.day, found.second, found.offset, found.has_offset, strict=True)
    assert [tuple(map(int, one)) for one in told] == [tuple(map(int, alone(text, order))) for text in good]
    for text in set(texts) - set(good):
        with pytest.raises(moments.NoMoment) as fault:
            moments.of(pa.array([*good, text, "nothing"]), order)
        assert (fault.value.place, str(fault.value)) == (len(good), alone(text, order))


@pytest.mark.parametrize("zone", ["America/New_York", "America/St_Johns", "Australia/Lord_Howe", "UTC", "Asia/Tokyo"])
def test_wall_clocks_in_utc_are_those_of_zoneinfo(zone: str) -> None:
    first = int(dt.datetime(2019, 12, 31, tzinfo=dt.UTC).timestamp())
    naive = np.arange(first, first + 400 * 86_400, 1_740)
    told = [(dt.datetime(1970, 1, 1) + dt.timedelta(seconds=int(one))).replace(tzinfo=ZoneInfo(zone)) for one in naive]
    assert times.in_utc(naive, zone).tolist() == [int(one.timestamp()) for one in told]
