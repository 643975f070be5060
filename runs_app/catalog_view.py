"""What is stored, for forms and pages. Sync views run in threads of the server, so they may read the catalog."""

from typing import Any

from marketdata.catalog import DatasetEntry
from runs_app import datasets


def stored_datasets(user: Any) -> list[DatasetEntry]:
    """The newest version of each stored dataset that this person may use, by id."""
    newest: dict[str, DatasetEntry] = {}
    for entry in datasets.usable(user):  # the newest of an id first
        newest.setdefault(entry.id, entry)
    return list(newest.values())


def dataset_options(entries: list[DatasetEntry]) -> list[tuple[str, str]]:
    """Value and words of each dataset in a choice."""
    return [
        (entry.id, f"{entry.title} ({len(entry.symbols)} symbols, {entry.start} to {entry.end})") for entry in entries
    ]
