"""Files of a person between upload and commit. They are only ever read by a child process with limits."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from marketdata.config_base import ConfigFault
from marketdata.files import supervise
from marketdata.files.column_map import DatasetRequest
from marketdata.files.limits import MAX_FILES
from marketdata.files.names import UPLOADS
from runfiles import second_name
from runs_app import datasets, places, quota
from runs_app.models import Dataset, Upload
from runs_app.upload_handler import DiskUpload

KEPT = timedelta(days=1)
MOST_WAITING = 10
"""Uploads of one person that wait for their commit; the oldest goes when another comes."""
WORK = "work-"
COMMITTING = "Another commit of this upload is under way; wait for its answer."
GONE = "This upload has become a dataset meanwhile, or is gone; look at your datasets, or send the files again."


class RedReport(ConfigFault):
    """Prices that no run could use: nothing was stored. `report` is the validation report."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report
        super().__init__({"file": [each["sentence"] for each in report["findings"] if each["level"] == "red"][:50]})


def receive(owner: Any, files: Sequence[DiskUpload]) -> Upload:
    """Keep the files and look at them. Raises ConfigFault with a sentence, and keeps nothing, where they are none."""
    if not files:
        raise ConfigFault({"file": ["Send at least one file of prices in the field file."]})
    if len(files) > MAX_FILES:
        raise ConfigFault({"file": [f"{len(files)} files were sent; at most {MAX_FILES} are taken."]})
    check_room(owner, "file")
    told = [{"name": str(each.name), "bytes": each.size, "sha256": each.sha256} for each in files]
    upload = Upload(owner=owner, files=told, bytes=sum(each.size or 0 for each in files))
    folder = places.upload_folder(upload.id)
    folder.mkdir(parents=True, mode=0o750)
    try:
        for number, each in enumerate(files):
            second_name.give(each.path, folder / str(number))
        upload.preview = _ask({"op": "preview", "files": _files(upload)})
        upload.save(force_insert=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _forget_old(owner)
    return upload


def receive_all(
    owner: Any, prices: Sequence[DiskUpload], members: Sequence[DiskUpload]
) -> tuple[Upload, Upload | None]:
    """Prices, and the members of their universe where some were sent: both are kept, or neither."""
    if len(members) > 1:
        raise ConfigFault({"members": [f"{len(members)} files of members were sent; one is taken."]})
    upload = receive(owner, prices)
    try:
        return upload, _receive_members(owner, members) if members else None
    except BaseException:
        forget(upload)
        raise


def _receive_members(owner: Any, files: Sequence[DiskUpload]) -> Upload:
    try:
        found = receive(owner, files)
    except ConfigFault as fault:
        raise ConfigFault({"members": [text for texts in fault.errors.values() for text in texts]}) from fault
    if found.preview.get("members"):
        return found
    forget(found)
    raise ConfigFault({"members": [f"{found.files[0]['name']} has no columns symbol, start and end."]})


def commit(owner: Any, upload: Upload, request: DatasetRequest) -> tuple[Dataset, dict[str, Any]]:
    """The dataset and its validation report. Raises ConfigFault, RedReport for a red report; then nothing is stored."""
    check_room(owner, "name")
    members = _members(owner, request)
    with datasets.catalog().store.held(), _alone(upload, members):
        return _stored(owner, upload, members, request)


def _stored(
    owner: Any, upload: Upload, members: Upload | None, request: DatasetRequest
) -> tuple[Dataset, dict[str, Any]]:
    name = f"{UPLOADS}{request.name}"
    answer = _ask({
        "op": "commit", "files": _files(upload), "members": _files(members)[:1] if members else [],
        "request": request.model_dump(mode="json"), "store": str(settings.DATASETS_ROOT),
        "today": timezone.now().date().isoformat(),
    })  # fmt: skip
    if not answer["version"]:
        raise RedReport(answer["report"])
    details = answer["details"] | {"source": _source(upload, members), "license_note": request.license_note}
    try:
        row = datasets.add(
            owner, name, answer["version"], title=request.title or request.name, details=details,
            quality=answer["report"],
        )  # fmt: skip
    except BaseException:
        datasets.drop_content(name, answer["version"])
        raise
    for done in filter(None, (upload, members)):
        forget(done)
    return row, answer["report"]


def check_room(owner: Any, field: str) -> None:
    """Raises ConfigFault at `field` where nothing more of this person's can be stored."""
    if sentence := quota.full(owner):
        raise ConfigFault({field: [sentence]})


def quality(dataset: Dataset) -> dict[str, Any]:
    """The report of a dataset; of one that came without, it is made once, by a child."""
    if not dataset.quality:
        entry = datasets.entry_of(dataset)
        dataset.quality = _ask({
            "op": "quality", "store": str(settings.DATASETS_ROOT), "version": dataset.version,
            "findings": [dict(each) for each in entry.findings],
        })  # fmt: skip
        dataset.save(update_fields=["quality"])
    found: dict[str, Any] = dataset.quality
    return found


def forget(upload: Upload) -> None:
    """The row, then the files: a row without files would answer with a fault."""
    folder = places.upload_folder(upload.id)
    upload.delete()
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """At the start of the server: what is older than a day, and all that no row knows."""
    for upload in Upload.objects.filter(created__lt=timezone.now() - KEPT):
        forget(upload)
    root = Path(settings.TMP_ROOT)
    known = {str(found) for found in Upload.objects.values_list("id", flat=True)}
    for path in root.iterdir() if root.is_dir() else ():
        if path.name in known:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for upload in Upload.objects.all():
        if not places.upload_folder(upload.id).is_dir():
            upload.delete()


def _forget_old(owner: Any) -> None:
    mine = Upload.objects.owned_by(owner).order_by("-created")
    for upload in [*mine[MOST_WAITING:], *mine.filter(created__lt=timezone.now() - KEPT)]:
        if upload.pk is not None:
            forget(upload)


@contextlib.contextmanager
def _alone(*found: Upload | None) -> Iterator[None]:
    """One commit of an upload at a time, by locks that fall with the process. Raises ConfigFault for a second one."""
    with contextlib.ExitStack() as stack:
        for upload in filter(None, found):
            try:
                descriptor = os.open(places.upload_folder(upload.id), os.O_RDONLY | os.O_CLOEXEC)
            except OSError as fault:
                raise ConfigFault({"file": [GONE]}) from fault
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as fault:
                raise ConfigFault({"file": [COMMITTING]}) from fault
            if not Upload.objects.filter(pk=upload.pk).exists():
                raise ConfigFault({"file": [GONE]})
        yield


def _members(owner: Any, request: DatasetRequest) -> Upload | None:
    if request.membership is None:
        return None
    found: Upload | None = Upload.objects.owned_by(owner).filter(pk=uuid.UUID(request.membership)).first()
    if found is None:
        raise ConfigFault({"membership": ["There is no such upload; send the membership file first."]})
    return found


def _files(upload: Upload) -> list[dict[str, str]]:
    folder = places.upload_folder(upload.id)
    return [{"path": str(folder / str(number)), "label": each["name"]} for number, each in enumerate(upload.files)]


def _source(upload: Upload, members: Upload | None) -> str:
    first = upload.files[0]
    more = f" and {len(upload.files) - 1} more files" if len(upload.files) > 1 else ""
    by = f", members by {members.files[0]['name']}" if members else ""
    return f"Uploaded: {first['name']} (sha256 {first['sha256'][:12]}){more}{by}"


def _ask(job: dict[str, Any]) -> dict[str, Any]:
    with _work_folder() as folder:
        return supervise.run(folder, job)


@contextlib.contextmanager
def _work_folder() -> Iterator[Path]:
    root = Path(settings.TMP_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=WORK, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
