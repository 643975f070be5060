"""Faults of the founding system that must not come back (baselines, splits): each was wrong there in the way told."""

import math
from typing import Any

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.registry import load
from backtest.trades import fifo
from marketdata.config import SplitConfig
from marketdata.walk_forward import make_folds
from simulator.config import SimulatorConfig
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market
from tests.backtest.books import hand_ledger, run_strategy
from tests.backtest.test_series import figures
from tests.marketdata.build import weekdays
from tests.simulator.markets import make_bars, no_cost, random_bars

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


@pytest.fixture(scope="module")
def still_nights() -> Market:
    """Each open is the close before it, so that an order fills at the price that it was decided at."""
    close = random_bars(3, 340, 4).close
    return prepare_market(make_bars(close, open=np.vstack((close[:1], close[:-1]))), no_cost())


@pytest.mark.parametrize(
    ("key", "weights"), [("equal", [0.25] * 4), ("buy_hold", [0.25] * 4), ("first_long", [1.0, 0, 0, 0]),
                         ("equal_daily", [0.25] * 4)]
)  # fmt: skip
def test_trap_3_weights_are_those_that_the_baseline_names(still_nights: Market, key: str, weights: list[float]) -> None:
    """There `equal` of three held 56 %, `first_long` 29 %. Shares after each fill are weight · E / price, by hand."""
    ledger = account(key, still_nights)
    decided = np.unique(ledger.orders.decided) - T0
    price = still_nights.bars.close[decided + T0]
    wanted = np.array(weights) * ledger.equity[decided, None] / price
    np.testing.assert_allclose(ledger.shares[decided + 1], wanted, rtol=1e-12, atol=1e-9)
    assert (len(decided) == 1) is (key in ("buy_hold", "first_long"))


def test_trap_3_cash_is_all_in_cash(still_nights: Market) -> None:
    """There `flat` was half invested."""
    ledger = account("cash", still_nights)
    assert (ledger.weights == 0).all() and (ledger.cash == ledger.equity[0]).all()


def test_trap_3_what_is_held_earns_what_its_prices_earn(still_nights: Market) -> None:
    """There buying and holding sent its target again at each bar. Here its end is the mean of the four growths."""
    ledger, close = account("buy_hold", still_nights), still_nights.bars.close
    assert ledger.equity[-1] / ledger.equity[0] == pytest.approx((close[T1] / close[T0]).mean(), rel=1e-12)


def test_trap_5_a_backtest_of_325_bars_has_the_growth_of_325_bars(still_nights: Market) -> None:
    """There it was that of the first 256, which was called the result of all."""
    ledger, close = account("first_long", still_nights), still_nights.bars.close[:, 0]
    growth = ledger.equity / ledger.equity[0]
    np.testing.assert_allclose(growth, close[T0 : T1 + 1] / close[T0], rtol=1e-12)
    assert ledger.n_bars == len(growth) - 1 == 325


def test_trap_11_the_fee_of_an_exit_is_shared_by_the_lots_that_it_closes() -> None:
    """There each of two lots paid all of it: 4 where 3 were paid. What was sold in two parts paid its entry twice."""
    two = fifo(hand_ledger([(0, 10, 100, 1), (1, 10, 100, 1), (2, -20, 100, 1)], marks=[100] * 4))
    assert two.fees.tolist() == [1.5, 1.5]
    parts = fifo(hand_ledger([(0, 10, 100, 1), (1, -4, 100, 0), (2, -6, 100, 0)], marks=[100] * 4))
    assert parts.fees.tolist() == pytest.approx([0.4, 0.6], abs=1e-15)


def test_trap_15_sortino_measures_losses_from_zero_over_all_bars() -> None:
    """There the deviation of the losses about their own mean, which is 0 for two equal ones.

    +2 %, −1 %, +2 %, −1 %: mean 0.5 %, √((1² + 1²)/4) = 0.7071 %; their ratio times √252.
    """
    equity = np.cumprod([1000.0, 1.02, 0.99, 1.02, 0.99])
    assert figures(equity)["sortino"] == pytest.approx(0.5 / math.sqrt(0.5) * math.sqrt(252), rel=1e-9)


def test_folds_count_bars_not_days() -> None:
    """There folds and embargo were calendar days: a long weekend shrank the gap."""
    split = SplitConfig(scheme="walk_forward", n_folds=4, test_bars=21, validation_bars=21, embargo_bars=3)
    days = np.concatenate((weekdays(150), weekdays(150, "2021-03-01")))  # half a year without sessions between
    for fold in make_folds(split, days, lookback=10, warmup=0):
        assert fold.test.t0 - fold.validation.t1 == fold.validation.t0 - fold.train.t1 == 13
        assert fold.test.n_bars == fold.validation.n_bars == 21
