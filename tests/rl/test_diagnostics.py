"""What TensorBoard holds of each rollout and update, read back by TensorBoard's own reader and made again by numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from marketdata.splits import Range
from rl.callbacks import make_logger
from rl.config import RewardConfig, TrainingConfig
from rl.diagnostics import RolloutDiagnostics
from rl.model_config import ModelConfig
from rl.ppo import make_model
from runfiles import layout
from tests.rl.planted import Planted, costs, task_of

UPDATES = 3


class Kept(BaseCallback):
    """What the books were given and paid, as the environment says it."""

    def __init__(self) -> None:
        super().__init__()
        self.paid: list[list[float]] = []

    def _on_rollout_start(self) -> None:
        self.paid.append([])

    def _on_step(self) -> bool:
        self.paid[-1].append(float(self.locals["bar"].reward.astype(np.float64).mean()))
        return True


def learned(data: Planted, folder: Path, **episode: Any) -> tuple[Any, Kept, EventAccumulator]:
    reward = RewardConfig(w_turnover=0.5, w_drawdown=0.2)
    task = task_of(data, Range(20, 500), config=costs(**episode), reward=reward)
    model = make_model(task, ModelConfig(n_steps=16, batch_size=32, n_epochs=2), TrainingConfig(n_envs=4))
    model.set_logger(make_logger(folder, 0, 1, pytest.fail))
    kept = Kept()
    model.learn(UPDATES * 64, callback=[kept, RolloutDiagnostics(task.layout)])
    model.logger.dump(model.num_timesteps)
    model.logger.close()
    found = EventAccumulator(str(folder / layout.TENSORBOARD), size_guidance={"histograms": 0, "scalars": 0})
    found.Reload()
    return model, kept, found


def values(found: EventAccumulator, tag: str) -> list[float]:
    return [event.value for event in found.Scalars(tag)]


@pytest.fixture(scope="module")
def run(data: Planted, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Kept, EventAccumulator]:
    return learned(data, tmp_path_factory.mktemp("tb"))


def test_terms_of_the_reward_sum_to_what_was_paid(run: tuple[Any, Kept, EventAccumulator]) -> None:
    model, kept, found = run
    terms = [tag for tag in found.Tags()["scalars"] if tag.startswith("reward/") and tag != "reward/total"]
    assert {"reward/log_nav", "reward/turnover", "reward/drawdown"} <= set(terms)
    paid = [np.mean(steps) for steps in kept.paid]
    np.testing.assert_allclose(values(found, "reward/total"), paid, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.sum([values(found, tag) for tag in terms], axis=0), paid, rtol=1e-4, atol=1e-6)
    assert sum(model.rollout_buffer.terms().values()) == pytest.approx(paid[-1], abs=1e-6)


def test_every_rollout_has_histograms_of_actions_and_weights(run: tuple[Any, Kept, EventAccumulator]) -> None:
    model, _, found = run
    for tag, last in (("actions/hist", model.rollout_buffer.actions), ("weights/hist", weights_of(model))):
        seen = [event.histogram_value for event in found.Histograms(tag)]
        assert len(seen) == UPDATES and all(sum(one.bucket) == one.num for one in seen)
        assert seen[-1].num == last.numel()
        assert seen[-1].sum == pytest.approx(float(last.double().sum()), rel=1e-5)


def weights_of(model: Any) -> Any:
    return model.rollout_buffer.portfolio[..., 3:6]  # after cash, gross and drawdown; three symbols


def test_saturation_and_gross_are_those_of_the_rollout(run: tuple[Any, Kept, EventAccumulator]) -> None:
    model, _, found = run
    actions = model.rollout_buffer.actions.numpy()
    assert values(found, "actions/saturation")[-1] == pytest.approx((np.abs(actions) >= 1).mean(), abs=1e-6)
    gross = np.abs(weights_of(model).numpy()).sum(axis=-1).mean()
    assert values(found, "weights/gross")[-1] == pytest.approx(gross, rel=1e-5)


def test_gradients_by_layer_come_once_an_update_in_the_networks_order(
    run: tuple[Any, Kept, EventAccumulator],
) -> None:
    model, _, found = run
    tags = [tag for tag in sorted(found.Tags()["scalars"]) if tag.startswith("grads/by_layer/")]
    assert [tag.rpartition("/")[2].partition("_")[2] for tag in tags] == model.gradients.layers
    matrix = np.array([values(found, tag) for tag in tags])
    assert matrix.shape == (len(tags), UPDATES)
    np.testing.assert_allclose(matrix[:, -1], model.gradients.by_layer(), rtol=1e-6)
    largest = matrix.max(axis=0)
    assert (largest <= np.array(values(found, "grads/norm_max")) * (1 + 1e-6)).all()


def test_discrete_actions_have_no_bounds_to_lie_on(data: Planted, tmp_path: Path) -> None:
    _, _, found = learned(data, tmp_path, mapping_mode="discrete")
    assert "actions/saturation" not in found.Tags()["scalars"]
    assert len(found.Histograms("actions/hist")) == UPDATES
