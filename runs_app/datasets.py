"""Rows of stored datasets: the store knows what there is, a row knows whose it is."""

from pathlib import Path
from typing import Any

from django.conf import settings

from marketdata.catalog import Catalog, DatasetEntry, DatasetMissing
from marketdata.sources.base import networked
from runs_app.models import Dataset


def catalog() -> Catalog:
    return Catalog(Path(settings.DATASETS_ROOT))


def register_stored() -> int:
    """Give every stored version without a row one that everybody may use; how many were new.

    The samples come into the store at set-up, without a database; whatever is fetched for a person gets its row first.
    """
    known = set(Dataset.objects.values_list("name", "version"))
    new = [e for e in catalog().entries() if (e.id, e.version) not in known and not _is_personal(e)]
    rows = [
        Dataset(name=entry.id, version=entry.version, title=entry.title, details=details_of(entry)) for entry in new
    ]
    Dataset.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def usable(owner: Any) -> list[DatasetEntry]:
    """Every stored version that this person may use: by id, the newest of an id first."""
    mine = set(Dataset.objects.filter(owner=owner).values_list("name", "version"))
    foreign = set(Dataset.objects.exclude(owner=None).exclude(owner=owner).values_list("name", "version"))
    found = [(entry, (entry.id, entry.version)) for entry in catalog().entries()]
    return [entry for entry, key in found if key in mine or (key not in foreign and not _is_personal(entry))]


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


def _is_personal(entry: DatasetEntry) -> bool:
    """Fetched for a person: nobody's before its row is there, never everybody's."""
    return bool(networked([entry.id.partition("/")[0]]))


def details_of(entry: DatasetEntry) -> dict[str, Any]:
    return {
        "symbols": list(entry.symbols), "start": entry.start.isoformat(), "end": entry.end.isoformat(),
        "n_bars": entry.n_bars, "fields": sorted(entry.fields), "adjustment": entry.adjustment,
        "survivorship": entry.survivorship, "as_of": entry.as_of, "source": entry.source,
        "license_note": entry.license_note,
    }  # fmt: skip
