"""Asking the sources of a chain for one symbol after the other, politely, and remembering what each has said."""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from marketdata import fetch_raw
from marketdata.bars import DAILY, Days
from marketdata.fetch_config import DataConfig
from marketdata.fetch_raw import Known, Piece, RawCopies
from marketdata.sessions import grid
from marketdata.sources.base import (
    HISTORIES,
    Asked,
    History,
    HistorySource,
    NoHistory,
    TryLater,
    history_source,
    networked,
)
from runfiles import kernel

LONGEST_WAIT_S = 900.0
PATIENCE_S = 1800.0
"""A fetch waits so long in all, whatever its retries say: others stand behind it, and what it has is kept."""
FRESH = dt.timedelta(days=1)
"""An answer that came so long after a bar's close, or with `refetch: all` so short ago, is not asked for again."""
LOCK = "lock"
LONGEST_CLOSURE = dt.timedelta(days=14)
"""Longer than any calendar was ever closed since 1950."""


class ProviderBusy(ValueError):
    """Another fetch asks the provider; one sentence."""


@dataclass(frozen=True)
class Served:
    """One symbol as the source `key` has it. `asked`: bars that this run got from the network."""

    symbol: str
    key: str
    known: Known
    asked: int
    as_of: dt.date


@dataclass
class Chain:
    """The sources of a configuration. `tell` gets a sentence for people; `sleep` waits between two questions.

    `now`: up to when bars are complete; `failed` symbol → a sentence of each source why it cannot serve it.
    """

    config: DataConfig
    root: Path
    now: dt.datetime
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    failed: dict[str, list[str]] = field(default_factory=dict)
    _sources: dict[str, HistorySource] = field(default_factory=dict)
    _down: dict[str, str] = field(default_factory=dict)
    _waited: float = 0.0

    def __post_init__(self) -> None:
        start = self.config.start
        assert start is not None  # `fetch_config.resolved` has filled it in
        self._start = start
        self._keys, self._closes = self._complete(start, min(self.config.end or self.today, self.today))
        self._newest = self._complete(self.today - LONGEST_CLOSURE, self.today)[0][-1]

    def _complete(self, start: dt.date, end: dt.date) -> tuple[Days, Days]:
        """The times by which rows name the bars that have ended by now, and their closes."""
        known = grid(self.config.calendar, self.config.interval, start, end)
        ended = known.known_at <= np.datetime64(self.now.replace(tzinfo=None), "ns")
        keys = known.session if self.config.interval == DAILY else known.start.astype("datetime64[s]")
        return keys[ended], known.known_at[ended]

    @property
    def today(self) -> dt.date:
        return self.now.date()

    @property
    def n_bars(self) -> int:
        """Bars of the calendar that are asked for."""
        return len(self._keys)

    def note(self, key: str) -> str:
        return self._source(key).license_note

    def serve(self, symbol: str) -> Served | None:
        """The first source that has the symbol; None, with the reasons in `failed`, where none has."""
        reasons: list[str] = []
        for key in self.config.sources:
            try:
                served = self._from(key, symbol)
            except (NoHistory, TryLater) as fault:
                reasons.append(str(fault))
                continue
            if reasons:
                self.tell(f"{' '.join(reasons)} {symbol} is taken from {key}.")
            return served
        self.failed[symbol] = reasons
        return None

    def _from(self, key: str, symbol: str) -> Served:
        spec = HISTORIES[key]
        if self.config.interval not in spec.depth_days or self.config.calendar not in spec.calendars:
            raise NoHistory(f"{key} has no bars of {self.config.interval} on {self.config.calendar}.")
        if spec.network:
            pieces, asked = self._remembered(key, symbol)
        else:
            pieces, asked = [self._piece(self._asked(symbol, self._start), self._source(key).history)], 0
        known = fetch_raw.known(symbol, pieces, newest_wins=self.config.refetch == "all")
        days = known.time.astype("datetime64[D]")
        last = self.config.end or self.today
        if not ((days >= np.datetime64(self._start)) & (days <= np.datetime64(last))).any():
            raise NoHistory(f"{key} has no bars of {self.config.interval} of {symbol} from {self._start} to {last}.")
        return Served(symbol, key, known, asked, pieces[-1].at.date())

    def _remembered(self, key: str, symbol: str) -> tuple[list[Piece], int]:
        """All that the provider has said, after it was asked for what is missing; and how many bars that brought."""
        copies = RawCopies(self.root, key, self.config.interval)
        pieces = copies.pieces(symbol)
        start = self._missing_from(symbol, pieces)
        if start is None:
            return pieces, 0
        try:
            piece = self._politely(key, symbol, start)
        except NoHistory as fault:
            if not pieces:
                raise
            self.tell(f"{fault} What is stored of {symbol} is used.")
            return pieces, 0
        copies.append(symbol, piece)
        return [*pieces, piece], len(piece.history.time)

    def _missing_from(self, symbol: str, pieces: list[Piece]) -> dt.date | None:
        """First day that must be asked for, None where everything is stored."""
        if self.config.refetch == "all":
            fresh = any(piece.start <= self._start and self.now - piece.at < FRESH for piece in pieces)
            return None if fresh else self._start
        if not pieces or self._start < min(piece.start for piece in pieces):
            return self._start
        if not len(self._keys):
            return None
        stored = fetch_raw.known(symbol, pieces, newest_wins=False).time
        asked = np.datetime64(max(piece.at for piece in pieces).replace(tzinfo=None), "ns")
        if stored[-1] >= self._keys[-1] or asked >= self._closes[-1] + np.timedelta64(FRESH):
            return None
        first: dt.date = stored[-min(self.config.overlap, len(stored))].astype("datetime64[D]").item()
        return max(first, self._start)

    def _politely(self, key: str, symbol: str, start: dt.date) -> Piece:
        """The answer to one question, asked again after a refusal. A source that stays silent is not asked any more."""
        if key in self._down:
            raise TryLater(f"{symbol} was not asked of {key}, which {self._down[key]}.")
        for attempt in range(self.config.retries + 1):
            try:
                return self._piece(self._asked(symbol, start), self._source(key).history)
            except TryLater as fault:
                wait = min(LONGEST_WAIT_S, max(self.config.wait_s * 2**attempt, fault.after_s or 0.0))
                if attempt == self.config.retries:
                    raise self._given_up(key, f"did not answer in {attempt + 1} tries", fault) from fault
                if self._waited + wait > PATIENCE_S:
                    said = f"had this fetch wait for {self._waited:g} s and wants {wait:g} s more"
                    raise self._given_up(key, f"{said}, over the {PATIENCE_S:g} s that a fetch waits", fault) from fault
                self.tell(f"{fault} It is asked again in {wait:g} s.")
                self._waited += wait
                self.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _given_up(self, key: str, why: str, fault: TryLater) -> TryLater:
        """The provider is not asked any more."""
        self._down[key] = why
        return TryLater(f"{fault} It {why}; start again later: what was fetched is kept.")

    def _piece(self, asked: Asked, ask: Callable[[Asked], History]) -> Piece:
        """The answer without the bar that is still being traded. Raises NoHistory where nothing else is left."""
        said = ask(asked)
        rows = said.time <= self._newest
        if not rows.any():
            raise NoHistory(f"There is no complete bar of {self.config.interval} of {asked.symbol} yet.")
        columns = {name: column[rows] for name, column in said.columns.items()}
        last = said.time[rows][-1].astype("datetime64[D]").item()
        dividends = tuple(each for each in said.dividends if each[0] <= last)
        history = replace(said, time=said.time[rows], columns=columns, dividends=dividends)
        return Piece(history, asked.start, self.now)

    def _asked(self, symbol: str, start: dt.date) -> Asked:
        return Asked(symbol, self.config.interval, start, self.config.end or self.today, self.now)

    def _source(self, key: str) -> HistorySource:
        if key not in self._sources:
            self._sources[key] = history_source(key)
        return self._sources[key]


@contextmanager
def alone_with(root: Path, config: DataConfig) -> Iterator[None]:
    """Holds the lock of each provider that may be asked. Raises ProviderBusy where another fetch holds one."""
    with ExitStack() as stack:
        for key in sorted(networked(config.sources)):
            folder = root / fetch_raw.FOLDER / key
            folder.mkdir(parents=True, exist_ok=True)
            held = kernel.take_lock(folder / LOCK)
            if held is None:
                raise ProviderBusy(f"another fetch from {key} is at work; start this one again when it has ended")
            stack.callback(os.close, held)
        yield
