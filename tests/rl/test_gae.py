"""What stock PPO makes of our rewards: value at truncation, none at termination, advantages by the recursion."""

from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from marketdata.splits import Range
from rl.config import ModelConfig, TrainingConfig
from rl.ppo import make_model
from rl.task import Task
from rl.vec_env import PortfolioVecEnv
from tests.rl.planted import Planted, costs, task_of

GAMMA, LAMBDA = 0.8, 0.7


class Recorder:
    """Keeps what the environment said beside what the buffer made of it."""

    def __init__(self, env: PortfolioVecEnv) -> None:
        self.rewards: list[np.ndarray] = []
        self.dones: list[np.ndarray] = []
        self.infos: list[list[dict[str, Any]]] = []
        self._step = env.step_wait
        env.step_wait = self.step_wait  # type: ignore[method-assign]

    def step_wait(self) -> Any:
        result = self._step()
        self.rewards.append(result[1].copy())
        self.dones.append(result[2].copy())
        self.infos.append(result[3])
        return result


def collected(task: Task) -> tuple[PPO, Recorder]:
    model = make_model(task, ModelConfig(n_steps=40, batch_size=60, gamma=GAMMA, gae_lambda=LAMBDA, n_epochs=1),
                       TrainingConfig(n_envs=6))  # fmt: skip
    said = Recorder(model.get_env())  # type: ignore[arg-type]
    _, callback = model._setup_learn(240)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, 40)
    return model, said


@pytest.fixture(scope="module")
def rollout(data: Planted) -> tuple[PPO, Recorder]:
    config = costs(max_steps=12)
    config = config.model_copy(update={"guards": config.guards.model_copy(update={"stop_eq_frac": 0.99})})
    return collected(task_of(data, Range(20, 500), config=config))


def value(model: PPO, observation: dict[str, np.ndarray]) -> float:
    with torch.no_grad():
        return float(model.policy.predict_values(model.policy.obs_to_tensor(observation)[0]))


def test_truncated_ends_get_the_value_of_their_last_observation(rollout: tuple[PPO, Recorder]) -> None:
    model, said = rollout
    kinds = set()
    for t, i in np.argwhere(np.array(said.dones)):
        info = said.infos[t][i]
        later = GAMMA * value(model, info["terminal_observation"]) if info["TimeLimit.truncated"] else 0.0
        assert model.rollout_buffer.rewards[t, i] == pytest.approx(said.rewards[t][i] + later, abs=1e-5)
        kinds.add(info["TimeLimit.truncated"])
    assert kinds == {True, False}


def test_other_rewards_are_as_paid(rollout: tuple[PPO, Recorder]) -> None:
    model, said = rollout
    running = ~np.array(said.dones)

    assert np.array_equal(model.rollout_buffer.rewards[running], np.array(said.rewards)[running])


def test_advantages_follow_the_recursion(rollout: tuple[PPO, Recorder]) -> None:
    """A_t = Σ (γλ)^k δ_{t+k} up to the end of the episode, summed term by term."""
    model, said = rollout
    buffer, dones = model.rollout_buffer, np.array(said.dones)
    with torch.no_grad():
        last = model.policy.predict_values(model.policy.obs_to_tensor(dict(model._last_obs))[0]).numpy().ravel()
    following = np.vstack((buffer.values[1:], last))
    delta = buffer.rewards + GAMMA * np.where(dones, 0.0, following) - buffer.values
    for i in range(6):
        for t in range(40):
            total, weight = 0.0, 1.0
            for k in range(t, 40):
                total += weight * delta[k, i]
                weight *= GAMMA * LAMBDA
                if dones[k, i]:
                    break
            assert buffer.advantages[t, i] == pytest.approx(total, abs=1e-4)


def test_minibatches_hold_the_windows_that_were_seen(data: Planted) -> None:
    task = task_of(data, Range(20, 500))
    model, _ = collected(task)
    buffer = model.rollout_buffer
    bars, portfolios = (buffer.observations[key].reshape(240, -1).copy() for key in ("bar", "portfolio"))
    samples = next(buffer.get(240)).observations

    def pairs(windows: np.ndarray, beside: np.ndarray) -> list[tuple[bytes, bytes]]:
        return sorted((np.ascontiguousarray(w).tobytes(), p.tobytes()) for w, p in zip(windows, beside, strict=True))

    assert samples["window"].shape == (240, 8, 3, 4) and len(set(map(bytes, portfolios))) > 100
    seen = pairs(task.windows.gather(bars.ravel()), portfolios)
    assert pairs(samples["window"].numpy(), samples["portfolio"].numpy()) == seen
