"""Rows of datasets: the store keeps content once, by its hash; a row says whose it is, and what they call it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from marketdata.catalog import PROVENANCE, Catalog, DatasetEntry, DatasetMissing, told_as
from marketdata.catalog import provenance as provenance_of
from marketdata.config import DatasetConfig
from marketdata.config_base import ConfigFault
from marketdata.files.names import UPLOADED, UPLOADS
from marketdata.index_symbols import index_symbols
from marketdata.store import StoreError
from runs_app import quota
from runs_app.models import Dataset, Run

SAMPLES = "sample/"
_UNSAID: dict[str, Any] = {
    "title": "",
    "source": "",
    "license_note": "",
    "survivorship": "unknown",
    "findings": [],
}
NAMED_RUNS = 3


def catalog() -> Catalog:
    return Catalog(Path(settings.DATASETS_ROOT))


def register_stored() -> int:
    """A row that everybody may use for each bundled sample, saying what the store says; how many were new.

    The samples come into the store at set-up, without a database. Nothing else in the store is anybody's but by a row.
    """
    known = {(row.name, row.version): row for row in Dataset.objects.filter(owner=None)}
    new = []
    for entry in catalog().entries():
        said = {"title": entry.title, "details": details_of(entry)}
        row = known.get((entry.id, entry.version))
        if entry.id.startswith(SAMPLES) and row is None:
            new.append(Dataset(name=entry.id, version=entry.version, **said))
        elif row is not None and said != {"title": row.title, "details": row.details}:
            Dataset.objects.filter(pk=row.pk).update(**said)  # a newer StockBot knows more of it
    Dataset.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def add(owner: Any, name: str, version: str, *, title: str, details: Mapping[str, Any],
        quality: Mapping[str, Any] | None = None) -> Dataset:  # fmt: skip
    """A row for content that is in the store. `details` hold what its owner says of it, of `catalog.PROVENANCE`.

    Raises ConfigFault where this person has just that under this name, has no room for it, or where the content was
    taken away meanwhile.
    """
    row = Dataset(owner=owner, name=name, version=version, title=title[:200], details=dict(details),
                  quality=dict(quality or {}))  # fmt: skip
    try:
        with transaction.atomic():  # it holds the lock of writers: nobody removes the content between row and look
            if owner is not None and (sentence := quota.fault(owner, name, version)):
                raise ConfigFault({"name": [sentence]})
            row.save(force_insert=True)
            if not catalog().store.has(version):
                raise ConfigFault({"file": ["It could not be stored just now; send it again."]})
    except IntegrityError as fault:
        sentence = f"You have just this content as {name} already, version {version[:12]}."
        raise ConfigFault({"name": [sentence]}) from fault
    return row


def remove(row: Dataset) -> None:
    """The row goes, and the content when no other row holds it. Raises ConfigFault naming the runs that need it."""
    with transaction.atomic():
        if row.owner_id is None:
            raise ConfigFault({"dataset": ["This is a sample, which everybody uses; it cannot be deleted."]})
        if users := used_by(row, row.owner):
            named = ", ".join(f"{run} ({str(run.id)[:8]})" for run in users[:NAMED_RUNS])
            more = f" and {len(users) - NAMED_RUNS} more" if len(users) > NAMED_RUNS else ""
            sentence = f"Runs of yours need it to be judged or started again: {named}{more}. It stays."
            raise ConfigFault({"dataset": [sentence]})
        row.delete()
        drop_content(row.name, row.version)


def used_by(row: Dataset, user: Any) -> list[Run]:
    """This person's runs on this dataset, newest first; the fetch that brought it does not need it."""
    runs = Run.objects.owned_by(user).exclude(kind=Run.Kind.DATA)
    return list(runs.filter(dataset_version=row.version, dataset_name=row.name)[:100])


def drop_content(name: str, version: str) -> None:
    """Take away the store's entry that no row holds, and the content when neither a row nor another entry does.

    Within a transaction, so that no row comes in between. What the command line stored under another id so stays.
    """
    with transaction.atomic():
        rows = Dataset.objects.select_for_update().filter(version=version).values_list("name", flat=True)
        held, store = {_store_id(each) for each in rows}, catalog().store
        if _store_id(name) in held:
            return
        if not store.forget(version, _store_id(name)) and not held:
            store.remove(version)


def _store_id(name: str) -> str:
    """What the store calls it: all uploads the same, as names are of people."""
    return UPLOADED if name.startswith(UPLOADS) else name


@transaction.atomic
def sweep() -> bool:
    """Take away what killed processes left in the store: halves, and uploaded content that no row came to hold.

    The lock of writers comes first, as in `remove`; whether it was done. What a fetch or the command line stored stays.
    """
    held = set(Dataset.objects.values_list("version", flat=True))
    return catalog().store.sweep(lambda version, id: id in (UPLOADED, "") and version not in held)


def usable(owner: Any) -> list[DatasetEntry]:
    """Every version that this person has a row of, and the samples: by id, the newest of an id first."""
    return [entry for _, entry in listed(owner)]


def listed(owner: Any) -> list[tuple[Dataset, DatasetEntry]]:
    """The same with their rows."""
    rows = Dataset.objects.usable_by(owner).defer("quality").order_by("name", "-created", "-version")
    return [(row, entry) for row in rows if (entry := _entry(row)) is not None]


def find(owner: Any, name: str, version: str | None) -> DatasetEntry:
    """The version named, or the newest. Raises DatasetMissing, for another person's the same as for none."""
    entries = usable(owner)
    of_id = [entry for entry in entries if entry.id == name]
    if not of_id:
        known = ", ".join(dict.fromkeys(entry.id for entry in entries)) or "none yet"
        raise DatasetMissing({"dataset.id": [f"There is no dataset {name}; stored are: {known}."]})
    found = next((entry for entry in of_id if version in (None, entry.version)), None)
    if found is None:
        raise DatasetMissing({"dataset.version": [f"{name} has no version {version}; leave it empty for the newest."]})
    return found


def entry_of(row: Dataset) -> DatasetEntry:
    """The stored version as its owner tells of it. Raises DatasetMissing where the store has lost it."""
    found = _entry(row)
    if found is None:
        raise DatasetMissing({"dataset.version": [f"{row.name} is not in the store any more; put it there again."]})
    return found


def of_run(run: Run) -> DatasetEntry:
    """The version that a run was fed, while its owner has it. Raises DatasetMissing."""
    rows = Dataset.objects.usable_by(run.owner).filter(name=run.dataset_name, version=run.dataset_version)
    row = rows.order_by("-created").first()
    if row is None:
        raise DatasetMissing({"dataset.version": [f"{run.dataset_name or 'Its dataset'} is not yours any more."]})
    return entry_of(row)


def provenance(owner: Any, config: DatasetConfig) -> dict[str, Any]:
    """What the owner says of the resolved dataset: the job reads it beside the configuration."""
    return provenance_of(find(owner, config.id, config.version))


def _entry(row: Dataset) -> DatasetEntry | None:
    """None for a version that the store does not have, or not whole: it must not hide the others."""
    try:
        stored = catalog().entry(row.version, row.name)
    except (StoreError, DatasetMissing):
        return None
    said = {name: row.details[name] for name in PROVENANCE if name in row.details}
    if row.owner_id is not None:  # what the store says is of whoever put the same content there
        marked = list(index_symbols(stored.symbols))
        said = _UNSAID | {"as_of": stored.end.isoformat(), "indices": marked} | said
    return told_as(stored, said | {"id": row.name, "title": row.title or row.name})


def details_of(entry: DatasetEntry) -> dict[str, Any]:
    """What a row keeps of an entry: what its owner says of it, and what tells it should the store lose it."""
    return {
        "symbols": list(entry.symbols), "start": entry.start.isoformat(), "end": entry.end.isoformat(),
        "n_bars": entry.n_bars, "fields": sorted(entry.fields), "adjustment": entry.adjustment,
        "survivorship": entry.survivorship, "as_of": entry.as_of, "source": entry.source,
        "license_note": entry.license_note, "findings": [dict(each) for each in entry.findings],
        "indices": list(entry.indices),
    }  # fmt: skip
