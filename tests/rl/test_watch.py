"""The rules as they watch a real learner: by its own action space, and each update once."""

import math
from collections.abc import Callable

import pytest

from marketdata.splits import Range
from rl.alarms import Alarm, Watch
from rl.config import TrainingConfig
from rl.learner import IndexedPPO, Update
from rl.model_config import ModelConfig
from rl.ppo import make_model
from tests.rl.planted import Planted, costs, task_of
from tests.rl.test_alarms import NORMAL_ENTROPY

ASSETS = 3
FAR = 0.2


@pytest.fixture
def watching(data: Planted) -> Callable[[str], tuple[Watch, IndexedPPO, list[Alarm]]]:
    def made(mode: str) -> tuple[Watch, IndexedPPO, list[Alarm]]:
        config = costs(allow_short=mode == "tanh_leverage", mapping_mode=mode)
        task = task_of(data, Range(20, 500), config=config)
        model = make_model(task, ModelConfig(n_steps=8, batch_size=8), TrainingConfig(n_envs=2))
        told: list[Alarm] = []
        watch = Watch(told.append)
        watch.init_callback(model)
        watch.on_training_start({}, {})
        return watch, model, told

    return made


@pytest.mark.parametrize(("mode", "dimensions"), [("simplex_cash", ASSETS + 1), ("tanh_leverage", ASSETS)])
@pytest.mark.parametrize(("noise", "rules"), [(0.0101, []), (0.0099, ["entropy"])])
def test_the_noise_is_that_of_one_number_of_the_action(
    watching: Callable[[str], tuple[Watch, IndexedPPO, list[Alarm]]], mode: str, dimensions: int, noise: float,
    rules: list[str],
) -> None:  # fmt: skip
    watch, model, told = watching(mode)
    assert model.action_space.shape == (dimensions,)
    model.update = Update(0.01, dimensions * (NORMAL_ENTROPY + math.log(noise)), 0.5)
    watch.on_rollout_start()
    assert [alarm.rule for alarm in told] == rules
    assert all(alarm.value == pytest.approx(noise) for alarm in told)


@pytest.mark.parametrize(("left", "rules"), [(0.0201, []), (0.0199, ["entropy"])])
def test_of_choices_what_is_left_of_a_fair_draw_of_each_asset(
    watching: Callable[[str], tuple[Watch, IndexedPPO, list[Alarm]]], left: float, rules: list[str]
) -> None:
    watch, model, told = watching("discrete")
    choices = int(model.action_space.nvec[0])  # type: ignore[attr-defined]
    model.update = Update(0.01, ASSETS * math.log(choices) * left, 0.5)
    watch.on_rollout_start()
    assert [alarm.rule for alarm in told] == rules


def test_an_update_is_counted_once(watching: Callable[[str], tuple[Watch, IndexedPPO, list[Alarm]]]) -> None:
    """Three far updates sound, and not two that are looked at before a rollout and at the end."""
    watch, model, told = watching("simplex_cash")
    watch.on_rollout_start()  # before the first there is none
    for _ in range(2):
        model.update = Update(FAR, 4 * NORMAL_ENTROPY, 0.5)
        watch.on_rollout_start()
        watch.on_rollout_start()
        watch.on_training_end()
    assert not told
    model.update = Update(FAR, 4 * NORMAL_ENTROPY, 0.5)
    watch.on_training_end()
    assert [alarm.rule for alarm in told] == ["kl"]
