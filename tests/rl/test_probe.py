"""How long a training is said to take beside how long it takes; and that asking leaves no trace in it."""

import time
from pathlib import Path
from typing import Any

import pytest

from marketdata.splits import Range
from rl import probe
from rl.config import TrainConfig
from rl.probe import _minibatch, _Timed, expect
from rl.task import Task
from rl.training import train
from runfiles.events import EventWriter, read_events
from tests.rl.planted import VALIDATION, planted, task_of


def config(**changes: Any) -> TrainConfig:
    small = {
        "features": {"lookback": 8},
        "model": {"n_steps": 16, "batch_size": 64, "features_dim": 8, **changes.pop("model", {})},
        "training": {
            "total_timesteps": 512,
            "n_envs": 8,
            "eval_every": 256,
            "seeds": [3],
            **changes.pop("training", {}),
        },
    }
    return TrainConfig.model_validate(small | changes)


def trained(task: Task, wanted: TrainConfig, folder: Path, rate: float | None = None) -> dict[str, str]:
    folder.mkdir()
    events = EventWriter(folder / "events.jsonl")
    return train(task, wanted, VALIDATION, folder, events, lambda text: None, rate=rate).sha256


def test_asking_leaves_no_trace(task: Task, tmp_path: Path) -> None:
    before = trained(task, config(), tmp_path / "before")
    found = expect(task, config(), VALIDATION)
    assert found is not None and found.seconds > 0
    assert trained(task, config(), tmp_path / "after", found.rate) == before
    first = next(
        event for event in read_events(tmp_path / "after" / "events.jsonl", 0)[0] if event["kind"] == "progress"
    )
    assert (first["step"], first["rate"]) == (0, found.rate)
    assert first["eta_s"] == pytest.approx(found.seconds)


def test_what_is_still_to_be_made_counts(task: Task) -> None:
    whole, rest = (expect(task, config(), VALIDATION, done) for done in (0, 256))
    assert whole is not None and rest is not None
    assert (whole.steps, whole.rollouts, whole.looks) == (512, 4, 2)
    assert (rest.steps, rest.rollouts, rest.looks) == (256, 2, 1)
    assert whole.exact and whole.rate == pytest.approx(512 / whole.seconds)


def test_it_looks_as_often_as_the_training_does(task: Task, tmp_path: Path) -> None:
    for every in (256, 300, 1000):
        wanted = config(training={"eval_every": every})
        events = EventWriter(tmp_path / f"{every}.jsonl")
        folder = tmp_path / str(every)
        folder.mkdir()
        made = train(task, wanted, VALIDATION, folder, events, lambda text: None)
        found = expect(task, wanted, VALIDATION)
        assert found is not None and found.looks == len(made.looks)


def test_without_time_it_extrapolates_from_the_least(task: Task) -> None:
    found = expect(task, config(), VALIDATION, budget=0.0)
    assert found is not None and not found.exact and found.seconds > 0


def test_a_learning_rate_at_which_it_would_diverge_is_no_hindrance(task: Task) -> None:
    assert expect(task, config(model={"learning_rate": 1.0, "target_kl": 1e-9}), VALIDATION) is not None


@pytest.mark.parametrize(
    ("found", "samples", "seconds"),
    [
        ([(100, 1.1), (200, 2.1)], 1000, 10.1),  # 0.1 + 0.01 a sample
        ([(100, 1.1)], 400, 4.4),
        ([(100, 1.1), (400, 4.1)], 400, 4.1),
        ([(100, 2.0), (200, 1.0)], 400, 1.0),  # a hiccup must not make it negative
    ],
)
def test_a_minibatch_lies_on_the_line(found: list[tuple[int, float]], samples: int, seconds: float) -> None:
    timed = [_Timed(batch, 0.0, 0.0, minibatch) for batch, minibatch in found]
    assert _minibatch(timed, samples) == pytest.approx(seconds)


@pytest.mark.slow
def test_it_is_near_the_time_that_is_taken(tmp_path: Path) -> None:
    """In processor time, so that what else the machine does counts in neither."""
    task = task_of(planted(n_bars=3000, n_assets=5), Range(20, 2400))
    wanted = config(
        model={"n_steps": 64, "batch_size": 1024, "features_dim": 32},
        training={"total_timesteps": 8 * 4096, "n_envs": 64, "eval_every": 16_384},
    )
    began = time.process_time()
    found = probe.expect(task, wanted, VALIDATION, clock=time.process_time)
    asked = time.process_time()
    trained(task, wanted, tmp_path / "run")
    took = time.process_time() - asked
    assert found is not None and 0.5 < found.seconds / took < 2.0
    assert asked - began < 4.0
