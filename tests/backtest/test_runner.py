"""Strategies that give all targets at once and strategies that look at their book run through the same step."""

from typing import Any

import numpy as np
import pytest

from backtest.baselines import Equal
from backtest.breakdown import borrow_by_symbol, symbols_of
from backtest.config import BacktestConfig
from backtest.part_tables import symbols_table
from backtest.runner import StrategyUnfit
from backtest.trades import fifo
from simulator.engine import BookSession, Decisions
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market
from tests.backtest.books import run_strategy
from tests.simulator.markets import random_bars

T0, T1 = 5, 95


class Stepped(Equal):
    """The same targets, said bar by bar."""

    def __init__(self, config: BacktestConfig, given: Decisions) -> None:
        super().__init__(config)
        self._given = dict(zip(given.bars.tolist(), given.targets, strict=True))

    def decisions(self, market: Market, t0: int, t1: int) -> Any:
        return None

    def decide(self, t: int, session: BookSession) -> Any:
        return self._given.get(t)


class LongShort(Equal):
    """Long the first half, short the second, sides changed every ten bars."""

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        bars = np.arange(t0, t1, 10)
        side = np.where(np.arange(market.n_assets) < market.n_assets // 2, 0.2, -0.2)
        return Decisions(bars, np.array([side * (-1) ** k for k in range(len(bars))]))


def same(one: Ledger, other: Ledger) -> bool:
    return np.array_equal(one.equity, other.equity) and np.array_equal(one.orders.qty_filled, other.orders.qty_filled)


def test_a_stepped_strategy_has_the_ledger_of_a_given_one() -> None:
    config = BacktestConfig(policy="equal")
    market = prepare_market(random_bars(6, 100, 4), config)
    given = Equal(config)
    at_once = run_strategy(given, market, config, T0, T1)
    by_hand = run_strategy(Stepped(config, given.decisions(market, T0, T1)), market, config, T0, T1)
    assert len(at_once.orders) > 8 and same(at_once, by_hand)


def test_profit_by_symbol_holds_shorts_borrow_and_interest() -> None:
    config = BacktestConfig(
        policy="equal", margin={"allow_short": True, "short_rebate_apr": 0.01, "cash_yield_apr": 0.03},
        fees={"borrow_fee_apr": 0.5, "taker_bps": 5.0},
    )  # fmt: skip
    market = prepare_market(random_bars(6, 100, 4), config)
    ledger = run_strategy(LongShort(config), market, config, T0, T1)
    trades = fifo(ledger)
    gain, near = ledger.equity[-1] - ledger.equity[0], 1e-9 * ledger.equity[0]
    assert ledger.borrow[-1] < -100 and set(trades.side.tolist()) == {-1, 1}
    assert borrow_by_symbol(ledger, market, 0.5).sum() == pytest.approx(ledger.borrow[-1], abs=near)
    assert trades.pnl_net.sum() + ledger.financing[-1] == pytest.approx(gain, abs=near)
    rows = symbols_table(symbols_of(ledger, trades, market, 0.5)).decode().splitlines()[1:]
    assert sum(float(row.split(",")[-1]) for row in rows) == pytest.approx(gain, abs=near)
    assert rows[-1].startswith("cash,") and float(rows[-1].split(",")[5]) == pytest.approx(ledger.interest[-1])


def test_a_strategy_that_does_not_fit_says_so() -> None:
    class Unfit(Equal):
        def prepare(self, market: Market, config: object) -> None:
            raise ValueError("The policy was trained on 20 symbols, the market has 4.")

    config = BacktestConfig(policy="equal")
    market = prepare_market(random_bars(6, 100, 4), config)
    with pytest.raises(StrategyUnfit, match="20 symbols"):
        run_strategy(Unfit(config), market, config, T0, T1)


class Nan(Stepped):
    key = "nan"

    def decide(self, t: int, session: BookSession) -> Any:
        return np.array([0.1, np.nan, 0.1, 0.1]) if t == 40 else None


def test_what_is_not_finite_is_one_sentence_with_strategy_symbol_and_day() -> None:
    config = BacktestConfig(policy="equal")
    market = prepare_market(random_bars(6, 100, 4), config)
    strategy = Nan(config, Equal(config).decisions(market, T0, T1))
    said = rf"^nan: the strategy gave nan for S1 at {market.bars.session[40]}; a finite number is right\.$"
    with pytest.raises(StrategyUnfit, match=said):
        run_strategy(strategy, market, config, T0, T1)
