"""A training that is told to stop at a chosen bar or gradient step, as by a signal, and one that goes on from there."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rl.checkpoint import file, resume
from rl.config import TrainConfig
from rl.task import Task
from rl.training import Trained, train
from rl.vec_env import PortfolioVecEnv
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import JobCancelled
from runfiles.resume import Named, write
from tests.rl.planted import VALIDATION


@contextmanager
def stopped_at(call: int, owner: Any = PortfolioVecEnv, name: str = "advance") -> Iterator[None]:
    """The `call`-th call of a method, counted from 1, ends as if SIGTERM had come in it."""
    true, count = getattr(owner, name), 0

    def counting(self: Any, *args: Any) -> Any:
        nonlocal count
        count += 1
        if count == call:
            raise JobCancelled
        return true(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, counting)
        yield


def trained(task: Task, config: TrainConfig, folder: Path, said: list[str] | None = None) -> Trained:
    """A training in a run directory, from its beginning or from what `go_on` put there."""
    folder.mkdir(exist_ok=True)
    log = (said if said is not None else []).append
    events = EventWriter(folder / layout.EVENTS)
    return train(task, config, VALIDATION, folder, events, log, begun=resume.found(folder, log))


def go_on(source: Path, target: Path) -> None:
    """A run directory that goes on from the checkpoints of `source`, as the service makes it."""
    (target / layout.RESUMED).mkdir(parents=True)
    named = []
    for path in (layout.CHECKPOINT, layout.CHECKPOINT_BEFORE):
        if (source / path).exists():
            name = Path(path).name
            shutil.copy(source / path, target / layout.RESUMED / name)
            named.append(Named(name, hashlib.sha256((source / path).read_bytes()).hexdigest()))
    write(target, named)
    for path in (layout.PROGRESS_CSV, layout.TENSORBOARD):
        if (source / path).is_dir():
            shutil.copytree(source / path, target / path)
        elif (source / path).exists():
            shutil.copy(source / path, target / path)


def checkpoint_of(folder: Path, path: str = layout.CHECKPOINT) -> file.Checkpoint:
    return file.unpacked((folder / path).read_bytes())


def outcome(folder: Path) -> dict[str, bytes]:
    """What must be the same bytes whether a training was stopped or not."""
    return {name: (folder / name).read_bytes() for name in (layout.BEST_POLICY, layout.LAST_POLICY, layout.CHECKPOINT)}
