"""A checkpoint goes on in its own training only: another configuration, other bars, other features are refused."""

from pathlib import Path

import numpy as np
import pytest

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
    here = made_with.made_with()
    monkeypatch.setattr("rl.training.made_with", lambda: here | {"cpu": "abacus", "code": "f" * 64})
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
