"""A stored policy that hands a book to itself acts as if nobody had: what it knows of the book's past goes along."""

from pathlib import Path

import numpy as np
import pytest

from backtest.relay import Relay
from rl.config import RewardConfig
from rl.policy_strategy import PolicyStrategy
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market
from tests.backtest.books import run_strategy
from tests.backtest.relays import relay
from tests.rl.planted import costs
from tests.rl.test_policy_strategy import bars, stored, task_on

T0, T1 = 310, 400


@pytest.fixture(scope="module", params=["log_nav", "diff_sharpe"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("policy") / "policy.zip"
    config = costs(max_step_change=0.3)
    return path, stored(task_on(bars(), config, RewardConfig(mode=request.param)), path)[1]


def stitched(market: Market, config: SimulatorConfig, kept: tuple[Path, str]) -> Relay:
    return relay(market, (T0, 340, 371), [PolicyStrategy(*kept) for _ in range(3)])


def test_handed_to_itself_it_leaves_the_same_book(kept: tuple[Path, str]) -> None:
    config = costs(max_step_change=0.3)
    market = prepare_market(bars(), config)
    alone = run_strategy(PolicyStrategy(*kept), market, config, T0, T1)
    found = run_strategy(stitched(market, config, kept), market, config, T0, T1)
    assert np.array_equal(alone.equity, found.equity) and np.array_equal(alone.shares, found.shares)
    assert len(alone.orders) > 50


def test_what_it_says_of_its_training(kept: tuple[Path, str]) -> None:
    config = costs(max_step_change=0.3)
    market, policy = prepare_market(bars(), config), PolicyStrategy(*kept)
    assert policy.steps == 256
    found = stitched(market, config, kept)
    assert found.sees == policy.sees and found.trained_symbols() == policy.trained_symbols()
    assert found.taught() == policy.taught() and found.learned_spans() == ()
    assert found.seen_bars(market, 290, T1) == policy.seen_bars(market, 290, T1)
