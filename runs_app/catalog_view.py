"""What is stored, for forms and pages. Sync views run in threads of the server, so they may read the catalog."""

from django.conf import settings

from marketdata.catalog import Catalog, DatasetEntry


def stored_datasets() -> list[DatasetEntry]:
    """The newest version of each stored dataset, by id."""
    newest: dict[str, DatasetEntry] = {}
    for entry in Catalog(settings.DATASETS_ROOT).entries():
        newest.setdefault(entry.id, entry)  # the catalog gives the newest of an id first
    return list(newest.values())


def dataset_options(entries: list[DatasetEntry]) -> list[tuple[str, str]]:
    """Value and words of each dataset in a choice."""
    return [
        (entry.id, f"{entry.title} · {len(entry.symbols)} symbols · {entry.start} to {entry.end}") for entry in entries
    ]
