"""Going on with a training that has stopped: what it left to go on from, and what the new run's directory is given.

States that have ended stay, so a training goes on as a new run of the same configuration, whose `source_run` it is.
A training with several seeds, and a walk-forward, goes on as a whole: runs_app.resume_parent.
"""

import shutil
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rl.config import CvConfig, TrainConfig
from runfiles import layout
from runfiles import resume as named
from runs_app import artifacts, harvest, places, tensorboard
from runs_app.models import Run

KEYS = ("checkpoint", "checkpoint_before")
"""Newest first."""
OTHER_VERSION = "The configuration means something else in this version; start the training again."


WHOLE = "this training"
DIVERGED = "diverged"
"""The reason of a run whose end its checkpoints lead to again, step by step."""


class NotResumable(ValueError):
    """The training cannot go on; the message is one sentence."""


@dataclass(frozen=True)
class Checkpoint:
    """A file below a run directory that a training can go on from, and the sha256 that it had when it was left."""

    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Ready:
    """A training that can go on: the checkpoints that it left, newest first, and those of them that are whole."""

    run: Run
    listed: tuple[Checkpoint, ...]
    whole: tuple[Checkpoint, ...]


@dataclass(frozen=True)
class Left:
    """A training that has stopped, its own checkpoints as our rows have them, newest first, and those that it began
    with itself, which count where it left none of its own.
    """

    run: Run
    own: tuple[Checkpoint, ...]
    begun_with: tuple[Checkpoint, ...]

    def checked(self) -> Ready:
        """Reads the files whole, and no database: for the pool. Raises NotResumable where none is what it was."""
        for listed in (self.own, self.begun_with):
            whole = tuple(one for one in listed if harvest.is_intact(self.run.id, one.path, one.sha256))
            if whole:
                return Ready(self.run, listed, whole)
        raise NotResumable("The checkpoints of this training are gone or not as it left them; start it again.")


def config_of(run: Run) -> TrainConfig:
    """Raises NotResumable where this version cannot read it."""
    model = CvConfig if run.kind == Run.Kind.CV else TrainConfig
    try:
        return model.model_validate(run.config)
    except ValidationError as error:
        raise NotResumable("The configuration is of another version; start the training again.") from error


def require_stopped(run: Run) -> None:
    """Raises NotResumable with the reason why this run, whatever it left, cannot go on."""
    if not run.trains:
        raise NotResumable(f"Only a training can go on; this is a {run.get_kind_display().lower()}.")
    if run.is_active:
        raise NotResumable("This training has not stopped; it needs no going on.")
    if run.state == Run.State.SUCCEEDED:
        raise NotResumable("This training has succeeded; nothing of it is left to do.")
    if run.reason == DIVERGED:
        raise NotResumable(
            "This training diverged, and would again from its checkpoint: start another, with a smaller "
            "model.learning_rate."
        )


def require_alone(run: Run, spare: Collection[uuid.UUID] = ()) -> None:
    """Raises NotResumable where a run goes on from this one, from a child of it, or from what did, and has not ended:
    a second one would train the same beside it; and where one went on from this one and has succeeded, for nothing is
    left to do. `spare`: ids of runs that do not count.
    """
    parts = {one.id: WHOLE if one.id == run.id else f"{one.member_name} of this training"
             for one in (run, *run.trainings)}  # fmt: skip
    newest: Collection[uuid.UUID] = set(parts)
    while newest:
        later = Run.objects.owned_by(run.owner_id).filter(source_run__in=newest, kind__in=Run.TRAINED)
        found = {
            one: parts[one.source_run_id] for one in later.exclude(pk__in=[*parts, *spare]).only("state", "source_run")
        }
        if at_work := [one for one in found if one.is_active]:
            first = min(at_work, key=lambda one: found[one] != WHOLE)
            raise NotResumable(
                f"Run {str(first.id)[:8]} goes on from {found[first]} already; wait for its end or cancel it."
            )
        if done := [one for one, part in found.items() if part == WHOLE and one.state == Run.State.SUCCEEDED]:
            raise NotResumable(
                f"Run {str(done[0].id)[:8]} went on from this training and has succeeded; read that one."
            )
        newest = {one.id for one in found}
        parts |= {one.id: part for one, part in found.items()}


def left_by(run: Run) -> Left:
    """What a training that is no parent left. Raises NotResumable with the reason why it cannot go on."""
    require_stopped(run)
    require_alone(run)
    rows = run.artifacts.filter(key__in=KEYS)
    if (left := left_in(run, {row.key: row.sha256 for row in rows})) is None:
        raise NotResumable("This training left no checkpoint; start it again.")
    return left


def left_in(run: Run, rows: dict[str, Any]) -> Left | None:
    """What a run left, by the sha256 of each checkpoint's row; None where that is nothing."""
    own = tuple(Checkpoint(layout.FILES[key].path, rows[key]) for key in KEYS if key in rows)
    begun_with = _begun_with(run)
    return Left(run, own, begun_with) if own or begun_with else None


def put(ready: Ready, folder: Path) -> None:
    """Checkpoints and the curves so far into the run directory of the training that goes on; no database.

    A checkpoint is a second name of the file, which nobody ever changes in place: the job holds it against its sha256.
    Raises NotResumable where none is there any more.
    """
    (folder / layout.RESUMED).mkdir(mode=0o750)
    linked = 0
    for one in ready.whole:
        with suppress(FileNotFoundError):  # gone this moment; the job says why it takes the other
            artifacts.link_path(ready.run.id, one.path, folder / layout.RESUMED / one.name)
            linked += 1
    if not linked:
        raise NotResumable("The checkpoints of this training are gone; start it again.")
    named.write(folder, [named.Named(one.name, one.sha256) for one in ready.listed])
    _put_curves(ready.run, folder)


def _begun_with(run: Run) -> tuple[Checkpoint, ...]:
    """What a run that itself went on from another was given; of one that did not, nothing."""
    try:
        found = named.read(places.run_folder(run.id)) or ()
    except named.ResumeFault:
        return ()
    return tuple(Checkpoint(f"{layout.RESUMED}/{each.file}", each.sha256) for each in found)


def _put_curves(run: Run, folder: Path) -> None:
    """Copies, for the job cuts them off behind its checkpoint."""
    files = tensorboard.signature(places.run_folder(run.id) / layout.TENSORBOARD)
    for path in (layout.PROGRESS_CSV, *(f"{layout.TENSORBOARD}/{name}" for name, *_ in files)):
        with suppress(FileNotFoundError):  # a curve that is gone stops nothing
            _copy(run, path, folder / path)


def _copy(run: Run, path: str, target: Path) -> None:
    """The whole file or, where the disk is full, none."""
    with artifacts.open_path(run.id, path) as stream:
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        try:
            with target.open("xb") as copy:
                shutil.copyfileobj(stream, copy)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
