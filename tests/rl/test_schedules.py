"""Learning rate and clip that change over a training: their closed form at every update, also over a stop."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from stable_baselines3 import PPO
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from marketdata.config_base import config_hash, sentences
from rl.config import TrainConfig, TrainingConfig
from rl.model_config import ModelConfig
from rl.ppo import make_model, make_stock
from rl.task import Task
from runfiles import layout
from runfiles.job import JobCancelled
from tests.rl.checkpoint.stopping import go_on, outcome, stopped_at, trained
from tests.rl.checkpoint.test_exact import ROLLOUT, config

UPDATES = 6
FALLING = {"learning_rate": 4e-3, "learning_rate_end": 1e-3, "clip_range": 0.3, "clip_range_end": 0.0}


def asked(**model: Any) -> TrainConfig:
    """Six rollouts, because five and a step are rounded up; a look after each update."""
    return config(steps=5 * ROLLOUT + 1, eval_every=256, model=FALLING | model)


def right(start: float, end: float) -> list[float]:
    """What update k = 1 .. K of K uses: the part of the steps that are done by then lies between start and end."""
    return [start + k / UPDATES * (end - start) for k in range(1, UPDATES + 1)]


def by_update(folder: Path, column: str) -> list[float]:
    """Values of a column of the table, one an update; SB3 counts two epochs each."""
    with (folder / layout.PROGRESS_CSV).open() as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("train/n_updates")]
    found = {int(row["train/n_updates"]): float(row[column]) for row in rows}
    assert sorted(found) == [2 * k for k in range(1, UPDATES + 1)]
    return [found[key] for key in sorted(found)]


def test_each_update_has_its_closed_form(task: Task, tmp_path: Path) -> None:
    trained(task, asked(), tmp_path / "run")
    assert by_update(tmp_path / "run", "train/learning_rate") == pytest.approx(right(4e-3, 1e-3), rel=1e-12)
    assert by_update(tmp_path / "run", "train/clip_range") == pytest.approx(right(0.3, 0.0), rel=1e-12, abs=1e-15)

    curves = EventAccumulator(str(tmp_path / "run" / layout.TENSORBOARD)).Reload()
    for tag, values in (("train/learning_rate", right(4e-3, 1e-3)), ("train/clip_range", right(0.3, 0.0))):
        assert [one.value for one in curves.Scalars(tag)] == pytest.approx(values, rel=1e-6, abs=1e-8)


def test_without_an_end_nothing_changes(task: Task, tmp_path: Path) -> None:
    trained(task, asked(learning_rate_end=None, clip_range_end=None), tmp_path / "run")
    assert by_update(tmp_path / "run", "train/learning_rate") == [4e-3] * UPDATES
    assert by_update(tmp_path / "run", "train/clip_range") == [0.3] * UPDATES


@pytest.mark.parametrize("bar", [20, 50, 90])
def test_a_training_that_goes_on_counts_from_where_it_stood(task: Task, tmp_path: Path, bar: int) -> None:
    trained(task, asked(), tmp_path / "whole")
    with stopped_at(bar), pytest.raises(JobCancelled):
        trained(task, asked(), tmp_path / "first")
    go_on(tmp_path / "first", tmp_path / "second")
    trained(task, asked(), tmp_path / "second")
    assert outcome(tmp_path / "second") == outcome(tmp_path / "whole")
    for column in ("train/learning_rate", "train/clip_range"):
        assert by_update(tmp_path / "second", column) == by_update(tmp_path / "whole", column)


def test_it_is_a_step_of_that_size(task: Task) -> None:
    """Ours and stock PPO end with the rate and the clip of the last update; its rate of nothing moves no weight."""
    settings = ModelConfig(n_steps=16, batch_size=64, n_epochs=1, learning_rate_end=0.0, clip_range_end=0.1)
    for make in (make_model, make_stock):
        model = make(task, settings, TrainingConfig(n_envs=8))
        model.learn(ROLLOUT)
        fresh = make(task, settings, TrainingConfig(n_envs=8)).policy.state_dict()
        assert all(bool((fresh[name] == value).all()) for name, value in model.policy.state_dict().items())
        assert model.policy.optimizer.param_groups[0]["lr"] == 0.0
        assert model.clip_range(model._current_progress_remaining) == pytest.approx(0.1)


def test_stock_load_goes_on_with_it(task: Task, tmp_path: Path) -> None:
    trained(task, asked(), tmp_path / "run")
    again = PPO.load(io.BytesIO((tmp_path / "run" / layout.LAST_POLICY).read_bytes()))
    for part, rate, clip in ((1.0, 4e-3, 0.3), (0.5, 2.5e-3, 0.15), (0.0, 1e-3, 0.0)):
        assert again.lr_schedule(part) == pytest.approx(rate) and again.clip_range(part) == pytest.approx(clip)


@pytest.mark.parametrize("name", ["learning_rate", "clip_range"])
def test_start_end_and_schedule_in_one_are_the_same(name: str) -> None:
    apart = TrainConfig.model_validate({"model": {name: 0.5, f"{name}_end": 0.1}})
    for told in ({"start": 0.5, "end": 0.1, "schedule": "linear"}, {"start": 0.5, "end": 0.1}):
        assert config_hash(TrainConfig.model_validate({"model": {name: told}})) == config_hash(apart)
    plain = TrainConfig.model_validate({"model": {name: {"start": 0.5, "schedule": "constant"}}})
    assert plain == TrainConfig.model_validate({"model": {name: 0.5}})


@pytest.mark.parametrize(
    ("model", "field", "said"),
    [
        ({"learning_rate_end": -0.1}, "learning_rate_end", "Must be at least 0."),
        ({"clip_range_end": 1.5}, "clip_range_end", "Must be at most 1."),
        ({"learning_rate": {"start": 0.0, "end": 0.1}}, "learning_rate", "Must be more than 0."),
        (
            {"learning_rate": {"start": 0.1, "end": 0.1, "schedule": "cosine"}},
            "learning_rate",
            "learning_rate must be a number, or start, end and schedule: linear or constant.",
        ),
        (
            {"clip_range": {"start": 0.1, "schedule": "linear"}},
            "clip_range",
            "clip_range needs an end where its schedule is linear, and has none where it is constant.",
        ),
        (
            {"clip_range": {"start": 0.1, "end": 0.0}, "clip_range_end": 0.2},
            "clip_range_end",
            "clip_range_end must be left empty where clip_range says its own end.",
        ),
    ],
)
def test_what_is_no_schedule_is_refused_by_name(model: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ValidationError) as fault:
        TrainConfig.model_validate({"model": model})
    assert sentences(fault.value) == {f"model.{field}": [said]}
