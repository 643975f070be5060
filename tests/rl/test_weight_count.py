"""The count of weights by arithmetic is torch's own, for every network and mapping."""

from dataclasses import replace
from typing import Any

import pytest

from rl import date_nets, needs
from rl.config import TrainingConfig
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.ppo import make_model
from rl.task import Task
from rl.weight_count import Seen, weight_count
from simulator.config import SimulatorConfig
from tests.rl.planted import Planted, Range, costs, task_of
from tests.rl.small import OWN

CAPPED = {"max_step_change": 0.5}
NARROW: dict[str, Any] = {policy: {"features_dim": 8} for policy in NETS if policy != "mlp"}


def shown(task: Task, config: SimulatorConfig) -> Seen:
    layout, mode = task.layout, config.episode.mapping_mode
    return Seen(
        layout.n_assets, len(layout.channels), layout.lookback, layout.portfolio_size,
        scores=2 if mode == "discrete" else 1, cash=int(mode == "simplex_cash"), noise=mode != "discrete",
    )  # fmt: skip


@pytest.mark.parametrize("net_arch", [(), (7,), (9, 5, 4)])
@pytest.mark.parametrize("mode", ["simplex_cash", "tanh_leverage", "discrete"])
@pytest.mark.parametrize("policy", sorted(NETS))
def test_it_is_what_torch_counts(data: Planted, policy: str, mode: str, net_arch: tuple[int, ...]) -> None:
    config = costs(allow_short=mode == "tanh_leverage", mapping_mode=mode, **CAPPED)
    task = task_of(data, Range(20, 500), config=config)
    model = ModelConfig(
        policy=policy, net_arch=net_arch, batch_size=8, n_steps=8, **NARROW.get(policy, {}), **OWN.get(policy, {})
    )
    made = make_model(task, model, TrainingConfig(n_envs=2, seeds=(0,)))
    assert weight_count(model, shown(task, config)) == sum(each.numel() for each in made.policy.parameters())


def test_more_that_is_seen_is_more_to_read(task: Task) -> None:
    seen = shown(task, task.config)
    for policy in NETS:
        model = ModelConfig(policy=policy, batch_size=8, n_steps=8, **NARROW.get(policy, {}), **OWN.get(policy, {}))
        assert weight_count(model, replace(seen, channels=seen.channels + 1)) > weight_count(model, seen)


def test_the_needs_of_a_recurrence_are_those_of_its_pieces() -> None:
    assert needs.RECURRED == date_nets.HELD + 3 * date_nets.STEPPED
