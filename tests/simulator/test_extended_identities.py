"""What must hold whatever happens (docs/conventions.md): on random worlds with every rule, action and delisting."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.trades import fifo
from simulator.config import SimulatorConfig
from tests.simulator.agreement import by_engine
from tests.simulator.worlds import world

SEEDS = st.integers(10_000, 10_000_000)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(SEEDS)
def test_trades_lots_dividends_and_financing_are_the_whole_profit(seed: int) -> None:
    case = world(seed)
    config = SimulatorConfig(**case.groups)
    ledger = by_engine(case, config)
    trades, start = fifo(ledger), config.episode.start_cash
    assert np.abs(ledger.equity - ledger.cash - ledger.values.sum(axis=1)).max() <= 1e-9 * start
    known = trades.pnl_net.sum() + ledger.dividends[-1] + ledger.financing[-1]
    size = max(start, float(np.abs(ledger.gross_value).max()))
    assert abs(ledger.equity[-1] - ledger.equity[0] - known) <= 1e-9 * size
    assert abs(trades.fees.sum() - ledger.fees[-1]) <= 1e-9 * size
    assert abs(trades.slippage.sum() - ledger.spread[-1] - ledger.impact[-1]) <= 1e-9 * size
    assert abs(ledger.dividends_by_asset.sum() - ledger.dividends[-1]) <= 1e-9 * size


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SEEDS)
def test_later_bars_change_nothing_that_came_before(seed: int) -> None:
    """Every price and volume after a bar is made another; the book up to that bar stays the same to the bit."""
    case = world(seed)
    config = SimulatorConfig(**case.groups)
    cut = (case.t0 + case.t1) // 2
    columns = {}
    for name in ("open", "high", "low", "close", "volume", "vwap"):
        column = getattr(case.bars, name)
        if column is not None:
            columns[name] = np.vstack([column[: cut + 1], column[cut + 1 :] * 1.37])
    other = dataclasses.replace(case, bars=dataclasses.replace(case.bars, **columns))
    one, two = by_engine(case, config), by_engine(other, config)
    rows = cut - case.t0 + 1
    assert np.array_equal(one.equity[:rows], two.equity[:rows])
    assert np.array_equal(one.shares[:rows], two.shares[:rows])
