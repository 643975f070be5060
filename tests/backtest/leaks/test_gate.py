"""What the gate itself promises: bounded, repeatable, honest about what it could not see."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.leaks.compare import known_at
from backtest.leaks.cuts import choose_cuts, gap_bars
from backtest.leaks.fills import fill_faults
from backtest.leaks.gate import Gate
from backtest.leaks.probes import Table
from backtest.registry import BASELINES, load
from marketdata.bars import Bars
from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.market import Market, prepare_market
from tests.backtest.leaks.conftest import Check, failed
from tests.backtest.leaks.subjects import SPAN, Honest, blind
from tests.marketdata.build import random_ohlcv, with_actions


@pytest.mark.parametrize("key", BASELINES)
def test_every_baseline_passes(check: Check, key: str) -> None:
    weights = {"evaluation": {"fixed_weights": {"A": 0.5, "C": 0.3}}} if key == "fixed_weights" else {}
    report = check(load(key)(BacktestConfig(policy=key, **weights)))
    assert report.state == "passed", report.sentence
    assert {found.state for found in report.checks if found.key in ("lag", "book", "fill_times")} == {"passed"}


@pytest.mark.parametrize("more", [{"allow_short": True, "max_gross_leverage": 2.0}, {"cash_yield_apr": 0.03}])
def test_other_rules_pass(check: Check, more: dict[str, Any]) -> None:
    config = SimulatorConfig.model_validate({"margin": more, "exec": {"lot_size": 1.0, "liquidate_at_end": True}})
    assert check(Honest(), config=config).state == "passed"


def test_the_same_seed_gives_the_same_report(check: Check) -> None:
    first, again, other = (json.dumps(check(blind(Honest), seed=seed).as_dict()) for seed in (3, 3, 4))
    assert first == again != other


def test_reruns_do_not_grow_with_the_range(check: Check) -> None:
    short, long = (check(blind(Honest), span=Range(220, end)) for end in (260, 400))
    assert short.reruns <= 43 and long.reruns <= 43


def test_progress_is_told_to_the_end(ragged: Bars) -> None:
    told: list[tuple[int, int]] = []
    Gate(blind(Honest), ragged, SimulatorConfig(), SPAN, told=lambda *now: told.append(now)).check()
    assert [done for done, _ in told] == list(range(len(told))) and told[-1][0] == told[-1][1]


def test_one_that_cannot_be_repeated_is_told_so(check: Check) -> None:
    class Moody(Honest):
        def __init__(self) -> None:
            self.chance = np.random.default_rng(0)

        def decide(self, t: int, session: BookSession) -> Any:
            return self.chance.random(self.market.n_assets) / 10

    found = failed(check(blind(Moody)))
    assert "it is run a second time on the same bars" in found["repeatable"]
    assert check(blind(Moody)).sentence == found["repeatable"]


def test_one_that_fails_without_later_bars_is_told_so(check: Check) -> None:
    class Greedy(Honest):
        def prepare(self, market: Market, config: SimulatorConfig) -> None:
            super().prepare(market, config)
            if market.n_bars < 420:
                raise ValueError("more bars are needed")

    report = check(Greedy())
    assert report.sentence.startswith("decision: it cannot be made when the bars after ")
    assert report.sentence.endswith("(more bars are needed); it needs later bars.")


def test_a_strategy_that_never_trades_passes(check: Check) -> None:
    assert check(load("cash")(BacktestConfig(policy="cash"))).state == "passed"


def test_hourly_bars_are_named_by_their_close(check: Check) -> None:
    plain = random_ohlcv(420, 3)
    session = np.repeat(plain.session[:60], 7)
    hours = np.tile(np.arange(14, 21), 60).astype("timedelta64[h]")
    bars = dataclasses.replace(plain, session=session, known_at=session + hours, interval="1h")
    report = check(blind(Honest), bars)
    assert report.state == "passed" and report.cuts[0] == f"{bars.known_at[220].astype('datetime64[m]')}Z"


def test_raw_bars_with_actions_members_and_ends_pass(check: Check) -> None:
    bars = with_actions(random_ohlcv(420, 3))
    for key in ("equal", "inverse_vol"):
        report = check(load(key)(BacktestConfig(policy=key)), bars, span=Range(2, 380))
        assert report.state == "passed", report.sentence


def test_a_range_of_one_bar(check: Check) -> None:
    assert check(blind(Honest), span=Range(300, 301)).state == "passed"


def test_features_of_a_later_close_are_told(ragged: Bars) -> None:
    late = ragged.known_at.copy()
    late[7] += np.timedelta64(1, "h")
    told = known_at("features", Table(np.zeros((ragged.n_bars, 1)), ("x",), late), ragged)
    assert told is not None
    assert f"the row of {ragged.session[7]} was known at {ragged.session[7]}T22:00Z only" in told.sentence()
    assert known_at("features", Table(np.zeros((ragged.n_bars, 1)), ("x",), ragged.known_at), ragged) is None


def test_a_fill_in_the_deciding_bar_is_told() -> None:
    bars, config = random_ohlcv(30, 1), SimulatorConfig()
    market = prepare_market(bars, config)
    ledger = run_decisions(market, config, Decisions(np.array([10]), np.array([[0.5]])), 8, 20)
    assert list(fill_faults(ledger.orders, bars, market.fill, 0)) == []
    orders = dataclasses.replace(ledger.orders, filled=ledger.orders.decided)
    told = list(fill_faults(orders, bars, market.fill, 0))
    assert told == [
        f"fill: A is decided at the close of {bars.session[10]} and filled in the bar of {bars.session[10]}; "
        "the first that may fill it is 1 later."
    ]


def test_cuts_are_first_last_and_between(ragged: Bars) -> None:
    cuts = choose_cuts(ragged, Range(220, 380), range(220, 380), np.random.default_rng(0), 0)
    modes = {cut.bar: cut.modes for cut in cuts}
    assert len(modes[220]) == len(modes[379]) == 4
    assert all(cut.first is None or 0 <= cut.bar - cut.first <= 12 for cut in cuts)


def test_gaps_are_cut(ragged: Bars) -> None:
    found = gap_bars(ragged, 420, np.random.default_rng(0))
    assert 99 in found and {250, 251, 252, 300} & set(found)
    assert gap_bars(random_ohlcv(50), 50, np.random.default_rng(0)) == []
