"""News once a second, looks between updates, the best kept."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from stable_baselines3 import PPO

from rl.callbacks import Look, Progress, Selection, make_logger
from rl.config import TrainingConfig
from rl.model_config import ModelConfig
from rl.ppo import make_model, total_steps
from rl.task import Task
from runfiles.events import EventWriter, read_events


@pytest.fixture
def model(task: Task) -> PPO:
    return make_model(task, ModelConfig(n_steps=8, batch_size=32, n_epochs=1), TrainingConfig(n_envs=4))


class Clock:
    """Moves by `step` seconds each time it is read."""

    def __init__(self, step: float) -> None:
        self.now, self._step = 0.0, step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


def test_progress_comes_once_a_second_with_rate_and_time_left(model: PPO, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    model.learn(96, callback=Progress(EventWriter(path), 96, Clock(0.3)))

    told = [event for event in read_events(path, 0)[0] if event["kind"] == "progress"]

    assert told[0]["step"] == 0 and told[-1]["step"] == 96 and all(event["total"] == 96 for event in told)
    assert 6 <= len(told) <= 14  # 24 steps and 3 rollout starts, 0.3 s apart, with one more reading for each news
    assert told[-1]["eta_s"] == 0 and told[-1]["rate"] == pytest.approx(96 / elapsed(told), rel=0.2)


def elapsed(told: list[Any]) -> float:
    """By the clock of 0.3 s a reading: one for each of 24 steps, 3 rollouts and the two ends, 3 more for updates."""
    return 0.3 * (24 + 2 * 3 + 1)


def test_a_rate_knows_what_an_update_takes(model: PPO, tmp_path: Path) -> None:
    """Steps cost a second each and an update a hundred: without it the time left would be 20 times too short."""
    clock = Clock(1.0)
    train = model.train

    def slow() -> None:
        clock.now += 100.0
        train()

    model.train = slow  # type: ignore[method-assign]
    for expected in (None, 0.25):
        path = tmp_path / f"{expected}.jsonl"
        model.learn(96, callback=Progress(EventWriter(path), 96, clock, expected))
        told = [event for event in read_events(path, 0)[0] if event["kind"] == "progress"]
        first = [event for event in told if event["step"] <= 32]  # 3 rollouts of 32; an update after each
        if expected is None:
            assert {(event["rate"], event["eta_s"]) for event in first[:8]} == {(None, None)}
        else:
            assert [event["rate"] for event in first[:8]] == [0.25] * 8
            assert first[0]["eta_s"] == 96 / 0.25
            assert first[5]["eta_s"] == pytest.approx(96 / 0.25 - 6, abs=1.5)  # it runs down with the clock
        second = next(event for event in told if event["step"] > 40)
        assert second["rate"] == pytest.approx(32 / 110, rel=0.1)
        assert second["eta_s"] == pytest.approx(2 * 110, rel=0.1)


def test_looks_fall_between_updates_and_at_the_end(model: PPO) -> None:
    kept: list[int] = []
    told: list[tuple[Look, bool]] = []
    scores = iter([0.1, 0.3, 0.2])
    selection = Selection(lambda: next(scores), lambda: kept.append(model.num_timesteps),
                          lambda look, best: told.append((look, best)), every=64)  # fmt: skip

    model.learn(160, callback=selection)

    assert [look.step for look in selection.looks] == [64, 128, 160]
    assert kept == [64, 128] and selection.best == Look(128, 0.3)
    assert [best for _, best in told] == [True, True, False]


def test_a_score_stands_at_the_step_it_was_measured_at(model: PPO, tmp_path: Path) -> None:
    model.set_logger(make_logger(tmp_path, 0, 1, pytest.fail))
    scores = iter([0.1, 0.3, 0.2])
    model.learn(160, callback=Selection(lambda: next(scores), lambda: None, lambda look, best: None, every=64))
    model.logger.close()

    with (tmp_path / "progress.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["validation/score"]]

    assert [(row["time/total_timesteps"], row["validation/score"]) for row in rows] == [
        ("64", "0.1"), ("128", "0.3"), ("160", "0.2"),
    ]  # fmt: skip


def test_the_last_look_is_not_repeated(model: PPO) -> None:
    selection = Selection(lambda: 0.0, lambda: None, lambda look, best: None, every=4096)

    model.learn(64, callback=selection)

    assert [look.step for look in selection.looks] == [64]


@pytest.mark.parametrize(
    ("patience", "scores", "steps"),
    [(1, (0.1, 0.3, 0.3, 0.9), (64, 128, 192)),  # reached again is no new best
     (2, (0.1, 0.3, 0.2, 0.4, 0.1, 0.2, 0.9), (64, 128, 192, 256, 320, 384)),
     (None, (0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), (64, 128, 192, 256, 320, 384, 448))],
)  # fmt: skip
def test_it_ends_after_looks_without_a_new_best(
    model: PPO, patience: int | None, scores: tuple[float, ...], steps: tuple[int, ...]
) -> None:
    found = iter(scores)
    selection = Selection(lambda: next(found), lambda: None, lambda look, best: None, every=64, patience=patience)
    model.learn(448, callback=selection)
    assert [look.step for look in selection.looks] == list(steps)
    assert selection.stopped == (patience is not None) and model.num_timesteps <= steps[-1] + 4


@pytest.mark.parametrize(("asked", "done"), [(256, 512), (512, 512), (513, 1024)])
def test_steps_are_rounded_up_to_whole_rollouts(asked: int, done: int) -> None:
    assert total_steps(ModelConfig(n_steps=8), TrainingConfig(total_timesteps=asked)) == done


def test_events_are_plain_json(model: PPO, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    model.learn(32, callback=Progress(EventWriter(path), 32))

    assert all(json.loads(line)["phase"] == "data" for line in path.read_text().splitlines())
