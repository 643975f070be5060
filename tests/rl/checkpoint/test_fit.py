"""A checkpoint goes on in its own training only: another configuration, other bars, other features are refused."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from marketdata.splits import Range
from rl.checkpoint import made_with
from rl.checkpoint.fault import CheckpointMisfit
from rl.task import Task
from runfiles import layout
from runfiles.events import read_events
from runfiles.job import JobCancelled
from tests.rl.checkpoint.stopping import go_on, outcome, stopped_at, trained
from tests.rl.checkpoint.test_exact import config
from tests.rl.planted import Planted, planted, task_of


@pytest.fixture
def again(task: Task, tmp_path: Path) -> Path:
    with stopped_at(40), pytest.raises(JobCancelled):
        trained(task, config(), tmp_path / "first")
    go_on(tmp_path / "first", tmp_path / "again")
    return tmp_path / "again"


@pytest.mark.parametrize("other", [config(model={"gamma": 0.8}), config(seeds=[1]), config(steps=4096)])
def test_another_configuration(task: Task, again: Path, other: object) -> None:
    with pytest.raises(CheckpointMisfit, match="another configuration"):
        trained(task, other, again)  # type: ignore[arg-type]


def test_other_bars(again: Path) -> None:
    with pytest.raises(CheckpointMisfit, match="features are not those"):
        trained(task_of(planted(k=1, n_bars=600, n_assets=3), Range(20, 500)), config(), again)


def test_one_other_number_after_the_training_bars(data: Planted, again: Path) -> None:
    """Validation and test see it, so it is another training, though the normaliser is the same."""
    values = data.features.values.copy()
    values[560, 1, 0] = np.nextafter(np.float32(values[560, 1, 0]), np.float32(9), dtype=np.float32)
    changed = Planted(data.bars, type(data.features)(values, data.features.names), data.signal)
    with pytest.raises(CheckpointMisfit, match="features are not those"):
        trained(task_of(changed, Range(20, 500)), config(), again)


def test_another_processor_is_told(task: Task, again: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = made_with.made_with(torch.device("cpu"))
    monkeypatch.setattr("rl.training.made_with", lambda device: here | {"cpu": "abacus", "code": "f" * 64})
    trained(task, config(), again)
    warned = [event for event in read_events(again / layout.EVENTS, 0)[0] if event["kind"] == "warning"]
    assert [event["data"]["sentence"] for event in warned] == [
        f"The training was begun with another code; processor {here['cpu']}, now abacus. What comes of it need not be "
        "what it would have been without the stop."
    ]


def test_on_the_same_machine_nothing_is_told(task: Task, again: Path, tmp_path: Path) -> None:
    trained(task, config(), again)
    assert not [event for event in read_events(again / layout.EVENTS, 0)[0] if event["kind"] == "warning"]
    trained(task, config(), tmp_path / "whole")
    assert outcome(again) == outcome(tmp_path / "whole")


def test_another_count_of_threads_is_told(task: Task, again: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that torch computes with, whatever the environment says; the begun one had `training.threads` 1."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    torch.set_num_threads(3)
    monkeypatch.setattr("rl.ppo.torch.set_num_threads", lambda count: None)
    trained(task, config(), again)
    warned = [event for event in read_events(again / layout.EVENTS, 0)[0] if event["kind"] == "warning"]
    assert [event["data"]["sentence"].split(". ")[0] for event in warned] == [
        "The training was begun with another count of threads 1, now 3"
    ]


@pytest.mark.parametrize("threads", [1, 2])
def test_it_names_the_threads_of_torch_and_the_device(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(threads)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card {device.index}")
    cpu, cuda = (made_with.made_with(torch.device(name)) for name in ("cpu", "cuda:1"))
    assert cpu["threads"] == cuda["threads"] == str(threads)
    assert (cpu["gpu"], cuda["gpu"]) == ("", "card 1")
    assert made_with.changes(cpu, cuda) == ["CUDA device none, now card 1"]


@pytest.mark.parametrize("change", [{"mean": 1.0}, {"std": 1.0}, {"clip": 1.0}])
def test_another_normaliser(task: Task, again: Path, change: dict[str, float]) -> None:
    """The features are the same bytes, so that nothing else tells it."""
    here = task.normaliser
    other = {name: getattr(here, name) + more for name, more in change.items()}
    with pytest.raises(CheckpointMisfit, match="the normaliser is not the one that it was made with"):
        trained(dataclasses.replace(task, normaliser=dataclasses.replace(here, **other)), config(), again)
