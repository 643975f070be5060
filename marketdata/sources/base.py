"""What a source of prices is, and the registry of them by dotted name, so that naming one imports none."""

import importlib
from dataclasses import dataclass
from typing import Protocol

from marketdata.bars import Bars
from marketdata.store import EntryMeta

SOURCES: dict[str, str] = {"sample": "marketdata.sources.sample:SampleSource"}


@dataclass(frozen=True)
class Fetched:
    """Bars on the calendar, with what the source saw while it laid its rows there in `meta.findings`."""

    bars: Bars
    meta: EntryMeta


class Source(Protocol):
    """Where bars come from. A dataset's id is `<source>/<name>`."""

    key: str

    def names(self) -> tuple[str, ...]:
        """Datasets on offer."""
        ...

    def fingerprint(self, name: str) -> str:
        """sha256 that changes whenever `fetch` would give something else; cheap, without parsing."""
        ...

    def fetch(self, name: str) -> Fetched:
        """Raises ValueError with one sentence for an unknown name or for input that is no prices."""
        ...


def source(key: str) -> Source:
    """The source of that key. Raises ValueError naming the known ones."""
    if key not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}, not {key}")
    module, _, name = SOURCES[key].partition(":")
    made: Source = getattr(importlib.import_module(module), name)()
    return made
