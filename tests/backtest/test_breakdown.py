"""An account in parts, each by hand: months and years, drawdowns, costs, long and short."""

import dataclasses

import numpy as np
import pytest

from backtest.breakdown import COSTS, SIDES, costs_of, drawdowns_of, periods_of, sides_of
from backtest.trades import fifo
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market
from tests.backtest.books import equity_ledger, hand_ledger
from tests.simulator.markets import make_bars


def market_of(days: list[str]) -> Market:
    bars = make_bars(np.arange(10.0, 10.0 + len(days)))
    session = np.array(days, "datetime64[D]")
    return prepare_market(dataclasses.replace(bars, session=session), SimulatorConfig())


def test_months_and_years_are_cut_where_the_session_says() -> None:
    days = ["2019-12-30", "2019-12-31", "2020-01-02", "2020-01-31", "2020-02-03"]
    found = periods_of(equity_ledger([100.0, 110.0, 121.0, 60.5, 66.55]), market_of(days))
    assert found.name == ("2019-12", "2020-01", "2020-02", "2019", "2020")
    assert found.kind == ("month",) * 3 + ("year",) * 2
    assert found.change == pytest.approx([0.1, -0.45, 0.1, 0.1, -0.395])
    assert found.bars.tolist() == [1, 2, 1, 1, 3]
    months, years = found.change[:3], found.change[3:]
    assert np.prod(1 + months) == pytest.approx(np.prod(1 + years)) == pytest.approx(0.6655)


def test_a_month_after_ruin_has_no_return() -> None:
    found = periods_of(equity_ledger([100.0, 0.0, 0.0]), market_of(["2020-01-30", "2020-01-31", "2020-02-03"]))
    assert found.change[0] == -1.0 and np.isnan(found.change[1])


def test_drawdowns_with_peak_trough_and_recovery() -> None:
    found = drawdowns_of(equity_ledger([100.0, 90.0, 100.0, 120.0, 60.0, 90.0, 119.0]))
    assert found.depth == pytest.approx([-0.5, -0.1])
    assert found.start.tolist() == [3, 0] and found.trough.tolist() == [4, 1]
    assert found.recovery.tolist() == [-1, 2] and found.bars.tolist() == [3, 2]


def test_no_fall_no_drawdown() -> None:
    found = drawdowns_of(equity_ledger([100.0, 101.0, 102.0]))
    assert len(found.depth) == len(found.start) == 0


def test_only_the_deepest_are_kept_and_the_earlier_wins_a_tie() -> None:
    saw = [100.0, 90.0] * 30 + [100.0]
    found = drawdowns_of(equity_ledger(saw))
    assert len(found.depth) == 20 and found.start.tolist() == [2 * k for k in range(20)]


def test_costs_in_money_and_bps_of_mean_equity() -> None:
    ledger = hand_ledger([(1, 10.0, 10.1, 2.0), (3, -10.0, 11.9, 3.0)], [10.0, 10.0, 11.0, 12.0], refs=[10.0, 12.0])
    ledger = dataclasses.replace(ledger, interest=np.array([0.0, 1.0, 2.0, 4.0]))
    money, bps = costs_of(ledger, 3.0)
    assert COSTS == ("fees", "spread", "impact", "borrow", "interest")
    assert money == pytest.approx([5.0, 2.0, 0.0, 0.0, -4.0])
    assert bps == pytest.approx(money / ledger.equity.mean() * 1e4)  # three bars of a year of three


def test_long_and_short_add_up_to_the_gain() -> None:
    """Long 10 from 10 to 12 less costs; short 5 from 12, still open at 11, with borrow and interest."""
    ledger = hand_ledger(
        [(1, 10.0, 10.0, 1.0), (2, -10.0, 12.0, 1.0), (3, -5.0, 12.0, 0.5)], [10.0, 10.0, 12.0, 12.0, 11.0]
    )
    borrow, interest = np.array([0, 0, 0, 0, -0.25]), np.array([0, 0, 0, 0, 0.75])
    ledger = dataclasses.replace(ledger, borrow=borrow, interest=interest, equity=ledger.equity + borrow + interest)
    found = sides_of(ledger, fifo(ledger))
    assert SIDES == ("long", "short", "cash")
    assert found.trades.tolist() == [1, 1, 0]
    assert found.net == pytest.approx([18.0, 5.0 - 0.5 - 0.25, 0.75])
    assert found.net.sum() == pytest.approx(ledger.equity[-1] - ledger.equity[0])
