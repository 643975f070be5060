"""The curves of a training that goes on: nothing lost, nothing twice, in the table and in TensorBoard."""

import csv
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rl.checkpoint import curves
from rl.task import Task
from runfiles import layout
from runfiles.events import read_events
from runfiles.job import JobCancelled
from tests.rl.checkpoint.stopping import go_on, stopped_at, trained
from tests.rl.checkpoint.test_exact import ROLLOUT, config

CLOCKS = ("time/fps", "time/time_elapsed", "time/peak_mb")


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / layout.PROGRESS_CSV).open() as stream:
        return [{key: value for key, value in row.items() if key not in CLOCKS} for row in csv.DictReader(stream)]


def points(folder: Path) -> dict[str, list[Any]]:
    found = EventAccumulator(str(folder / layout.TENSORBOARD), size_guidance={"scalars": 0, "histograms": 0})
    found.Reload()
    tags = found.Tags()
    scalars = {tag: [(point.step, point.value) for point in found.Scalars(tag)] for tag in tags["scalars"]}
    drawn = {tag: [(point.step, point.histogram_value.num) for point in found.Histograms(tag)]
             for tag in tags["histograms"]}  # fmt: skip
    return {tag: told for tag, told in (scalars | drawn).items() if tag not in CLOCKS}


@pytest.fixture
def pair(task: Task, tmp_path: Path) -> tuple[Path, Path]:
    """A training that was never stopped, and one that was killed behind its checkpoint of step 384 and went on.

    No look falls there, so that the losses of its last update are not in the curves yet.
    """
    chosen = config(checkpoint_every=3 * ROLLOUT)
    trained(task, chosen, tmp_path / "whole")
    with stopped_at(70), pytest.raises(JobCancelled), pytest.MonkeyPatch.context() as patch:
        patch.setattr("rl.training._save_what_is_held", lambda checkpoints, log: None)  # as kill -9
        trained(task, chosen, tmp_path / "first")
    go_on(tmp_path / "first", tmp_path / "again")
    with (tmp_path / "again" / layout.PROGRESS_CSV).open("a") as table:
        table.write("1,2,")  # torn by the kill
    trained(task, chosen, tmp_path / "again")
    return tmp_path / "whole", tmp_path / "again"


def test_the_table_is_that_of_a_training_never_stopped(pair: tuple[Path, Path]) -> None:
    whole, again = (rows(folder) for folder in pair)
    assert [row["time/total_timesteps"] for row in whole].count("512") == 2  # a rollout and a look
    assert again == whole
    assert [row["time/iterations"] for row in again if row["time/iterations"]] == [str(n) for n in range(1, 7)]


def test_the_points_are_those_of_a_training_never_stopped(pair: tuple[Path, Path]) -> None:
    whole, again = (points(folder) for folder in pair)
    assert {"validation/score", "train/loss", "actions/hist", "grads/norm"} <= set(whole)
    assert again == whole


def test_progress_begins_where_it_stood(pair: tuple[Path, Path]) -> None:
    told = [event for event in read_events(pair[1] / layout.EVENTS, 0)[0] if event["kind"] == "progress"]
    assert (told[0]["step"], told[-1]["step"], told[0]["total"]) == (3 * ROLLOUT, 6 * ROLLOUT, 6 * ROLLOUT)


def test_a_cut_takes_nothing_else(pair: tuple[Path, Path]) -> None:
    """Cut behind its end, a folder stays as it is, byte by byte."""
    folder = pair[0]
    files = [folder / layout.PROGRESS_CSV, *(folder / layout.TENSORBOARD).iterdir()]
    before = [path.read_bytes() for path in files]
    curves.cut(folder, 6 * ROLLOUT, pytest.fail)
    assert [path.read_bytes() for path in files] == before
