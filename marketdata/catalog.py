"""The catalog: what the store holds, and whether a configuration fits it. Reads small files only, without pyarrow."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from marketdata.bars import Adjustment, Days
from marketdata.config import DatasetConfig
from marketdata.config_base import ConfigFault
from marketdata.store import META, SESSIONS, STORED_AT, Store, StoreError, Survivorship, read_sessions

_UNSAID: dict[str, Any] = {
    "title": "", "survivorship": "unknown", "source": "", "license_note": "", "source_sha256": "", "findings": (),
    STORED_AT: "",
}  # fmt: skip
"""Of a version that nobody calls anything any more, held by rows of people alone."""


class DatasetMissing(ConfigFault):
    """The store has no such dataset, or not that version of it."""


@dataclass(frozen=True)
class DatasetEntry:
    """One stored version. `start` and `end` are its first and last session, `as_of` and `stored_at` ISO texts.

    `actions`: which of `ACTIONS` are recorded; `member`: whether a point-in-time membership is; `delisted`: symbols
    whose end is.
    """

    id: str
    version: str
    title: str
    symbols: tuple[str, ...]
    start: dt.date
    end: dt.date
    n_bars: int
    fields: frozenset[str]
    adjustment: Adjustment
    calendar: str
    interval: str
    survivorship: Survivorship
    as_of: str
    source: str
    license_note: str
    rate_columns: tuple[str, ...]
    sessions_path: Path
    stored_at: str
    source_sha256: str
    findings: tuple[Mapping[str, Any], ...]
    actions: frozenset[str] = frozenset()
    member: bool = False
    delisted: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()


class Catalog:
    """What lies in the store at `root`."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)

    def entries(self) -> list[DatasetEntry]:
        """Every readable version under each of its ids: by id, the newest of an id first."""
        found: list[DatasetEntry] = []
        for version in self.store.ids():
            try:
                meta = self.store.meta(version)
                found += [_entry(self.store, version, meta, id) for id in meta["entries"]]
            except StoreError:
                continue  # a damaged folder must not hide the others; loading it by version tells
        found.sort(key=lambda entry: (entry.stored_at, entry.version), reverse=True)
        return sorted(found, key=lambda entry: entry.id)

    def entry(self, version: str, id: str) -> DatasetEntry:
        """The stored version as it is called `id`; where nobody called it so, with the words of who stored it first.

        Raises DatasetMissing, or StoreError for one that is damaged.
        """
        if not self.store.has(version):
            raise DatasetMissing({"dataset.version": [f"Version {version[:12]} is not in the store."]})
        meta = self.store.meta(version)
        return _entry(self.store, version, meta, id)

    def find(self, id: str, version: str | None = None) -> DatasetEntry:
        """The newest version stored as `id`, or the one named. Raises DatasetMissing with one sentence.

        For those who have the store alone, without rows of people: scripts and the command line.
        """
        entries = self.entries()
        of_id = [entry for entry in entries if entry.id == id]
        if not of_id:
            known = ", ".join(dict.fromkeys(entry.id for entry in entries)) or "none yet"
            raise DatasetMissing({"dataset.id": [f"There is no dataset {id}; stored are: {known}."]})
        if version is None:
            return of_id[0]
        for entry in of_id:
            if entry.version == version:
                return entry
        raise DatasetMissing({"dataset.version": [f"{id} has no version {version}; leave it empty for the newest."]})


PROVENANCE = ("id", "title", "source", "as_of", "license_note", "survivorship", "findings", "indices")
"""What an owner says of a version, and the arrays do not."""


def provenance(entry: DatasetEntry) -> dict[str, Any]:
    """Plain JSON values of what is said of this entry."""
    return {name: list(value) if isinstance(value := getattr(entry, name), tuple) else value for name in PROVENANCE}


def told_as(entry: DatasetEntry, said: Mapping[str, Any]) -> DatasetEntry:
    """The same version as its owner tells of it: each of `PROVENANCE` that `said` holds replaces the store's."""
    held: dict[str, Any] = {
        name: tuple(said[name]) if name in ("findings", "indices") else said[name]
        for name in PROVENANCE
        if name in said
    }
    return dataclasses.replace(entry, **held)


def sessions(entry: DatasetEntry, start: dt.date | None = None, end: dt.date | None = None) -> Days:
    """(T,) datetime64[D] of the entry from `start` to `end`, both inside; empty means the entry's own."""
    days = read_sessions(entry.sessions_path)
    first = 0 if start is None else int(np.searchsorted(days, np.datetime64(start, "D"), side="left"))
    last = len(days) if end is None else int(np.searchsorted(days, np.datetime64(end, "D"), side="right"))
    return days[first : max(first, last)]


def resolve(entry: DatasetEntry, config: DatasetConfig) -> DatasetConfig:
    """The configuration with version, symbols, start, end and adjustment filled in; dates move inward to sessions.

    Raises ConfigFault with a sentence at each field that the stored data cannot serve.
    """
    faults: dict[str, list[str]] = {}
    _check_symbols(entry, config, faults)
    _check_kind(entry, config, faults)
    _check_membership(entry, config, faults)
    _check_dates(entry, config, faults)
    if faults:
        raise ConfigFault(faults)
    days = sessions(entry, config.start, config.end)
    if len(days) < 2:
        first, last = config.start or entry.start, config.end or entry.end
        sentence = f"A run needs at least two sessions; {entry.id} has {len(days)} from {first} to {last}."
        raise ConfigFault({"dataset.end": [sentence]})
    update = {
        "version": entry.version, "symbols": config.symbols or entry.symbols,
        "adjustment": config.adjustment or entry.adjustment,
        "start": cast(dt.date, days[0].item()), "end": cast(dt.date, days[-1].item()),
        "membership": config.membership or ("stored" if entry.member else None),
    }  # fmt: skip
    return config.model_copy(update=update)


def adjustments(entry: DatasetEntry) -> tuple[Adjustment, ...]:
    """What a run may ask for, first what is stored: empty takes that. Raw bars with their actions can be adjusted."""
    if entry.adjustment != "raw" or "split" not in entry.actions:
        return (entry.adjustment,)
    return ("raw", "split", "total_return") if "dividend" in entry.actions else ("raw", "split")


def _check_symbols(entry: DatasetEntry, config: DatasetConfig, faults: dict[str, list[str]]) -> None:
    held = set(entry.symbols)
    for symbol in config.symbols or ():
        if symbol not in held:
            sentence = f"{symbol} is not in {entry.id}, which holds {_listed(entry.symbols)}."
            faults.setdefault("dataset.symbols", []).append(sentence)


def _check_kind(entry: DatasetEntry, config: DatasetConfig, faults: dict[str, list[str]]) -> None:
    offered = adjustments(entry)
    if config.adjustment not in (None, *offered):
        stored = f"{entry.id} is stored as {entry.adjustment}, not {config.adjustment}"
        advice = f"use {' or '.join(offered)}, or leave it empty" if len(offered) > 1 else "leave it empty"
        faults["dataset.adjustment"] = [f"{stored}; {advice}."]
    if config.interval != entry.interval:
        faults["dataset.interval"] = [f"{entry.id} has bars of {entry.interval}, not {config.interval}."]


def _check_membership(entry: DatasetEntry, config: DatasetConfig, faults: dict[str, list[str]]) -> None:
    if config.membership == "stored" and not entry.member:
        faults["dataset.membership"] = [f"{entry.id} has no membership of its universe; leave it empty."]


def _check_dates(entry: DatasetEntry, config: DatasetConfig, faults: dict[str, list[str]]) -> None:
    for name, day in (("start", config.start), ("end", config.end)):
        if day is not None and not entry.start <= day <= entry.end:
            side = f"on or after {entry.start}" if day < entry.start else f"on or before {entry.end}"
            faults[f"dataset.{name}"] = [f"Must lie {side}: {entry.id} goes from {entry.start} to {entry.end}."]


def _listed(symbols: tuple[str, ...], most: int = 30) -> str:
    more = f" and {len(symbols) - most} more" if len(symbols) > most else ""
    return ", ".join(symbols[:most]) + more


def _entry(store: Store, version: str, meta: Mapping[str, Any], id: str) -> DatasetEntry:
    entries = meta["entries"]
    try:
        first = min(entries.values(), key=lambda told: told[STORED_AT], default=_UNSAID | {"as_of": meta["end"]})
        said = entries.get(id, first)
        return DatasetEntry(
            id=id, version=version, title=said["title"], symbols=tuple(meta["symbols"]),
            start=dt.date.fromisoformat(meta["start"]), end=dt.date.fromisoformat(meta["end"]), n_bars=meta["n_bars"],
            fields=frozenset(meta["fields"]), adjustment=meta["adjustment"], calendar=meta["calendar"],
            interval=meta["interval"], survivorship=said["survivorship"], as_of=said["as_of"], source=said["source"],
            license_note=said["license_note"], rate_columns=tuple(meta["rate_columns"]),
            sessions_path=store.folder(version) / SESSIONS, stored_at=said[STORED_AT],
            source_sha256=said["source_sha256"], findings=tuple(said["findings"]),
            actions=frozenset(meta.get("actions", ())), member=bool(meta.get("member", False)),
            delisted=tuple(meta.get("delistings", {})), indices=tuple(said.get("indices", ())),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"dataset version {version[:12]} has an incomplete {META}") from error
