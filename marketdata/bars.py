"""Bars: what the market did, as arrays of shape (T, A) on one master index of bars.

Absent is NaN. Prices are in the currency of the symbol, volume in shares, rates in fractions a year, times in UTC.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
Adjustment = Literal["raw", "split", "total_return"]

FIELDS = ("open", "high", "low", "close", "volume", "vwap")
PRICES = ("open", "high", "low", "close", "vwap")
ACTIONS = ("split", "dividend")
NO_ACTION = {"split": 1.0, "dividend": 0.0}

DAILY = "1d"
BARS_A_DAY = {DAILY: 1, "1h": 7, "15m": 26, "1m": 390}
"""Bars of a regular session of XNYS by interval: its last bar of an hour is half as long as the others."""
ALWAYS_OPEN = "24/7"
INTERVAL_SECONDS = {DAILY: 86_400, "1h": 3600, "15m": 900, "1m": 60}
PERIODS_PER_YEAR: dict[tuple[str, str], float] = {
    **{("XNYS", interval): 252.0 * count for interval, count in BARS_A_DAY.items()},
    **{(ALWAYS_OPEN, interval): 365.0 * 86_400 / seconds for interval, seconds in INTERVAL_SECONDS.items()},
}
"""Bars a year by calendar and interval, fixed so that no annualised figure depends on the span of the data."""

HASH_SCHEMA = 1


class BarsError(ValueError):
    """Arrays that do not make bars; the message is one sentence naming the field."""


@dataclass(frozen=True)
class Delisting:
    """A recorded end of a symbol. `last_session`: its last day of trading; `final_return`: the fraction that its
    holders got or lost after the last close, None where the data does not say.
    """

    last_session: dt.date
    final_return: float | None = None


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of A symbols on T bars.

    `session` (T,) datetime64[D], the day a bar belongs to: strictly increasing for daily bars, never decreasing for
    shorter ones; `known_at` (T,) datetime64[ns], the close of the bar in UTC, strictly increasing;
    `open high low close volume vwap` (T, A) float64, C-contiguous, or None where the data has no such field;
    `rates` name → (T,) float64, fractions a year: row t pays for the time from t to t+1.
    Recorded corporate actions, raw prices only: `split` (T, A) new shares for an old one from the open of t on, 1 where
    none; `dividend` (T, A) cash a share (after a split of that bar) with ex-date t, 0 where none; None: not recorded.
    `delistings` symbol → recorded end, never inferred. `member` (T, A) bool: whether the symbol belongs to the universe
    at the close of t; None: no membership is known.
    Raises BarsError when shapes disagree, times do not increase, symbols repeat or an action is impossible.
    """

    symbols: tuple[str, ...]
    session: Days
    known_at: Days
    close: Floats
    open: Floats | None = None
    high: Floats | None = None
    low: Floats | None = None
    volume: Floats | None = None
    vwap: Floats | None = None
    rates: dict[str, Floats] = field(default_factory=dict)
    calendar: str = "XNYS"
    interval: str = DAILY
    adjustment: Adjustment = "raw"
    split: Floats | None = None
    dividend: Floats | None = None
    delistings: Mapping[str, Delisting] = field(default_factory=dict)
    member: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        _check_index(self)
        shape = (len(self.session), len(self.symbols))
        for name in (*FIELDS, *ACTIONS):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _array(name, value, shape))
        rates = {name: _array(f"rates[{name}]", value, shape[:1]) for name, value in self.rates.items()}
        object.__setattr__(self, "rates", rates)
        _check_actions(self)
        if self.member is not None:
            object.__setattr__(self, "member", _mask("member", self.member, shape))

    @property
    def n_bars(self) -> int:
        return len(self.session)

    @property
    def n_assets(self) -> int:
        return len(self.symbols)

    @property
    def fields(self) -> frozenset[str]:
        """Names of the columns that exist, of `FIELDS`."""
        return frozenset(name for name in FIELDS if getattr(self, name) is not None)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(T, A): the close is finite and above 0."""
        return np.isfinite(self.close) & (self.close > 0)

    @cached_property
    def last_bar(self) -> NDArray[np.int64]:
        """(A,) last bar of each symbol whose end is recorded within these bars, -1 for all others."""
        found = np.full(self.n_assets, -1, np.int64)
        for a, symbol in enumerate(self.symbols):
            if symbol in self.delistings:
                day = np.datetime64(self.delistings[symbol].last_session, "D")
                last = int(np.searchsorted(self.session, day, side="right")) - 1
                found[a] = last if 0 <= last < self.n_bars - 1 else -1
        return found

    @property
    def intraday(self) -> bool:
        return self.interval != DAILY

    @property
    def periods_per_year(self) -> float:
        return PERIODS_PER_YEAR[self.calendar, self.interval]

    def column(self, name: str) -> Floats | None:
        """(T, A) of one of `FIELDS` or `ACTIONS`, None where the data lacks it."""
        value: Floats | None = getattr(self, name)
        return value

    def by_asset(self) -> dict[str, Any]:
        """Every array of shape (T, A) that there is, by name."""
        return {name: value for name in (*FIELDS, *ACTIONS, "member") if (value := getattr(self, name)) is not None}

    def select(self, symbols: Sequence[str]) -> Self:
        """The same bars for these symbols, in this order. Raises BarsError for an unknown symbol."""
        unknown = [symbol for symbol in symbols if symbol not in self.symbols]
        if unknown:
            raise BarsError(f"symbols has {unknown[0]}, which these bars do not hold")
        where = [self.symbols.index(symbol) for symbol in symbols]
        columns = {name: value[:, where] for name, value in self.by_asset().items()}
        ends = {symbol: end for symbol, end in self.delistings.items() if symbol in symbols}
        return dataclasses.replace(self, symbols=tuple(symbols), delistings=ends, **columns)

    def between(self, start: dt.date, end: dt.date) -> Self:
        """Bars of the sessions from `start` to `end`, both inside. Raises BarsError when there is none."""
        first = int(np.searchsorted(self.session, np.datetime64(start, "D"), side="left"))
        last = int(np.searchsorted(self.session, np.datetime64(end, "D"), side="right"))
        if first >= last:
            raise BarsError(f"no session lies between {start} and {end}")
        return self.rows(first, last)

    def rows(self, first: int, stop: int) -> Self:
        """The bars first..stop-1, at least one; recorded ends of symbols stay, also those that lie outside."""
        span = slice(first, stop)
        columns = {name: value[span] for name, value in self.by_asset().items()}
        rates = {name: value[span] for name, value in self.rates.items()}
        return dataclasses.replace(
            self, session=self.session[span], known_at=self.known_at[span], rates=rates, **columns
        )

    def content_hash(self) -> str:
        """sha256 of what the bars say, whatever file they came from: header, then each array, little-endian.

        Every NaN counts as the same NaN, and −0 as 0.
        """
        names = [name for name in (*FIELDS, *ACTIONS) if self.column(name) is not None]
        header: dict[str, Any] = {
            "schema": HASH_SCHEMA, "symbols": self.symbols, "fields": names, "rates": sorted(self.rates),
            "calendar": self.calendar, "interval": self.interval, "adjustment": self.adjustment, "n_bars": self.n_bars,
        }  # fmt: skip
        if self.delistings:
            header["delistings"] = {s: [str(e.last_session), e.final_return] for s, e in self.delistings.items()}
        if self.member is not None:
            header["member"] = True
        digest = hashlib.sha256(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
        digest.update(self.session.astype("datetime64[D]").astype("<i8").tobytes())
        digest.update(self.known_at.astype("datetime64[ns]").astype("<i8").tobytes())
        for value in [getattr(self, name) for name in names] + [self.rates[name] for name in sorted(self.rates)]:
            digest.update(_canonical_bytes(value))
        if self.member is not None:
            digest.update(self.member.tobytes())
        return digest.hexdigest()


def _canonical_bytes(value: Floats) -> bytes:
    return np.where(np.isnan(value), np.nan, value + 0.0).astype("<f8").tobytes()


def _check_index(bars: Bars) -> None:
    if not bars.symbols or not len(bars.session):
        raise BarsError("bars need at least one symbol and one session")
    if len(set(bars.symbols)) != len(bars.symbols):
        raise BarsError("symbols must not repeat")
    if (bars.calendar, bars.interval) not in PERIODS_PER_YEAR:
        calendars, intervals = (", ".join(dict.fromkeys(parts)) for parts in zip(*PERIODS_PER_YEAR, strict=True))
        raise BarsError(
            f"calendar {bars.calendar} with interval {bars.interval} is not known; use {calendars} with {intervals}"
        )
    object.__setattr__(bars, "session", np.ascontiguousarray(bars.session, dtype="datetime64[D]"))
    object.__setattr__(bars, "known_at", np.ascontiguousarray(bars.known_at, dtype="datetime64[ns]"))
    if bars.known_at.shape != bars.session.shape:
        raise BarsError(f"known_at must have the shape {bars.session.shape} of session, not {bars.known_at.shape}")
    _check_increasing("known_at", bars.known_at)
    if not bars.intraday:
        _check_increasing("session", bars.session)
    elif np.isnat(bars.session).any() or (bars.session[1:] < bars.session[:-1]).any():
        raise BarsError("session must not decrease from bar to bar")


def _check_increasing(name: str, value: Days) -> None:
    if np.isnat(value).any() or (value[1:] <= value[:-1]).any():
        raise BarsError(f"{name} must increase from bar to bar")


def _check_actions(bars: Bars) -> None:
    recorded = [name for name in ACTIONS if bars.column(name) is not None]
    if recorded and bars.adjustment != "raw":
        raise BarsError(f"{recorded[0]} belongs to raw prices; these are {bars.adjustment} adjusted")
    for name, least in (("split", "more than 0"), ("dividend", "at least 0")):
        value = bars.column(name)
        if value is None:
            continue
        wrong = ~(np.isfinite(value) & ((value > 0) if name == "split" else (value >= 0)))
        if wrong.any():
            t, a = np.argwhere(wrong)[0]
            raise BarsError(f"{name} of {bars.symbols[a]} on {bars.session[t]} is {value[t, a]}, and must be {least}")
    for symbol, end in bars.delistings.items():
        if symbol not in bars.symbols:
            raise BarsError(f"delistings names {symbol}, which these bars do not hold")
        if end.final_return is not None and not end.final_return >= -1:
            raise BarsError(f"delistings has a final_return of {end.final_return} for {symbol}; at least -1 is right")


def _array(name: str, value: Any, shape: tuple[int, ...]) -> Floats:
    array = np.ascontiguousarray(value, dtype=np.float64)
    if array.shape != shape:
        raise BarsError(f"{name} must have the shape {shape}, not {array.shape}")
    return array


def _mask(name: str, value: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    array = np.ascontiguousarray(value, dtype=np.bool_)
    if array.shape != shape:
        raise BarsError(f"{name} must have the shape {shape}, not {array.shape}")
    return array
