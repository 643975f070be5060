"""What a source of prices is, and the registries of them by dotted name, so that naming one imports none.

Two kinds. A `Source` offers whole datasets by name (the samples). A `HistorySource` is asked symbol by symbol; those
stand in the ordered fallback chain of a fetch (`marketdata.fetch`): the first that has a symbol serves it.
"""

import datetime as dt
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from marketdata.bars import Bars, Days, Floats
from marketdata.store import EntryMeta

SOURCES: dict[str, str] = {"sample": "marketdata.sources.sample:SampleSource"}

Basis = Literal["as_traded", "split_adjusted"]
"""split_adjusted: prices, dividends and volumes are divided or multiplied by every later split up to the asking."""
Action = tuple[dt.date, float]
"""Ex-date and amount: new shares for an old one, or cash a share."""


@dataclass(frozen=True)
class HistorySpec:
    """What is known of a history source without importing it.

    `network`: it asks another machine, so that one fetch at a time may use it; `depth_days` interval → how many days
    back it keeps bars of it, None for as long as there are any; an interval that is missing is not offered.
    """

    where: str
    title: str
    network: bool
    depth_days: Mapping[str, int | None]
    calendars: tuple[str, ...]


HISTORIES: dict[str, HistorySpec] = {
    "yahoo": HistorySpec(
        "marketdata.sources.yahoo:YahooHistory", "Yahoo Finance, for personal use", True,
        {"1d": None, "1h": 729, "15m": 59, "1m": 29}, ("XNYS", "24/7"),
    ),
    "files": HistorySpec(
        "marketdata.sources.files:FilesHistory", "Files of this machine's operator", False,
        dict.fromkeys(("1d", "1h", "15m", "1m")), ("XNYS", "24/7"),
    ),
    "sample": HistorySpec(
        "marketdata.sources.sample:SampleHistory", "Raw bars of the bundled samples", False, {"1d": None}, ("XNYS",),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Fetched:
    """Bars on the calendar, with what the source saw while it laid its rows there in `meta.findings`."""

    bars: Bars
    meta: EntryMeta


@dataclass(frozen=True)
class Asked:
    """A question to a history source: bars of `interval` from `start` to `end`, both inside, as known at `now` (UTC).

    A source whose prices are split-adjusted gives everything from `start` to `now`: later splits are in its prices.
    """

    symbol: str
    interval: str
    start: dt.date
    end: dt.date
    now: dt.datetime


@dataclass(frozen=True)
class History:
    """One symbol as a source tells it.

    `time` (n,): datetime64[D], the session of daily bars, or datetime64[s], the start of shorter ones in UTC;
    `columns` (n,) of `bars.FIELDS`; `notes` are sentences about what the numbers cannot say; `index`: the source says
    that the symbol is the level of an index.
    """

    time: Days
    columns: dict[str, Floats]
    splits: tuple[Action, ...] = ()
    dividends: tuple[Action, ...] = ()
    basis: Basis = "as_traded"
    currency: str = ""
    notes: tuple[str, ...] = field(default=())
    index: bool = False


class NoHistory(ValueError):
    """The source does not have the symbol, or not for these days; one sentence that names it. The next is asked."""


class TryLater(Exception):
    """The source does not answer now: too many requests, or a network fault; one sentence.

    `after_s`: how long it asked to be left alone, where it said so.
    """

    def __init__(self, sentence: str, after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.after_s = after_s


class Source(Protocol):
    """Where whole datasets come from. A dataset's id is `<source>/<name>`."""

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


class HistorySource(Protocol):
    """Where single symbols come from, in the chain of a fetch."""

    key: str
    license_note: str

    def history(self, asked: Asked) -> History:
        """At least one row. Raises NoHistory or TryLater with one sentence."""
        ...


def source(key: str) -> Source:
    """The source of that key. Raises ValueError naming the known ones."""
    if key not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}, not {key}")
    made: Source = _load(SOURCES[key])
    return made


def history_source(key: str) -> HistorySource:
    """The source of that key for a chain. Raises ValueError naming the known ones."""
    if key not in HISTORIES:
        raise ValueError(f"sources must be among {', '.join(HISTORIES)}, not {key}")
    made: HistorySource = _load(HISTORIES[key].where)
    return made


def networked(keys: tuple[str, ...] | list[str]) -> frozenset[str]:
    """Those of the keys that ask another machine."""
    return frozenset(key for key in keys if key in HISTORIES and HISTORIES[key].network)


def _load(dotted: str) -> Any:
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)()
