"""A policy whose decisions come late: it sees what it was trained to see, and acts anew on its book."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.contest import Contest
from backtest.rerun import Reruns
from marketdata.splits import Range
from rl.policy_strategy import PolicyStrategy
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.rl.planted import costs
from tests.rl.test_policy_strategy import bars, stored, task_on

SPAN = Range(310, 370)


def later(config: SimulatorConfig, latency: int) -> SimulatorConfig:
    return config.model_copy(update={"exec": config.exec.model_copy(update={"latency_bars": latency})})


@pytest.mark.parametrize("trained", [0, 1])
@pytest.mark.parametrize("waterfall", [False, True])
def test_it_is_run_late_with_the_eyes_of_its_training(tmp_path: Path, trained: int, waterfall: bool) -> None:
    """Against the same policy stepped by hand under the later rules."""
    config = later(costs(), trained)
    path = tmp_path / "policy.zip"
    _, sha256 = stored(task_on(bars(), config), path)
    parts: dict[str, Any] = {name: getattr(config, name) for name in SimulatorConfig.model_fields}
    judged = BacktestConfig.model_validate(
        {**parts, "policy": "cash", "evaluation": {"baselines": ["cash"], "waterfall": waterfall}}
    )
    market, subject = prepare_market(bars(), judged), PolicyStrategy(path, sha256)
    contest = Contest(judged, subject)
    first = {one.key: one.ledger for one in contest.judge(market, SPAN, lambda: None)}
    rows = Reruns(contest, market, SPAN, ("cash",), np.zeros(SPAN.n_bars), first).delays((1, 2), lambda: None)
    by_hand = PolicyStrategy(path, sha256)
    by_hand.prepare(market, config)
    for row in rows:
        session = BookSession(market, later(config, trained + row.bars), SPAN.t0, SPAN.t1)
        while not session.done:
            session.step(by_hand.decide(session.t, session))
        ledger = session.ledger()
        assert row.strategies[0].total_return == ledger.equity[-1] / ledger.equity[0] - 1.0
    assert len({row.strategies[0].total_return for row in rows}) == 3
