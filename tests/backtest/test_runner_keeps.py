"""A runner keeps what a strategy has decided, and keeps it for that strategy alone."""

from typing import Any

from backtest.baselines import Equal
from backtest.config import BacktestConfig
from backtest.runner import Runner
from simulator.config import SimulatorConfig
from simulator.engine import Decisions
from simulator.market import Market, prepare_market
from tests.backtest.test_runner import T0, T1, same
from tests.simulator.markets import random_bars


def test_two_strategies_of_one_key_share_nothing() -> None:
    config, market = BacktestConfig(policy="equal"), prepare_market(random_bars(0, 100, 3), SimulatorConfig())
    runner, looked = Runner(config), []

    class Half(Equal):
        def prepare(self, market: Market, config: SimulatorConfig) -> None:
            looked.append(self)

        def shares_of(self, market: Market, t: int) -> Any:
            return super().shares_of(market, t) / 2

    whole, half = Equal(config), Half(config)
    (first, _), (second, _), (again, _) = (runner.run(one, market, config, T0, T1) for one in (whole, half, whole))
    assert looked == [half] and same(first, again) and not same(first, second)
    assert second.gross_value[1:].mean() < 0.7 * first.gross_value[1:].mean()


def test_targets_are_decided_once_a_range() -> None:
    config, market = BacktestConfig(policy="equal"), prepare_market(random_bars(0, 100, 3), SimulatorConfig())
    runner, asked = Runner(config), []

    class Counted(Equal):
        def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
            asked.append((t0, t1))
            return super().decisions(market, t0, t1)

    counted = Counted(config)
    for t1 in (T1, T1, T1 - 1):
        runner.run(counted, market, config, T0, t1)
    assert asked == [(T0, T1), (T0, T1 - 1)]
