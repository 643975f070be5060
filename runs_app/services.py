"""What a person may do to runs: database and disk together. Everything is checked before anything exists."""

import logging
import shutil
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from backtest.config import BacktestConfig, ImportConfig
from backtest.registry import IMPORTED
from marketdata.config_base import ConfigFault, canonical, config_hash
from marketdata.fetch_config import DataConfig
from rl.config import TrainConfig
from runfiles import atomic, layout, yamlio
from runs_app import datasets, executors, hub, judged, moves, places, quota, reconciler, resolve
from runs_app.models import Run
from runs_app.upload_handler import DiskUpload

log = logging.getLogger(__name__)

Config = TrainConfig | BacktestConfig | DataConfig | ImportConfig


def start_training(*, owner: Any, config: TrainConfig, idempotency_key: str | None = None) -> Run:
    """Queue a training. Raises ConfigFault (field → sentences) before any row or file exists."""
    resolved = resolve.training(owner, config)
    run = Run(owner=owner, kind=Run.Kind.TRAIN, subject="policy", idempotency_key=idempotency_key)
    return _queue(run, resolved)


def start_backtest(*, owner: Any, config: BacktestConfig, idempotency_key: str | None = None) -> Run:
    """Queue a backtest of a baseline, or of a policy of this owner's. Raises ConfigFault before anything exists.

    Of a trained policy, what the client left out is as in its training; its file is copied and verified.
    """
    return _backtest(Run(owner=owner, kind=Run.Kind.BACKTEST, idempotency_key=idempotency_key), config)


def start_leaks(*, owner: Any, config: TrainConfig | BacktestConfig, idempotency_key: str | None = None) -> Run:
    """Queue a leak check of a training's configuration, or of what a backtest would judge. Raises ConfigFault."""
    run = Run(owner=owner, kind=Run.Kind.LEAKS, idempotency_key=idempotency_key)
    if isinstance(config, BacktestConfig):
        return _backtest(run, config)
    run.subject = "policy"
    return _queue(run, resolve.training(owner, config))


def _backtest(run: Run, config: BacktestConfig) -> Run:
    owner, subject = run.owner, judged.find(run.owner, config)
    if subject is None:
        run.subject = str(config.policy)
        return _queue(run, resolve.backtest(owner, judged.baseline(config)))
    run.subject, run.source_run, run.policy = "policy", subject.run, subject.policy
    resolved = resolve.backtest(owner, judged.filled(config, subject))
    judged.check_seen(resolved, subject)
    return _queue(run, resolved, subject)


def start_data(*, owner: Any, config: DataConfig, idempotency_key: str | None = None) -> Run:
    """Queue a fetch of prices into a dataset of this owner's. Raises ConfigFault before any row or file exists."""
    run = Run(owner=owner, kind=Run.Kind.DATA, idempotency_key=idempotency_key)
    if sentence := quota.full(owner):
        raise ConfigFault({"id": [sentence]})
    return _queue(run, resolve.data(config))


def start_import(*, owner: Any, config: ImportConfig, file: DiskUpload, idempotency_key: str | None = None) -> Run:
    """Queue the judgement of a result that was made elsewhere. Its file is kept, and read by the job alone.

    Raises ConfigFault before any row or file exists.
    """
    run = Run(owner=owner, kind=Run.Kind.IMPORT, subject=IMPORTED, idempotency_key=idempotency_key)
    if config.file_sha256 not in (None, file.sha256):
        raise ConfigFault({"file_sha256": ["This is not the hash of the file that was sent; leave it out."]})
    if sentence := quota.no_room_for_result(owner, file.size or 0):
        raise ConfigFault({"file": [sentence]})
    resolved = resolve.importing(owner, config).model_copy(update={"file_sha256": file.sha256})
    return _queue(run, resolved, result=file)


def cancel_run(*, run: Run) -> bool:
    """Leave the wish that a run ends; whether it is new. The reconciler makes it true, or the run is quicker."""
    seq = moves.wish_cancel(run.id)
    if seq is not None:
        transaction.on_commit(lambda: _tell(run))
    run.refresh_from_db()
    return seq is not None


def _queue(run: Run, config: Config, subject: judged.Subject | None = None, result: DiskUpload | None = None) -> Run:
    """Folders first, the row last: a row without its folders would be started."""
    _describe(run, config)
    folder, control = places.make_folders(run)
    try:
        content = {"schema_version": layout.SCHEMA_VERSION, **run.config}
        atomic.write_text(folder / layout.CONFIG, yamlio.dump(content))
        atomic.write_text(folder / layout.COMMAND, executors.command_text(run))
        if not isinstance(config, DataConfig):
            atomic.write_json(folder / layout.PROVENANCE, datasets.provenance(run.owner, config.dataset))
        if subject is not None:
            judged.copy(subject, folder / layout.JUDGED_POLICY)
        if result is not None:
            shutil.copyfile(result.path, folder / layout.RESULT)
        with transaction.atomic():
            run.save(force_insert=True)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(control, ignore_errors=True)
        if isinstance(error, IntegrityError) and (first := _first_of(run)) is not None:
            return first  # the same request came twice at once
        raise
    transaction.on_commit(lambda: _tell(run))
    return run


def _describe(run: Run, config: Config) -> None:
    run.config = canonical(config)
    run.config_hash = config_hash(config)
    run.out_tag = config.out_tag
    if isinstance(config, DataConfig):
        run.dataset_name = config.id  # its version is known when it is stored
    else:
        run.dataset_name, run.dataset_version = config.dataset.id, config.dataset.version or ""
    run.queued = timezone.now()


def _first_of(run: Run) -> Run | None:
    if run.idempotency_key is None:
        return None
    found: Run | None = Run.objects.filter(owner=run.owner, idempotency_key=run.idempotency_key).first()
    return found


def _tell(run: Run) -> None:
    reconciler.wake()
    hub.hint(run.id)
