"""Every network with weights shared over assets finds a planted signal, and acts on it on bars that it never saw."""

from typing import Any

import numpy as np
import pytest
from stable_baselines3 import PPO

from marketdata.splits import Range
from rl.actor import Actor, whole_episode
from rl.config import TrainingConfig
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.ppo import make_model
from rl.task import Task
from simulator.engine import Decisions, run_decisions
from tests.rl.planted import Planted, costs, market_of, oracle_targets, planted, task_of

pytestmark = pytest.mark.slow

# Settings that a window of 8 bars has room for, steps, and a share of the oracle that two seeds passed by 0.1 or more.
LEARNERS: dict[str, tuple[dict[str, Any], int, float]] = {
    "asset_shared": ({}, 120_000, 0.5),
    "set_attention": ({}, 80_000, 0.35),
    "window_cnn": ({"cnn_channels": (16, 16), "cnn_kernel": 3}, 80_000, 0.3),
    "window_lstm": ({"lstm_hidden": 16}, 80_000, 0.55),
}


def test_every_network_is_here_but_the_one_that_remembers() -> None:
    assert set(LEARNERS) == set(NETS) - {"mlp"}


@pytest.mark.parametrize("network", LEARNERS)
def test_it_finds_a_planted_signal_on_bars_it_never_saw(network: str) -> None:
    """Growth on held-out bars as a share of what an oracle that knows the signal earns there, net of the same costs."""
    own, steps, share = LEARNERS[network]
    data = planted(k=0, n_bars=9_000)
    task, held_out = task_of(data, Range(20, 7_000)), Range(7_050, 8_999)
    model = make_model(task, ModelConfig.model_validate({"policy": network, **own}), TrainingConfig())

    before = capture(data, task, model, held_out)
    model.learn(steps)

    assert before < 0.1 and capture(data, task, model, held_out) > share


def capture(data: Planted, task: Task, model: PPO, span: Range) -> float:
    actor = Actor(model.policy, task.layout, task.windows, task.market)
    targets = oracle_targets(data.signal[span.t0 : span.t1], 0.5)
    oracle = run_decisions(
        market_of(data), costs(), Decisions(np.arange(span.t0, span.t1), targets), span.t0, span.t1
    ).equity
    best = float(np.log(oracle[-1] / oracle[0])) / span.n_bars
    assert best > 40e-4
    return whole_episode(actor, task.market, task.config, span.t0, span.t1).score / best
