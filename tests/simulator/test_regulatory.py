"""The regulators' rates: each row names its paper, and days follow from the law where the paper gives none."""

import datetime as dt

import numpy as np
import pytest

from simulator.regulatory import (
    SECTION_31,
    TRADING_ACTIVITY,
    UNVERIFIED,
    Step,
    Table,
    sell_fees_a_share,
    sell_rates,
    unverified_rates,
)

ENACTED = [
    ("2007-02-15", 30, 15.30), ("2007-12-26", 30, 11.00), ("2009-12-16", 30, 12.70), ("2013-03-26", 60, 17.40),
    ("2014-01-17", 60, 22.10), ("2014-12-16", 60, 18.40), ("2015-12-18", 60, 21.80), ("2017-05-05", 60, 23.10),
    ("2018-03-23", 60, 13.00), ("2019-02-15", 60, 20.70), ("2019-12-20", 60, 22.10), ("2020-12-27", 60, 5.10),
    ("2022-03-15", 60, 22.90), ("2022-12-29", 60, 8.00), ("2024-03-23", 60, 27.80),
]  # fmt: skip
"""The SEC's appropriations: the day of enactment, the days that section 31(j) then leaves, dollars a million."""


@pytest.mark.parametrize(("enacted", "days", "rate"), ENACTED)
def test_a_rate_begins_as_many_days_after_the_appropriation_as_the_law_says(
    enacted: str, days: int, rate: float
) -> None:
    begins = np.datetime64(dt.date.fromisoformat(enacted) + dt.timedelta(days))
    before, on = sell_rates(np.array([begins - 1, begins])) * 1e6
    assert on == pytest.approx(rate) and before != pytest.approx(rate)


@pytest.mark.parametrize("table", [SECTION_31, TRADING_ACTIVITY])
def test_rows_are_in_order_and_each_says_where_it_comes_from(table: Table) -> None:
    days = [dt.date.fromisoformat(step.day) for step in table]
    assert days == sorted(set(days))
    assert all(step.rate >= 0 and step.source.strip() for step in table)


def test_the_unverified_rows_are_those_of_the_days_asked_for() -> None:
    days = np.arange("2003-02-01", "2003-03-03", dtype="datetime64[D]")
    assert unverified_rates(TRADING_ACTIVITY, days[:-1]) == []
    assert unverified_rates(TRADING_ACTIVITY, days) == [Step("2003-03-02", 0.0001, UNVERIFIED)]
    assert unverified_rates(TRADING_ACTIVITY, np.array(["1990-01-02"], "datetime64[D]")) == []


def test_what_finra_charged_a_share_in_the_years_of_its_phased_increase() -> None:
    days = np.array(["2021-12-31", "2022-01-03", "2023-01-03", "2024-01-02", "2025-12-31", "2026-01-02", "2026-11-02"])
    fees = sell_fees_a_share(days.astype("datetime64[D]"))
    assert fees.tolist() == [0.000119, 0.000130, 0.000145, 0.000166, 0.000166, 0.000195, 0.0]
