"""A training leaves the best and the last policy, and says so when it diverges."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from stable_baselines3 import PPO

from marketdata.splits import Range
from rl import policy_file, training
from rl.actor import Actor, whole_episode
from rl.config import ModelConfig, TrainConfig, TrainingConfig
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


def test_alarms_are_events_of_the_run(task: Task, tmp_path: Path) -> None:
    wild = config(steps=1024)
    wild = wild.model_copy(update={"model": wild.model.model_copy(update={"learning_rate": 0.3})})
    said = run(task, tmp_path, wild)
    alarms = [event["data"] for event in read_events(tmp_path / layout.EVENTS, 0)[0] if event["kind"] == "alarm"]
    assert "kl" in [alarm["rule"] for alarm in alarms]
    assert all(any(alarm["sentence"] in line for line in said) for alarm in alarms)
