"""Faults of the founding system that must not come back (baselines, splits): each was wrong there in the way told."""

from typing import Any

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.registry import load
from marketdata.config import SplitConfig
from marketdata.walk_forward import make_folds
from simulator.config import SimulatorConfig
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market
from tests.backtest.books import run_strategy
from tests.marketdata.build import weekdays
from tests.simulator.markets import no_cost, random_bars

T0, T1 = 5, 330


@pytest.fixture(scope="module")
def market() -> Market:
    return prepare_market(random_bars(3, 340, 4), no_cost())


def account(key: str, market: Market, config: SimulatorConfig | None = None) -> Ledger:
    return run_strategy(load(key)(BacktestConfig(policy=key)), market, config or no_cost(), T0, T1)


def test_cash_is_flat_to_the_cent(market: Market) -> None:
    """There it was half invested."""
    ledger = account("cash", market)
    assert (ledger.equity == ledger.equity[0]).all() and len(ledger.orders) == 0


def test_buy_and_hold_orders_once(market: Market) -> None:
    """There it sent its target at every bar, and so rebalanced daily."""
    ledger = account("buy_hold", market)
    assert ledger.orders.decided.tolist() == [T0] * 4
    assert (ledger.shares[1:] == ledger.shares[1]).all()


def test_equal_is_one_over_the_count(market: Market) -> None:
    """There it was 52 % invested. Here a decision brings each asset to a fourth, up to what a night moves."""
    ledger = account("equal", market)
    rows = np.unique(ledger.orders.filled) - T0
    assert len(rows) > 10
    np.testing.assert_allclose(ledger.weights[rows], 0.25, atol=0.05)
    assert ledger.weights[rows].sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=0.02)


def test_the_first_symbol_is_all_of_it(market: Market) -> None:
    """There it was 12 to 29 % of it."""
    ledger = account("first_long", market)
    assert ledger.weights[1:, 0].min() > 0.98 and (ledger.weights[:, 1:] == 0).all()


@pytest.mark.parametrize("key", ["equal", "inverse_vol", "min_variance"])
def test_the_action_mapping_and_its_layers_do_not_touch_a_baseline(market: Market, key: str) -> None:
    """There targets went through the network's mapping, hidden sizing and all."""
    groups: dict[str, Any] = {"episode": {"logit_scale": 1.0, "max_step_change": 0.01, "rebalance_eps": 0.2},
                              "guards": {"stop_eq_frac": 0.9}}  # fmt: skip
    assert (account(key, market, no_cost(**groups)).equity == account(key, market).equity).all()


@pytest.mark.parametrize("key", ["buy_hold", "equal_daily", "momentum"])
def test_a_run_goes_to_the_end_of_its_range(market: Market, key: str) -> None:
    """There it stopped after 256 bars without saying so."""
    ledger = account(key, market, no_cost(episode={"max_steps": 100}))
    assert ledger.n_bars == T1 - T0 > 256 and ledger.equity[-1] != ledger.equity[-2]


def test_folds_count_bars_not_days() -> None:
    """There folds and embargo were calendar days: a long weekend shrank the gap."""
    split = SplitConfig(scheme="walk_forward", n_folds=4, test_bars=21, validation_bars=21, embargo_bars=3)
    days = np.concatenate((weekdays(150), weekdays(150, "2021-03-01")))  # half a year without sessions between
    for fold in make_folds(split, days, lookback=10, warmup=0):
        assert fold.test.t0 - fold.validation.t1 == fold.validation.t0 - fold.train.t1 == 13
        assert fold.test.n_bars == fold.validation.n_bars == 21
