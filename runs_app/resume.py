"""Going on with a training that has stopped: what it left to go on from, and what the new run's directory is given.

States that have ended stay, so a training goes on as a new run of the same configuration, whose `source_run` it is.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from rl.config import TrainConfig
from runfiles import layout
from runfiles import resume as named
from runs_app import artifacts, harvest, places, tensorboard
from runs_app.models import Artifact, Run

KEYS = ("checkpoint", "checkpoint_before")
"""Newest first."""


class NotResumable(ValueError):
    """The training cannot go on; the message is one sentence."""


@dataclass(frozen=True)
class Left:
    """A training that has stopped, and its checkpoints as our rows have them, newest first."""

    run: Run
    checkpoints: tuple[Artifact, ...]

    @property
    def config(self) -> TrainConfig:
        """Raises NotResumable where this version cannot read it."""
        try:
            return TrainConfig.model_validate(self.run.config)
        except ValidationError as error:
            raise NotResumable("The configuration is of another version; start the training again.") from error


def left_by(run: Run) -> Left:
    """Raises NotResumable with the reason why this run cannot go on."""
    if run.kind == Run.Kind.CV:
        raise NotResumable("A walk-forward goes on fold by fold; resume the run of the fold that stopped.")
    if run.kind != Run.Kind.TRAIN:
        raise NotResumable(f"Only a training can go on; this is a {run.get_kind_display().lower()}.")
    if run.is_active:
        raise NotResumable("This training has not stopped; it needs no going on.")
    if run.state == Run.State.SUCCEEDED:
        raise NotResumable("This training has succeeded; nothing of it is left to do.")
    if run.is_parent:
        raise NotResumable("A training of several seeds goes on seed by seed; resume the run of the seed that stopped.")
    rows = {row.key: row for row in run.artifacts.filter(key__in=KEYS)}
    if not rows:
        raise NotResumable("This training left no checkpoint; start it again.")
    return Left(run, tuple(rows[key] for key in KEYS if key in rows))


def can_go_on(run: Run) -> bool:
    try:
        left_by(run)
    except NotResumable:
        return False
    return True


def put(left: Left, folder: Path) -> None:
    """Checkpoints, verified, and the curves so far into the run directory of the training that goes on.

    Raises NotResumable where no checkpoint is the file that our rows name.
    """
    (folder / layout.RESUMED).mkdir(mode=0o750)
    listed = [named.Named(layout.FILES[row.key].filename, row.sha256) for row in left.checkpoints]
    copied = 0
    for row, each in zip(left.checkpoints, listed, strict=True):
        with suppress(OSError, ValueError):  # the job says of one that is not there why it takes the other
            copied += harvest.copy_verified(left.run.id, row.key, folder / layout.RESUMED / each.file, row.sha256)
    if not copied:
        raise NotResumable("The checkpoints of this training are gone or not as it left them; start it again.")
    named.write(folder, listed)
    _put_curves(places.run_folder(left.run.id), folder)


def _put_curves(source: Path, folder: Path) -> None:
    """Copies, for the job cuts them off behind its checkpoint."""
    files = tensorboard.signature(source / layout.TENSORBOARD)
    for parts in [[layout.PROGRESS_CSV], *([layout.TENSORBOARD, *path.split("/")] for path, *_ in files)]:
        target = folder.joinpath(*parts)
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        with suppress(OSError):  # a curve that is gone stops nothing
            _copy(artifacts.open_below(source, parts), target)


def _copy(descriptor: int, target: Path) -> None:
    with os.fdopen(descriptor, "rb") as stream, target.open("xb") as copy:
        shutil.copyfileobj(stream, copy)
