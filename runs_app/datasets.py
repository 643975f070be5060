"""Rows of stored datasets: the store knows what there is, a row knows whose it is."""

from pathlib import Path
from typing import Any

from django.conf import settings

from marketdata.catalog import Catalog, DatasetEntry, DatasetMissing
from runs_app.models import Dataset


def catalog() -> Catalog:
    return Catalog(Path(settings.DATASETS_ROOT))


def register_stored() -> int:
    """Give every stored version without a row one that everybody may use; how many were new.

    The samples come into the store at set-up, without a database; whatever is fetched for a person gets its row first.
    """
    known = set(Dataset.objects.values_list("name", "version"))
    new = [entry for entry in catalog().entries() if (entry.id, entry.version) not in known]
    rows = [Dataset(name=entry.id, version=entry.version, title=entry.title, details=_details(entry)) for entry in new]
    Dataset.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def usable(owner: Any) -> list[DatasetEntry]:
    """Every stored version that this person may use: by id, the newest of an id first."""
    foreign = set(Dataset.objects.exclude(owner=None).exclude(owner=owner).values_list("name", "version"))
    return [entry for entry in catalog().entries() if (entry.id, entry.version) not in foreign]


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


def _details(entry: DatasetEntry) -> dict[str, Any]:
    return {
        "symbols": list(entry.symbols), "start": entry.start.isoformat(), "end": entry.end.isoformat(),
        "n_bars": entry.n_bars, "fields": sorted(entry.fields), "adjustment": entry.adjustment,
        "survivorship": entry.survivorship, "as_of": entry.as_of, "source": entry.source,
        "license_note": entry.license_note,
    }  # fmt: skip
