"""When checkpoints are written: when they are due, at the end and when told to stop, whether or not there is room."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rl.checkpoint import file
from rl.task import Task
from runfiles import layout
from runfiles.job import JobCancelled
from tests.rl.checkpoint.stopping import checkpoint_of, go_on, stopped_at, trained
from tests.rl.checkpoint.test_exact import ROLLOUT, config

DUE = config(steps=8 * ROLLOUT, checkpoint_every=2 * ROLLOUT)


@contextmanager
def written() -> Iterator[list[int]]:
    """The rollouts at whose ends checkpoints are written."""
    steps: list[int] = []
    true = file.write

    def write(folder: Path, checkpoint: Any) -> int:
        steps.append(checkpoint.step // ROLLOUT)
        return true(folder, checkpoint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file, "write", write)
        yield steps


def test_every_so_many_steps_and_at_the_end_also_after_a_stop(task: Task, tmp_path: Path) -> None:
    """Stopped in the fourth rollout, and gone on from the third's end, which is not due and written already."""
    with written() as whole:
        trained(task, DUE, tmp_path / "whole")
    with written() as first, stopped_at(50), pytest.raises(JobCancelled):
        trained(task, DUE, tmp_path / "first")
    go_on(tmp_path / "first", tmp_path / "again")
    with written() as again:
        trained(task, DUE, tmp_path / "again")
    assert (whole, first, again) == ([2, 4, 6, 8], [2, 3], [4, 6, 8])


def test_a_stop_comes_through_where_the_disk_is_full(task: Task, tmp_path: Path) -> None:
    """It ends as cancelled, with the reason for the missing checkpoint in its log and the one that was due before."""
    said: list[str] = []

    def no_room(_folder: Path, _checkpoint: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    true, writes = file.write, 0

    def write(folder: Path, checkpoint: Any) -> int:
        nonlocal writes
        writes += 1
        return (true if writes == 1 else no_room)(folder, checkpoint)

    with stopped_at(50), pytest.MonkeyPatch.context() as patch, pytest.raises(JobCancelled):
        patch.setattr(file, "write", write)
        trained(task, DUE, tmp_path, said)
    assert said[-1] == "no checkpoint could be written (No space left on device)"
    assert checkpoint_of(tmp_path, layout.CHECKPOINT).step == 2 * ROLLOUT and writes == 2
