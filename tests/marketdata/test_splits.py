"""Ranges: which bars train, validate and test, and that no bar serves twice."""

import numpy as np
import pytest

from marketdata.config import DateRange, SplitConfig
from marketdata.config_base import ConfigFault
from marketdata.splits import Range, make_ranges, months_before, range_between
from tests.marketdata.build import day, weekdays


def weekdays_between(start, end):
    days = weekdays(10_000, start)
    return days[days <= np.datetime64(end)]


def custom(*pairs, **more):
    ranges = tuple(DateRange(start=day(start), end=day(end)) for start, end in pairs)
    return SplitConfig(scheme="custom_ranges", custom_ranges=ranges, **more)


LAST_YEAR = [
    # last session, first test session, first validation session
    ("2022-12-28", "2021-12-29", "2020-12-29"),  # the us20 sample
    ("2024-02-29", "2023-03-01", "2022-03-01"),  # ends on a leap day
    ("2025-02-28", "2024-02-29", "2023-03-01"),  # a leap day opens the test
    ("2023-02-28", "2022-03-01", "2021-03-01"),
    ("2021-06-30", "2020-07-01", "2019-07-01"),  # ends in the middle of a year
    ("2022-01-03", "2021-01-04", "2020-01-06"),  # a year before was a Sunday, two years before a Friday
    ("2023-08-31", "2022-09-01", "2021-09-01"),
    ("2020-05-29", "2019-05-30", "2018-05-30"),
    ("2018-12-31", "2018-01-01", "2017-01-02"),  # weekdays, so New Year is one here
]


@pytest.mark.parametrize(("last", "test_from", "validation_from"), LAST_YEAR)
@pytest.mark.parametrize(("lookback", "warmup", "embargo"), [(64, 50, 5), (1, 0, 0)])
def test_last_year(last, test_from, validation_from, lookback, warmup, embargo):
    days = weekdays_between("2010-01-01", last)
    ranges = make_ranges(SplitConfig(embargo_bars=embargo), days, lookback=lookback, warmup=warmup)
    gap = lookback + embargo
    assert (str(days[ranges.test.t0]), str(days[ranges.test.t1])) == (test_from, last)
    assert str(days[ranges.validation.t0]) == validation_from
    assert ranges.validation.t1 == ranges.test.t0 - gap
    assert ranges.train == Range(lookback + warmup, ranges.validation.t0 - gap)


@pytest.mark.parametrize(
    ("n_bars", "validation_from", "test_from"), [(100, 64, 80), (103, 67, 83), (104, 68, 84), (8313, 5321, 6651)]
)
def test_80_20_by_bars(n_bars, validation_from, test_from):
    ranges = make_ranges(SplitConfig(scheme="80_20", embargo_bars=2), weekdays(n_bars), lookback=3, warmup=4)
    assert ranges.test == Range(test_from, n_bars - 1)
    assert ranges.validation == Range(validation_from, test_from - 5)
    assert ranges.train == Range(7, validation_from - 5)


def test_custom_ranges_take_both_ends_and_keep_wide_gaps():
    days = weekdays_between("2020-01-01", "2022-12-30")
    split = custom(("2020-06-06", "2020-12-31"), ("2021-03-01", "2021-06-30"), ("2022-01-01", "2022-12-30"))
    ranges = make_ranges(split, days, lookback=10, warmup=20)
    dates = [(str(days[r.t0]), str(days[r.t1])) for r in (ranges.train, ranges.validation, ranges.test)]
    assert dates == [("2020-06-08", "2020-12-31"), ("2021-03-01", "2021-06-30"), ("2022-01-03", "2022-12-30")]


def test_custom_ranges_that_touch_are_cut_at_the_end_of_the_earlier():
    days = weekdays_between("2020-01-01", "2022-12-30")
    split = custom(("2020-01-01", "2021-06-30"), ("2021-07-01", "2021-12-31"), ("2022-01-03", "2022-12-30"))
    ranges = make_ranges(split, days, lookback=10, warmup=20)
    assert ranges.train.t0 == 30
    assert str(days[ranges.validation.t0]) == "2021-07-01"
    assert ranges.train.t1 == ranges.validation.t0 - 15
    assert ranges.validation.t1 == ranges.test.t0 - 15


def test_n_bars_counts_marks_after_the_first_decision():
    assert Range(10, 30).n_bars == 20


def fault(split, days, **sizes):
    with pytest.raises(ConfigFault) as caught:
        make_ranges(split, days, **sizes)
    ((field, (sentence,)),) = caught.value.errors.items()
    return field, sentence


@pytest.mark.parametrize(
    ("split", "n_bars", "sizes", "field", "words"),
    [
        (
            SplitConfig(),
            400,
            {"lookback": 5, "warmup": 0},
            "split.scheme",
            "than two years of sessions; the data has 400 bars",
        ),
        (SplitConfig(), 400, {"lookback": 5, "warmup": 0}, "split.scheme", "80_20 takes shares of what there is"),
        (SplitConfig(scheme="80_20"), 8, {"lookback": 1, "warmup": 0}, "split.scheme", "8 bars"),
        (SplitConfig(), 1000, {"lookback": 2000, "warmup": 0}, "features.lookback", "at most 235"),
        (SplitConfig(), 600, {"lookback": 64, "warmup": 363}, "features.feature_set", "363 bars before"),
        (SplitConfig(embargo_bars=9000), 1000, {"lookback": 5, "warmup": 0}, "split.embargo_bars", "at most"),
    ],
)
def test_a_split_that_leaves_a_range_empty_names_the_field_to_change(split, n_bars, sizes, field, words):
    named, sentence = fault(split, weekdays(n_bars), **sizes)
    assert named == field
    assert words in sentence


def test_the_lookback_that_is_offered_fits_and_one_more_does_not():
    days, split = weekdays(1000), SplitConfig()
    _, sentence = fault(split, days, lookback=900, warmup=30)
    most = int(sentence.split("at most ")[1].split(" ")[0])
    make_ranges(split, days, lookback=most, warmup=30)
    assert fault(split, days, lookback=most + 1, warmup=30)[0] == "features.lookback"


def test_a_custom_range_outside_the_data_is_named():
    split = custom(("2019-01-01", "2020-06-30"), ("2020-07-01", "2020-12-31"), ("2021-01-01", "2021-06-30"))
    field, sentence = fault(split, weekdays_between("2020-01-01", "2022-12-30"), lookback=1, warmup=0)
    assert field == "split.custom_ranges"
    assert "train range 2019-01-01 to 2020-06-30" in sentence


def test_a_custom_range_of_a_weekend_is_refused():
    split = custom(("2020-01-04", "2020-01-05"), ("2020-07-01", "2020-12-31"), ("2021-01-01", "2021-06-30"))
    field, _ = fault(split, weekdays_between("2020-01-01", "2022-12-30"), lookback=1, warmup=0)
    assert field == "split.custom_ranges"


def bars_used(found, lookback):
    """Every bar that is in a window or a reward of the range."""
    return set(range(found.t0 - lookback + 1, found.t1 + 1))


@pytest.mark.parametrize("seed", range(200))
def test_no_bar_serves_two_ranges(seed):
    rng = np.random.default_rng(seed)
    days = weekdays(int(rng.integers(30, 3000)))
    lookback, warmup, embargo = (int(rng.integers(*bounds)) for bounds in ((1, 150), (0, 400), (0, 40)))
    split = SplitConfig(scheme=("last_year", "80_20")[seed % 2], embargo_bars=embargo)
    try:
        ranges = make_ranges(split, days, lookback=lookback, warmup=warmup)
    except ConfigFault:
        return
    train, validation, test = (bars_used(r, lookback) for r in (ranges.train, ranges.validation, ranges.test))
    assert min(train) >= warmup
    assert min(validation) - max(train) > embargo
    assert min(test) - max(validation) > embargo
    assert max(test) == len(days) - 1
    assert min(r.n_bars for r in (ranges.train, ranges.validation, ranges.test)) >= 2


@pytest.mark.parametrize(
    ("date", "months", "expected"),
    [
        ("2024-02-29", 12, "2023-02-28"),
        ("2024-02-29", 24, "2022-02-28"),
        ("2024-02-29", 48, "2020-02-29"),
        ("2023-01-31", 12, "2022-01-31"),
        ("2023-03-31", 1, "2023-02-28"),
        ("2023-01-15", 1, "2022-12-15"),
        ("2022-12-31", 18, "2021-06-30"),
    ],
)
def test_months_before(date, months, expected):
    assert months_before(day(date), months) == day(expected)


def test_a_range_by_dates_takes_both_ends():
    days = weekdays_between("2020-01-01", "2020-12-31")
    found = range_between(days, day("2020-03-07"), day("2020-03-29"))
    assert (str(days[found.t0]), str(days[found.t1])) == ("2020-03-09", "2020-03-27")


@pytest.mark.parametrize(
    ("start", "end", "needed", "field", "words"),
    [
        ("2020-06-01", "2020-05-01", 0, "end", "after start"),
        ("2019-06-01", "2020-05-01", 0, "start", "2020-01-01 to 2020-12-31"),
        ("2020-06-01", "2021-05-01", 0, "end", "2020-01-01 to 2020-12-31"),
        ("2020-06-06", "2020-06-08", 0, "end", "Fewer than 3 sessions"),
        ("2020-01-02", "2020-06-08", 10, "start", "2020-01-15 or later"),
    ],
)
def test_a_range_by_dates_that_cannot_be_is_refused(start, end, needed, field, words):
    with pytest.raises(ConfigFault) as caught:
        range_between(weekdays_between("2020-01-01", "2020-12-31"), day(start), day(end), needed=needed)
    ((named, (sentence,)),) = caught.value.errors.items()
    assert (named, words in sentence) == (field, True), sentence
