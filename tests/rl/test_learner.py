"""PPO on indices is SB3's PPO: the same draws, the same advantages, the same gradients and parameters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger

from marketdata.splits import Range
from rl.config import TrainingConfig
from rl.learner import IndexedPPO
from rl.model_config import ModelConfig
from rl.nets import NETS
from rl.ppo import make_model, make_stock
from rl.task import Task
from tests.rl.planted import Planted, costs, task_of
from tests.rl.small import NOT_EVEN, settings

POLICIES = tuple(NETS)
SEEN = (*((policy, 8) for policy in POLICIES), *NOT_EVEN)
"""Policies and lookbacks."""
MODES = ("simplex_cash", "tanh_leverage", "discrete")
CASES = (
    *((*seen, mode) for seen in SEEN[: len(POLICIES)] for mode in MODES),
    *((*seen, MODES[0]) for seen in NOT_EVEN),
)
WHOLE = 6 * 40


def both(data: Planted, policy: str, mode: str, lookback: int = 8, **model: Any) -> tuple[IndexedPPO, PPO]:
    config = costs(allow_short=mode == "tanh_leverage", max_steps=12, mapping_mode=mode)
    task: Task = task_of(data, Range(lookback + 12, 500), lookback=lookback, config=config)
    chosen = ModelConfig.model_validate(
        {"policy": policy, "n_steps": 40, "batch_size": WHOLE, "n_epochs": 1, "net_arch": (16, 8)}
        | settings(policy, lookback)
        | model
    )
    made = make_model(task, chosen, TrainingConfig(n_envs=6)), make_stock(task, chosen, TrainingConfig(n_envs=6))
    assert isinstance(made[0], IndexedPPO) and type(made[1]) is PPO
    for one in made:
        one.set_logger(Logger(None, []))
    return made


def learned(model: PPO, steps: int) -> Mapping[str, torch.Tensor]:
    torch.manual_seed(3)
    model.learn(steps)
    return model.policy.state_dict()


@pytest.mark.parametrize(("policy", "lookback", "mode"), CASES)
def test_a_rollout_and_a_step_are_those_of_stock_ppo(data: Planted, policy: str, lookback: int, mode: str) -> None:
    ours, stock = both(data, policy, mode, lookback, ent_coef=0.01)
    mine, theirs = learned(ours, WHOLE), learned(stock, WHOLE)
    buffer = stock.rollout_buffer  # SB3 lays out advantages book by book once it has trained on them
    np.testing.assert_allclose(ours.rollout_buffer.reward, buffer.rewards, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.rollout_buffer.advantage.T.ravel(), buffer.advantages.ravel(), atol=1e-4)
    for name, value in theirs.items():
        torch.testing.assert_close(mine[name], value, rtol=1e-4, atol=2e-5, msg=name)
    for key in ("policy_gradient_loss", "value_loss", "approx_kl", "clip_fraction", "explained_variance"):
        found, right = (one.logger.name_to_value[f"train/{key}"] for one in (ours, stock))
        assert found == pytest.approx(right, rel=1e-3, abs=1e-5), key
    assert ours.logger.name_to_value.keys() >= stock.logger.name_to_value.keys() - {"time/fps"}


@pytest.mark.parametrize(("policy", "lookback"), SEEN)
def test_the_gradient_is_that_of_float64(data: Planted, policy: str, lookback: int) -> None:
    """A minibatch on indices in float32 beside the whole observation through SB3's policy in float64."""
    ours, _ = both(data, policy, "simplex_cash", lookback)
    learned(ours, WHOLE)  # so that ratios are not all 1
    batch = next(ours.rollout_buffer.shuffled(WHOLE))
    ours.policy.zero_grad()
    ours._loss(batch, 0.2).loss.backward()
    found = {name: value.grad.clone() for name, value in ours.policy.named_parameters()}
    policy64 = ours.policy.double()
    policy64.zero_grad()
    windows = ours.net.panel.windows(batch.rows).double()
    assets = ours.observation_space["window"].shape[1]  # type: ignore[index]
    window = windows.transpose(1, 2) if windows.shape[1] == assets else windows[:, 0].unflatten(2, (assets, -1))
    observation = {"window": window, "portfolio": batch.portfolio.double()}
    action, latent = policy64.mlp_extractor(policy64.features_extractor(observation))
    value = policy64.value_net(latent)
    log_prob = policy64._get_action_dist_from_latent(action).log_prob(batch.actions.double())
    advantage = batch.advantage.double()
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    ratio = torch.exp(log_prob - batch.log_prob.double())
    loss = -torch.min(advantage * ratio, advantage * ratio.clamp(0.8, 1.2)).mean()
    (loss + 0.5 * torch.nn.functional.mse_loss(batch.returns.double(), value.flatten())).backward()
    right = {name: parameter.grad for name, parameter in policy64.named_parameters()}
    apart = torch.cat([(found[name] - value).flatten() for name, value in right.items()]).norm()
    assert float(apart) <= 1e-6 * float(torch.cat([value.flatten() for value in right.values()]).norm())


def test_an_update_ends_early_by_its_kl(data: Planted) -> None:
    ours, _ = both(data, "mlp", "simplex_cash", target_kl=1e-6, n_epochs=9, batch_size=60)
    learned(ours, WHOLE)
    assert ours._n_updates == 1  # SB3 counts the epoch that was broken off


@pytest.mark.parametrize("policy", POLICIES)
def test_no_hidden_layer(data: Planted, policy: str) -> None:
    ours, stock = both(data, policy, "simplex_cash", net_arch=())
    mine, theirs = learned(ours, WHOLE), learned(stock, WHOLE)
    for name, value in theirs.items():
        torch.testing.assert_close(mine[name], value, rtol=1e-4, atol=2e-5, msg=name)
