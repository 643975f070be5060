"""What a rollout makes of rewards: value at truncation, none at termination, advantages by the recursion."""

import numpy as np
import pytest
import torch

from marketdata.splits import Range
from rl.config import TrainingConfig
from rl.episodes import Sight
from rl.learner import IndexedPPO
from rl.model_config import ModelConfig
from rl.ppo import make_model
from rl.task import Task
from rl.vec_env import Bar, PortfolioVecEnv
from tests.rl.planted import Planted, costs, task_of

GAMMA, LAMBDA = 0.8, 0.7
Collected = tuple[Task, "IndexedPPO", "Recorder"]


class Recorder:
    """Keeps what the environment said beside what the rollout made of it."""

    def __init__(self, env: PortfolioVecEnv) -> None:
        self.bars: list[Bar] = []
        self._advance = env.advance
        env.advance = self.advance  # type: ignore[method-assign]

    def advance(self, actions: np.ndarray) -> Bar:
        self.bars.append(self._advance(actions))
        return self.bars[-1]

    @property
    def rewards(self) -> np.ndarray:
        return np.array([bar.reward for bar in self.bars])

    @property
    def dones(self) -> np.ndarray:
        return np.array([bar.done for bar in self.bars])


def collected(task: Task) -> tuple[IndexedPPO, Recorder]:
    model = make_model(task, ModelConfig(n_steps=40, batch_size=60, gamma=GAMMA, gae_lambda=LAMBDA, n_epochs=1),
                       TrainingConfig(n_envs=6))  # fmt: skip
    assert isinstance(model, IndexedPPO)
    said = Recorder(model.get_env())  # type: ignore[arg-type]
    _, callback = model._setup_learn(240)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, 40)
    return model, said


@pytest.fixture(scope="module")
def rollout(data: Planted) -> Collected:
    config = costs(max_steps=12)
    config = config.model_copy(update={"guards": config.guards.model_copy(update={"stop_eq_frac": 0.99})})
    task = task_of(data, Range(20, 500), config=config)
    return (task, *collected(task))


def value(task: Task, model: IndexedPPO, sight: Sight) -> np.ndarray:
    """(N,) by SB3's own forward pass on windows."""
    observation = {"window": task.windows.gather(sight.bars), "portfolio": sight.portfolio}
    with torch.no_grad():
        return np.asarray(model.policy.predict_values(model.policy.obs_to_tensor(observation)[0])).ravel()


def test_truncated_ends_get_the_value_of_their_last_observation(rollout: Collected) -> None:
    task, model, said = rollout
    kinds = set()
    for t, bar in enumerate(said.bars):
        if not len(bar.ended):
            continue
        later = np.where(bar.truncated, GAMMA * value(task, model, bar.last), 0.0)
        np.testing.assert_allclose(model.rollout_buffer.reward[t, bar.ended], bar.reward[bar.ended] + later, atol=1e-5)
        kinds.update(bar.truncated.tolist())
    assert kinds == {True, False}


def test_other_rewards_are_as_paid(rollout: Collected) -> None:
    _, model, said = rollout
    assert np.array_equal(model.rollout_buffer.reward[~said.dones], said.rewards[~said.dones])


def test_advantages_follow_the_recursion(rollout: Collected) -> None:
    """A_t = Σ (γλ)^k δ_{t+k} up to the end of the episode, summed term by term."""
    task, model, said = rollout
    buffer, dones = model.rollout_buffer, said.dones
    values = buffer.values.numpy()
    following = np.vstack((values[1:], value(task, model, said.bars[-1].sight)))
    delta = buffer.reward + GAMMA * np.where(dones, 0.0, following) - values
    for i in range(6):
        for t in range(40):
            total, weight = 0.0, 1.0
            for k in range(t, 40):
                total += weight * delta[k, i]
                weight *= GAMMA * LAMBDA
                if dones[k, i]:
                    break
            assert buffer.advantage[t, i] == pytest.approx(total, abs=1e-4)


def test_minibatches_hold_every_sample_once(rollout: Collected) -> None:
    _, model, said = rollout
    batches = list(model.rollout_buffer.shuffled(60))
    assert [len(batch.rows) for batch in batches] == [60] * 4
    first = said.bars[0].sight
    seen = {(int(row), portfolio.tobytes()) for batch in batches
            for row, portfolio in zip(batch.rows, batch.portfolio.numpy(), strict=True)}  # fmt: skip
    kept = {(int(bar) - 7, portfolio.tobytes()) for one in said.bars[:-1]
            for bar, portfolio in zip(one.sight.bars, one.sight.portfolio, strict=True)}  # fmt: skip
    assert len(seen) > 200 and kept <= seen and (int(first.bars[0]) - 7, first.portfolio[0].tobytes()) in seen
    returns = torch.cat([batch.returns for batch in batches]).sort().values
    whole = (model.rollout_buffer.values + model.rollout_buffer.advantage).flatten().sort().values
    assert torch.equal(returns, whole)
