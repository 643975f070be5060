"""A training leaves the best and the last policy, and says so when it diverges."""

import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3 import PPO

from marketdata.splits import Range
from rl import policy_file, training
from rl.actor import Actor, whole_episode
from rl.config import TrainConfig, TrainingConfig
from rl.model_config import ModelConfig
from rl.ppo import make_model
from rl.task import Task
from rl.training import TrainingDiverged, train
from runfiles import layout
from runfiles.events import EventWriter, read_events

VALIDATION = Range(513, 599)


def config(steps: int) -> TrainConfig:
    model = ModelConfig(n_steps=16, batch_size=64)
    return TrainConfig(model=model, training=TrainingConfig(total_timesteps=steps, n_envs=8, eval_every=256))


def run(task: Task, folder: Path, chosen: TrainConfig) -> list[str]:
    said: list[str] = []
    done = train(task, chosen, VALIDATION, folder, EventWriter(folder / layout.EVENTS), said.append)
    for name in (layout.BEST_POLICY, layout.LAST_POLICY):
        assert done.sha256[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return said


def test_it_leaves_policies_curves_and_news(task: Task, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    said = run(task, folder, config(steps=512))

    assert {item.name for item in folder.iterdir()} == {
        layout.BEST_POLICY, layout.LAST_POLICY, layout.TENSORBOARD, layout.PROGRESS_CSV, layout.EVENTS, "checkpoints"
    }  # fmt: skip
    events = read_events(folder / layout.EVENTS, 0)[0]
    assert [event["data"]["step"] for event in events if event["kind"] == "metric"] == [256, 512]
    assert alarms_of(folder) == []  # it is a healthy one
    assert "512 steps of 8 books" in said[0] and said[1].startswith("step 256 of 512")
    columns = (folder / layout.PROGRESS_CSV).read_text().splitlines()[0].split(",")
    assert {"validation/score", "train/loss", "rollout/ep_rew_mean", "rollout/ep_growth_mean"} <= set(columns)


def test_the_same_seed_leaves_the_same_policies(task: Task, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        run(task, folder, config(steps=512))

    for name in (layout.BEST_POLICY, layout.LAST_POLICY):
        assert len({(folder / name).read_bytes() for folder in folders}) == 1


def test_the_best_is_kept_by_its_validation_score(task: Task, tmp_path: Path) -> None:
    found = train(
        task, config(steps=1024), VALIDATION, tmp_path, EventWriter(tmp_path / layout.EVENTS), lambda text: None
    )

    path = tmp_path / layout.BEST_POLICY
    best = policy_file.load(path, hashlib.sha256(path.read_bytes()).hexdigest())
    actor = Actor(best.policy, task.layout, task.windows, task.market)
    score = whole_episode(actor, task.market, task.config, VALIDATION.t0, VALIDATION.t1).score
    assert score == found.best.score == max(look.score for look in found.looks)
    assert [look.step for look in found.looks] == [256, 512, 768, 1024]


def test_a_training_that_diverges_says_so(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> PPO:
        model = make_model(*args)
        model.policy.log_std.data.fill_(float("nan"))  # one bad gradient spoils every weight
        return model

    monkeypatch.setattr(training, "make_model", broken)
    with pytest.raises(TrainingDiverged, match=r"smaller model\.learning_rate"):
        run(task, tmp_path, config(steps=512))
    alarms = [event for event in read_events(tmp_path / layout.EVENTS, 0)[0] if event["kind"] == "alarm"]
    assert [alarm["data"]["rule"] for alarm in alarms] == ["nan"]
    assert "no longer finite" in alarms[0]["data"]["sentence"]


def alarms_of(folder: Path) -> list[dict[str, Any]]:
    return [event["data"] for event in read_events(folder / layout.EVENTS, 0)[0] if event["kind"] == "alarm"]


def test_alarms_are_events_of_the_run_and_those_that_its_curves_call_for(task: Task, tmp_path: Path) -> None:
    """The rules on updates, read out of the table of curves; `degenerate` is of looks, which it does not hold."""
    wild = config(steps=1024)
    wild = wild.model_copy(update={"model": wild.model.model_copy(update={"learning_rate": 0.3})})
    said = run(task, tmp_path, wild)
    with (tmp_path / layout.PROGRESS_CSV).open() as stream:
        updates = [row for row in csv.DictReader(stream) if row["train/approx_kl"]]
    assert len(updates) == 1024 // (16 * 8)
    far = [float(row["train/approx_kl"]) > 0.1 for row in updates]
    blind = [float(row["train/explained_variance"]) < -1 for row in updates]
    noise = [np.exp(-float(row["train/entropy_loss"]) / 4) / np.sqrt(2 * np.pi * np.e) for row in updates]
    called = {"kl": lasts(far, 3), "critic": lasts(blind, 5), "entropy": min(noise) < 0.01}

    alarms = alarms_of(tmp_path)
    rules = [alarm["rule"] for alarm in alarms]
    assert "kl" in rules and len(rules) == len(set(rules))
    assert set(rules) - {"degenerate"} == {rule for rule, sounds in called.items() if sounds}
    assert [line.split(": ", 1)[1] for line in said if line.startswith("alarm at step")] == [
        alarm["sentence"] for alarm in alarms
    ]


def lasts(flags: list[bool], count: int) -> bool:
    return any(all(flags[place : place + count]) for place in range(len(flags) - count + 1))
