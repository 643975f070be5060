"""Numbers and dates as people write them, and a sentence with the place for what is neither."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from marketdata.files import cells, times
from marketdata.files.limits import FileRefused


def place(row: int) -> str:
    return f"row {row}"


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1.5", "point", "none", 1.5), ("-2", "point", "none", -2.0), (" .5 ", "point", "none", 0.5),
        ("1e3", "point", "none", 1000.0), ("1,5", "comma", "none", 1.5), ("1.234,5", "comma", "point", 1234.5),
        ("1,234,567.5", "point", "comma", 1234567.5), ("1 234,5", "comma", "space", 1234.5),
        ("1'234.5", "point", "apostrophe", 1234.5), ("1234.5", "point", "comma", 1234.5),
        ("", "point", "none", np.nan), ("NaN", "point", "none", np.nan), ("n/a", "point", "none", np.nan),
    ],
)  # fmt: skip
def test_a_number(text, decimal, thousands, value):
    found = cells.numbers(pa.chunked_array([[text]]), decimal=decimal, thousands=thousands, field="close", place=place)
    np.testing.assert_array_equal(found, [value])


@pytest.mark.parametrize("text", ["1,5", "12x", "1.2.3", "inf", "-inf", "$5", "=1+1", "1,23,4", "0x10", "١٢", "1_000"])
def test_what_is_no_number_is_told_with_its_place(text):
    with pytest.raises(FileRefused) as refused:
        cells.numbers(pa.chunked_array([["1", text]]), decimal="point", thousands="comma", field="close", place=place)
    assert f'row 1 has a close of "{text}", which is no number with a decimal point.' == str(refused.value)
    assert refused.value.field == "columns.close"


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2020-03-04", "ymd", "2020-03-04"), ("2020/3/4", "ymd", "2020-03-04"), ("20200304", "ymd", "2020-03-04"),
        ("04/03/2020", "dmy", "2020-03-04"), ("04.03.2020", "dmy", "2020-03-04"), ("03/04/2020", "mdy", "2020-03-04"),
        ("2020-03-04 00:00:00-05:00", "ymd", "2020-03-04"), ("2020-03-04T16:00:00Z", "ymd", "2020-03-04"),
        ("1583280000", "epoch_s", "2020-03-04"), ("1583280000000", "epoch_ms", "2020-03-04"),
    ],
)  # fmt: skip
def test_a_day_is_the_one_that_is_written(text, order, day):
    assert str(times.days(pa.chunked_array([[text]]), order, place)[0]) == day


@pytest.mark.parametrize(
    ("text", "order", "words"),
    [
        ("03/04/2020", "ymd", "four digits of the year"), ("2020-13-01", "ymd", "there is no such day"),
        ("2020-02-30", "ymd", "there is no such day"), ("04/03/20", "dmy", "four digits of the year"),
        ("soon", "ymd", "a date such as 2022-12-28 is right"), ("", "ymd", "empty"),
        ("1066-01-01", "ymd", "days from 1800-01-01"), ("9" * 13, "epoch_s", "no day of a market"),
        ("20200304", "dmy", "day/month/year is not how it is written"), ("2020-01-01 25:00", "ymd", "time of day"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_told_with_its_row(text, order, words):
    with pytest.raises(FileRefused) as refused:
        times.days(
            pa.chunked_array([["2020-01-02" if order == "ymd" else "02/01/2020" if "y" in order else "0", text]]),
            order,
            place,
        )
    assert "row 1" in str(refused.value) and words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2020-01-02 09:30", "America/New_York", "2020-01-02T14:30"),
        ("2020-07-02 09:30", "America/New_York", "2020-07-02T13:30"),
        ("2020-01-02T09:30:00-05:00", "UTC", "2020-01-02T14:30"),
        ("2020-01-02 09:30Z", "Asia/Tokyo", "2020-01-02T09:30"),
    ],
)  # fmt: skip
def test_an_instant_is_in_utc(text, zone, utc):
    found = times.instants(pa.chunked_array([[text]]), "ymd", zone, place)
    assert found[0] == np.datetime64(utc)


def test_typed_times_follow_the_zone_too():
    naive = pa.chunked_array([pa.array([np.datetime64("2020-07-02T09:30", "us")])])
    assert times.instants(naive, "ymd", "America/New_York", place)[0] == np.datetime64("2020-07-02T13:30")
    with pytest.raises(FileRefused, match="bars shorter than a day need times"):
        times.instants(pa.chunked_array([pa.array([dt.date(2020, 7, 2)])]), "ymd", "UTC", place)
