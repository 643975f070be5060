"""Five leaks built wrong on purpose, each in a real strategy on a real simulator: each is caught and named."""

import dataclasses

import numpy as np
import pytest

from backtest.baselines import Equal
from backtest.config import BacktestConfig
from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market
from tests.backtest.leaks import subjects
from tests.backtest.leaks.conftest import Check, failed


def test_the_honest_twin_passes(check: Check) -> None:
    report = check(subjects.Honest())
    assert failed(report) == {} and report.state == "passed"
    assert all(found.state == "passed" and found.cases for found in report.checks)
    assert report.sentence.startswith("No leak found: ")


def test_a_backfilled_feature(check: Check) -> None:
    report = check(subjects.Backfilled())
    found = failed(report)
    assert report.state == "failed" and report.sentence == found["features"]
    assert found["features"].startswith("features: gap(10) of ")
    assert "when the bars after " in found["features"] and "it knows later bars" in found["features"]


def test_a_backfilled_start_of_a_late_starter(check: Check, ragged: Bars) -> None:
    late = ragged.select(ragged.symbols[2:])
    assert failed(check(subjects.Backfilled(), late))["features"].startswith(
        f"features: gap(10) of {late.symbols[1]} on"
    )


def test_a_normaliser_of_the_full_sample(check: Check) -> None:
    found = failed(check(subjects.FullSample()))
    assert "features" not in found  # the features themselves are right
    assert found["statistics"].startswith("normaliser: the mean of gap(10) is ")
    assert found["statistics"].endswith("it was fitted on bars after the training range.")
    assert "observations" in found and "decisions" in found


def test_a_smoothed_regime(check: Check) -> None:
    found = failed(check(subjects.Smoothed()))
    assert found["features"].startswith("regime: calm on ")
    assert "statistics" not in found  # the model is fitted where it should be


def test_a_fill_in_the_bar_of_its_decision(check: Check, ragged: Bars) -> None:
    def shifted(bars: Bars, config: SimulatorConfig) -> Market:
        market = prepare_market(bars, config)
        closes = np.vstack((bars.close[:1], bars.close[:-1]))
        ref = np.where(np.isfinite(market.arrays.ref), closes, np.nan)
        return dataclasses.replace(market, arrays=market.arrays._replace(ref=ref))

    for subject in (subjects.Honest(), Equal(BacktestConfig(policy="equal"))):
        found = failed(check(subject, make_market=shifted))
        assert list(found) == ["fill_times"]
        assert (
            "a price that this bar does not have, which is the close of the bar that decided it." in found["fill_times"]
        )


def test_an_index_one_bar_ahead(check: Check) -> None:
    found = failed(check(subjects.OneAhead()))
    assert "features" not in found and "statistics" not in found
    assert found["observations"].startswith("observation: window on ")
    assert "only the bar after " in found["lag"]


@pytest.mark.parametrize("twin", [subjects.FullSample, subjects.Smoothed, subjects.OneAhead])
def test_from_outside_too(check: Check, twin: type[subjects.Honest]) -> None:
    report = check(subjects.blind(twin))
    assert {"decisions", "lag"} <= failed(report).keys()
    assert [found.state for found in report.checks if found.key in ("features", "statistics")] == ["absent", "absent"]


def test_an_honest_one_passes_from_outside(check: Check) -> None:
    assert check(subjects.blind(subjects.Honest)).state == "passed"
