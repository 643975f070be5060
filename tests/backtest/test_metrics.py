"""Costs, turnover and trades of a ledger, by hand; the keys are the contract's."""

import dataclasses

import numpy as np
import pytest

from backtest.metrics import compute, cost_figures, trade_figures
from backtest.statistics import deflated_sharpe
from backtest.trades import fifo
from runfiles.metric_keys import METRICS
from simulator.config import SimulatorConfig
from simulator.ledger import Events
from simulator.market import prepare_market
from tests.backtest.books import equity_ledger, hand_ledger
from tests.simulator.markets import make_bars


def test_every_key_in_the_order_of_the_contract() -> None:
    ledger = hand_ledger([(1, 10, 101, 1), (3, -10, 120, 1)], marks=[100, 105, 110, 120, 120])
    market = prepare_market(make_bars([100, 105, 110, 120, 120]), SimulatorConfig())
    metrics = compute(ledger, fifo(ledger), market, np.array([0.05, 0.05, 0.09, 0.0]), np.zeros(4))
    assert list(metrics) == list(METRICS)
    assert (metrics["n_bars"], metrics["n_orders"], metrics["n_trades"]) == (4, 2, 1)
    assert metrics["dsr_excess"] is None
    assert metrics["total_return"] == pytest.approx((10 * 19 - 2) / 10_000)


def test_exposure_counts_every_bar_after_the_first_decision() -> None:
    """Ten shares at 100 of 10,000 held at the close of bar 1 alone, of bars 1 to 4: a fourth of the time, 10 % then."""
    ledger = hand_ledger([(1, 10, 100, 0), (2, -10, 100, 0)], marks=[100.0] * 5)
    market = prepare_market(make_bars([100.0] * 5), SimulatorConfig())
    metrics = compute(ledger, fifo(ledger), market, np.zeros(4), np.zeros(4))
    found = [metrics[key] for key in ("exposure", "gross", "net", "hhi")]
    assert found == pytest.approx([0.25, 0.025, 0.025, 1.0])


def test_undefined_is_none_and_never_a_number() -> None:
    ledger = hand_ledger([], marks=[100.0, 100, 100])
    market = prepare_market(make_bars([100.0, 100, 100]), SimulatorConfig())
    metrics = compute(ledger, fifo(ledger), market, np.zeros(2), np.zeros(2))
    for key in ("sharpe", "sortino", "calmar", "hit_rate", "profit_factor", "hhi", "beta", "dsr", "expectancy_bps"):
        assert metrics[key] is None, key
    assert all(value is None or np.isfinite(value) for value in metrics.values())
    assert metrics["exposure"] == 0


def test_turnover_counts_buys_and_sells_over_mean_equity() -> None:
    """Bought for 1,000 and sold for 1,200 at a mean equity of about 10,000 in four bars of 252 a year."""
    ledger = hand_ledger([(1, 10, 100, 0), (3, -10, 120, 0)], marks=[100, 100, 100, 120, 120])
    found = cost_figures(ledger, 252)
    assert found["turnover"] == pytest.approx(2200 / ledger.equity.mean() * 252 / 4)


def test_costs_add_up_and_earned_interest_is_negative() -> None:
    ledger = hand_ledger([(1, 10, 101, 3)], marks=[100, 100, 100], refs=[100])
    ledger.interest[:] = [0, 5, 5]
    ledger.borrow[:] = [0, -2, -2]
    a_bps = 1e4 * 252 / 2 / ledger.equity.mean()
    found = cost_figures(ledger, 252)
    assert found["cost_fees_bps"] == pytest.approx(3 * a_bps)
    assert found["cost_spread_bps"] == pytest.approx(10 * a_bps)
    assert found["cost_interest_bps"] == pytest.approx(-5 * a_bps)
    assert found["cost_borrow_bps"] == pytest.approx(2 * a_bps)
    assert found["cost_drag_bps"] == pytest.approx((3 + 10 + 2 - 5) * a_bps)


def test_every_cost_is_counted_to_the_last_bar() -> None:
    """Each column grows in every bar: 1, 2, 4 of fees, 10 times it of spread, 100 times of impact, and so on."""
    so_far = np.array([0.0, 1.0, 3.0, 7.0])
    events = Events(
        np.arange(4), traded=np.array([0.0, 500.0, 200.0, 300.0]), fees=so_far, spread=10 * so_far,
        impact=100 * so_far, dividends=np.zeros(4), shares=np.zeros((4, 1)),
    )  # fmt: skip
    ledger = dataclasses.replace(
        equity_ledger([10_000.0] * 4), events=events, borrow=-1000 * so_far, interest=-10_000 * so_far
    )
    found, a_year = cost_figures(ledger, 252), 252 / 3 / 10_000
    named = ("cost_fees_bps", "cost_spread_bps", "cost_impact_bps", "cost_borrow_bps", "cost_interest_bps")
    assert [found[key] for key in named] == pytest.approx([7 * 10.0**k * 1e4 * a_year for k in range(5)])
    assert found["cost_drag_bps"] == pytest.approx(77_777 * 1e4 * a_year)
    assert found["turnover"] == pytest.approx(1000 * a_year)


def test_a_book_of_cents_and_one_of_nothing_have_their_figures_or_none() -> None:
    small = equity_ledger([0.5, 0.5])
    paid = dataclasses.replace(small, events=dataclasses.replace(small.events, fees=np.array([0.1])))
    assert cost_figures(paid, 252)["cost_fees_bps"] == pytest.approx(0.1 / 0.5 * 252 * 1e4)
    assert np.isnan(cost_figures(equity_ledger([1.0, -1.0]), 252)["turnover"])


def test_the_deflated_sharpe_is_of_what_cash_does_not_earn() -> None:
    returns = np.random.default_rng(2).normal(1e-3, 0.01, 60)
    ledger = equity_ledger(np.cumprod(np.concatenate(([1e4], 1 + returns))).tolist())
    market, rf = prepare_market(make_bars([100.0] * 61), SimulatorConfig()), np.full(60, 8e-4)
    metrics = compute(ledger, fifo(ledger), market, np.zeros(60), rf, trials=3)
    assert metrics["dsr"] == pytest.approx(deflated_sharpe(returns - rf, 3), rel=1e-9)
    assert metrics["dsr"] < (deflated_sharpe(returns, 3) or 0) - 0.1


def test_trades_by_hand() -> None:
    """Won 100 − 2 on 1,000 in two bars, lost 40 + 0 on 500 in one: hit ½, factor 98/40, holding weighted by value."""
    fills = [(0, 10, 100, 1), (2, -10, 110, 1), (2, 5, 100, 0), (3, -5, 92, 0)]
    figures = trade_figures(fifo(hand_ledger(fills, marks=[100, 105, 110, 92])))
    assert figures["hit_rate"] == 0.5
    assert figures["profit_factor"] == pytest.approx(98 / 40)
    assert figures["expectancy"] == pytest.approx(29)
    assert figures["expectancy_bps"] == pytest.approx(58 / 1500 * 1e4)
    assert figures["avg_holding_bars"] == pytest.approx((2 * 1000 + 1 * 500) / 1500)


def test_a_trade_that_made_nothing_is_neither_won_nor_lost() -> None:
    """One share each: nothing, half a unit of money won, a quarter lost."""
    fills = [(0, 1, 100, 0), (1, -1, 100, 0), (1, 1, 100, 0), (2, -1, 100.5, 0), (2, 1, 100, 0), (3, -1, 99.75, 0)]
    figures = trade_figures(fifo(hand_ledger(fills, marks=[100, 100, 100, 100])))
    assert (figures["n_trades"], figures["hit_rate"], figures["profit_factor"]) == pytest.approx((3, 1 / 3, 2.0))


def test_open_lots_are_no_trades() -> None:
    figures = trade_figures(fifo(hand_ledger([(0, 10, 100, 1)], marks=[100, 50])))
    assert figures["n_trades"] == 0 and np.isnan(figures["hit_rate"])


def test_ruin_is_told_by_the_figures() -> None:
    ledger = equity_ledger([100, 40, -5, -5])
    market = prepare_market(make_bars([100.0, 40, 5, 5]), SimulatorConfig())
    metrics = compute(ledger, fifo(ledger), market, np.zeros(3), np.zeros(3))
    assert (metrics["total_return"], metrics["cagr"]) == (-1, -1)
    assert metrics["max_drawdown"] == pytest.approx(-1.05)
