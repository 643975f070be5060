"""What a person may do to runs: database and disk together. Everything is checked before anything exists."""

import logging
import shutil
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from backtest.config import BacktestConfig, ImportConfig
from backtest.registry import IMPORTED
from marketdata.config import DatasetConfig
from marketdata.config_base import ConfigFault, canonical, config_hash
from marketdata.fetch_config import DataConfig
from rl.config import CalibrateConfig, CvConfig, TrainConfig
from runfiles import atomic, layout, yamlio
from runs_app import (
    datasets,
    executors,
    hub,
    judged,
    moves,
    places,
    quota,
    reconciler,
    resolve,
    results,
    resume,
    resume_parent,
)
from runs_app.models import Run, RunEvent
from runs_app.pool import in_pool
from runs_app.upload_handler import DiskUpload

log = logging.getLogger(__name__)

Config = TrainConfig | BacktestConfig | DataConfig | ImportConfig


class Once(TypedDict, total=False):
    """What makes a request that is sent again the same request: its key, and the sha256 of its body."""

    idempotency_key: str | None
    body_sha256: str


class AlreadyStarted(Exception):
    """A request with this idempotency key has made `run` already, before this one or at the same moment."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.run = run


def start_training(*, owner: Any, config: TrainConfig, **once: Unpack[Once]) -> Run:
    """Queue a training. Raises ConfigFault (field → sentences) before any row or file exists.

    With several seeds: a parent, which waits, and beside it a training of each seed, all or none of them.
    """
    return _trainings(owner, resolve.training(owner, config), Run.Kind.TRAIN, once)


def start_walk_forward(*, owner: Any, config: CvConfig, **once: Unpack[Once]) -> Run:
    """Queue a walk-forward: a parent, which waits, and a training of each fold and seed, all or none of them.

    Raises ConfigFault (field → sentences) before any row or file exists.
    """
    return _trainings(owner, resolve.training(owner, config), Run.Kind.CV, once)


def _trainings(owner: Any, resolved: TrainConfig, kind: str, once: Once) -> Run:
    run = _training(owner, resolved, kind=kind, **once)
    if not run.is_parent:
        return _queue(run)
    children = [_training(owner, resolved.of_member(*member), parent=run) for member in resolved.members]
    run.queued = None
    return _queue(run, *children)


def _training(owner: Any, config: TrainConfig, kind: str = Run.Kind.TRAIN, **columns: Any) -> Run:
    return _described(Run(owner=owner, kind=kind, subject="policy", **columns), config)


def resume_training(*, run: Run, **once: Unpack[Once]) -> Run:
    """Queue a training that goes on from the last checkpoint of `run`, under its configuration, for its owner.

    Of a parent: a new parent, which takes over what is trained and waits for a run of each other seed or fold.
    Raises resume.NotResumable, AlreadyStarted, and ConfigFault where its data is not there any more.
    """
    if (first := _first_of(run.owner, once.get("idempotency_key"))) is not None:
        raise AlreadyStarted(first)
    if run.is_parent:
        return _resume_parent(run, resume_parent.left_by(run), once)
    left = resume.left_by(run)
    again = _goes_on(run, resume.config_of(run), **once)
    ready = {again.id: in_pool(left.checked)}
    return _queue(again, ready=ready, complete=lambda: resume.require_alone(run, {again.id}))


def _resume_parent(run: Run, left: resume_parent.LeftOfParent, once: Once) -> Run:
    members = in_pool(left.checked)
    parent = _goes_on(run, resume.config_of(run), trains=any(one.taken is None for one in members), **once)
    parent.queued = None
    children, ready = [], {}
    for one in (one for one in members if one.taken is None):
        child = _training(run.owner, one.config, parent=parent, source_run=one.ready.run if one.ready else None)
        children.append(child)
        if one.ready is not None:
            ready[child.id] = one.ready

    def complete() -> None:
        resume.require_alone(run, {one.id for one in (parent, *children)})
        parent.taken_over.set([one.taken for one in members if one.taken is not None])
        said = {"state": str(parent.state), "sentence": resume_parent.told(members, left.parts)}
        moves.note(parent.id, [(str(RunEvent.Kind.STATE), said)])
        parent.refresh_from_db()

    return _queue(parent, *children, ready=ready, complete=complete)


def _goes_on(run: Run, config: TrainConfig, *, trains: bool = True, **columns: Any) -> Run:
    """A new row for the same training, with room for it if there is something to train. Raises NotResumable where its
    configuration would be another today.
    """
    resolved = resolve.training(run.owner, config, checked_only=not trains)
    if config_hash(resolved) != run.config_hash:
        raise resume.NotResumable(resume.OTHER_VERSION)
    return _training(run.owner, resolved, run.kind, name=run.name, source_run=run, **columns)


def start_backtest(*, owner: Any, config: BacktestConfig, **once: Unpack[Once]) -> Run:
    """Queue a backtest of a baseline, or of a policy of this owner's. Raises ConfigFault before anything exists.

    Of a trained policy, what the client left out is as in its training; its file is copied and verified.
    """
    return _backtest(Run(owner=owner, kind=Run.Kind.BACKTEST, **once), config)


def start_leaks(*, owner: Any, config: TrainConfig | BacktestConfig, **once: Unpack[Once]) -> Run:
    """Queue a leak check of a training's configuration, or of what a backtest would judge. Raises ConfigFault."""
    run = Run(owner=owner, kind=Run.Kind.LEAKS, **once)
    if isinstance(config, BacktestConfig):
        return _backtest(run, config)
    run.subject = "policy"
    return _queue(_described(run, resolve.training(owner, config, checked_only=True)))


def start_calibration(*, owner: Any, config: CalibrateConfig, **once: Unpack[Once]) -> Run:
    """Queue a calibration: one job that tries a training's set-up in worlds whose truth is known.

    Raises ConfigFault (field → sentences) before any row or file exists.
    """
    resolved = resolve.calibration(owner, config)
    run = Run(owner=owner, kind=Run.Kind.CALIBRATE, subject="policy", **once)
    return _queue(_described(run, resolved))


def _backtest(run: Run, config: BacktestConfig) -> Run:
    owner, subject = run.owner, judged.find(run.owner, config)
    if subject is None:
        run.subject = str(config.policy)
        return _queue(_described(run, resolve.backtest(owner, judged.baseline(config))))
    run.subject, run.source_run, run.policy = "policy", subject.run, subject.policy
    resolved = resolve.backtest(owner, judged.filled(config, subject))
    judged.check_seen(resolved, subject)
    return _queue(_described(run, resolved), subject=subject)


def start_data(*, owner: Any, config: DataConfig, **once: Unpack[Once]) -> Run:
    """Queue a fetch of prices into a dataset of this owner's. Raises ConfigFault before any row or file exists."""
    run = Run(owner=owner, kind=Run.Kind.DATA, **once)
    if sentence := quota.full(owner):
        raise ConfigFault({"id": [sentence]})
    return _queue(_described(run, resolve.data(config)))


def start_import(*, owner: Any, config: ImportConfig, file: DiskUpload, **once: Unpack[Once]) -> Run:
    """Queue the judgement of a result that was made elsewhere. Its file is kept, and read by the job alone.

    Raises ConfigFault before any row or file exists.
    """
    run = Run(owner=owner, kind=Run.Kind.IMPORT, subject=IMPORTED, **once)
    if config.file_sha256 not in (None, file.sha256):
        raise ConfigFault({"file_sha256": ["This is not the hash of the file that was sent; leave it out."]})
    resolved = resolve.importing(owner, config).model_copy(update={"file_sha256": file.sha256})
    return _queue(_described(run, resolved), result=file)


def cancel_run(*, run: Run) -> bool:
    """Leave the wish that a run and its children end; whether it is new. The reconciler makes it true, or the run is
    quicker.
    """
    with transaction.atomic():
        seq = moves.wish_cancel(run.id)
        asked = [child for child in run.children.all() if moves.wish_cancel(child.id)] if seq is not None else []
    if seq is not None:
        transaction.on_commit(lambda: _tell(run, *asked))
    run.refresh_from_db()
    return seq is not None


def _queue(
    run: Run, *children: Run, subject: judged.Subject | None = None, result: DiskUpload | None = None,
    ready: Mapping[uuid.UUID, resume.Ready] = MappingProxyType({}), complete: Callable[[], None] = lambda: None,
) -> Run:  # fmt: skip
    """Folders first, the rows last and together: a row without its folders would be started.

    `ready`: what those of them that go on are given, by id; `complete` is called with the rows, in their transaction.
    Raises AlreadyStarted.
    """
    try:
        for one in (run, *children):
            _fill(one)
        if subject is not None:
            judged.copy(subject, places.run_folder(run.id))
        for one_id, found in ready.items():
            in_pool(resume.put, found, places.run_folder(one_id))
        if result is not None:
            results.keep(result, run.id)
        with transaction.atomic():
            if result is not None and (sentence := quota.no_room_for_result(run.owner, result.size or 0)):
                raise ConfigFault({"file": [sentence]})
            for one in (run, *children):
                one.save(force_insert=True)
            complete()
    except BaseException as error:
        for one in (run, *children):
            shutil.rmtree(places.run_folder(one.id), ignore_errors=True)
            shutil.rmtree(places.control_folder(one.id), ignore_errors=True)
        if isinstance(error, IntegrityError) and (first := _first_of(run.owner, run.idempotency_key)):
            raise AlreadyStarted(first) from error
        raise
    transaction.on_commit(lambda: _tell(run, *children))
    return run


def _fill(run: Run) -> None:
    """The folders of a run, with what its job reads."""
    folder, _ = places.make_folders(run)
    atomic.write_text(folder / layout.CONFIG, yamlio.dump({"schema_version": layout.SCHEMA_VERSION, **run.config}))
    atomic.write_text(folder / layout.COMMAND, executors.command_text(run))
    if run.kind != Run.Kind.DATA:
        asked = DatasetConfig.model_validate(run.config["dataset"])
        atomic.write_json(folder / layout.PROVENANCE, datasets.provenance(run.owner, asked))


def _described(run: Run, config: Config) -> Run:
    """The run with what its configuration says of it."""
    run.config = canonical(config)
    run.config_hash = config_hash(config)
    run.out_tag = config.out_tag
    if isinstance(config, DataConfig):
        run.dataset_name = config.id  # its version is known when it is stored
    else:
        run.dataset_name, run.dataset_version = config.dataset.id, config.dataset.version or ""
    run.queued = timezone.now()
    return run


def _first_of(owner: Any, key: str | None) -> Run | None:
    if key is None:
        return None
    found: Run | None = Run.objects.filter(owner=owner, idempotency_key=key).first()
    return found


def _tell(*runs: Run) -> None:
    reconciler.wake()
    for run in runs:
        hub.hint(run.id)
