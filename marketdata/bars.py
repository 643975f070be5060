"""Bars: what the market did, as arrays of shape (T, A) on one master index of sessions.

Absent is NaN. Prices are in the currency of the symbol, volume in shares, rates in fractions a year, times in UTC.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
Adjustment = Literal["raw", "split", "total_return"]

FIELDS = ("open", "high", "low", "close", "volume")
PRICES = ("open", "high", "low", "close")
PERIODS_PER_YEAR = {("XNYS", "1d"): 252.0}
"""Bars a year by calendar and interval, fixed so that no annualised figure depends on the span of the data."""

HASH_SCHEMA = 1


class BarsError(ValueError):
    """Arrays that do not make bars; the message is one sentence naming the field."""


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of A symbols on T sessions.

    `session` (T,) datetime64[D], strictly increasing; `known_at` (T,) datetime64[ns], the close of the bar in UTC;
    `open high low close volume` (T, A) float64, C-contiguous, or None where the data has no such field;
    `rates` name → (T,) float64, fractions a year: row t pays for the time from t to t+1.
    Raises BarsError when shapes disagree, sessions do not increase or symbols repeat.
    """

    symbols: tuple[str, ...]
    session: Days
    known_at: Days
    close: Floats
    open: Floats | None = None
    high: Floats | None = None
    low: Floats | None = None
    volume: Floats | None = None
    rates: dict[str, Floats] = field(default_factory=dict)
    calendar: str = "XNYS"
    interval: str = "1d"
    adjustment: Adjustment = "raw"

    def __post_init__(self) -> None:
        _check_index(self)
        shape = (len(self.session), len(self.symbols))
        for name in FIELDS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _array(name, value, shape))
        rates = {name: _array(f"rates[{name}]", value, shape[:1]) for name, value in self.rates.items()}
        object.__setattr__(self, "rates", rates)

    @property
    def n_bars(self) -> int:
        return len(self.session)

    @property
    def n_assets(self) -> int:
        return len(self.symbols)

    @property
    def fields(self) -> frozenset[str]:
        """Names of the columns that exist, of `open high low close volume`."""
        return frozenset(name for name in FIELDS if getattr(self, name) is not None)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(T, A): the close is finite and above 0."""
        return np.isfinite(self.close) & (self.close > 0)

    @property
    def periods_per_year(self) -> float:
        return PERIODS_PER_YEAR[self.calendar, self.interval]

    def column(self, name: str) -> Floats | None:
        """(T, A) of one of `FIELDS`, None where the data lacks it."""
        value: Floats | None = getattr(self, name)
        return value

    def select(self, symbols: Sequence[str]) -> Self:
        """The same sessions for these symbols, in this order. Raises BarsError for an unknown symbol."""
        unknown = [symbol for symbol in symbols if symbol not in self.symbols]
        if unknown:
            raise BarsError(f"symbols has {unknown[0]}, which these bars do not hold")
        where = [self.symbols.index(symbol) for symbol in symbols]
        columns: dict[str, Any] = {n: value[:, where] for n in FIELDS if (value := self.column(n)) is not None}
        return dataclasses.replace(self, symbols=tuple(symbols), **columns)

    def between(self, start: dt.date, end: dt.date) -> Self:
        """Sessions from `start` to `end`, both inside. Raises BarsError when there is none."""
        first = int(np.searchsorted(self.session, np.datetime64(start, "D"), side="left"))
        last = int(np.searchsorted(self.session, np.datetime64(end, "D"), side="right"))
        if first >= last:
            raise BarsError(f"no session lies between {start} and {end}")
        rows = slice(first, last)
        columns: dict[str, Any] = {n: value[rows] for n in FIELDS if (value := self.column(n)) is not None}
        rates = {name: value[rows] for name, value in self.rates.items()}
        return dataclasses.replace(
            self, session=self.session[rows], known_at=self.known_at[rows], rates=rates, **columns
        )

    def content_hash(self) -> str:
        """sha256 of what the bars say, whatever file they came from: header, then each array, little-endian.

        Every NaN counts as the same NaN, and −0 as 0.
        """
        names = [name for name in FIELDS if name in self.fields]
        header: dict[str, Any] = {
            "schema": HASH_SCHEMA, "symbols": self.symbols, "fields": names, "rates": sorted(self.rates),
            "calendar": self.calendar, "interval": self.interval, "adjustment": self.adjustment, "n_bars": self.n_bars,
        }  # fmt: skip
        digest = hashlib.sha256(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
        digest.update(self.session.astype("datetime64[D]").astype("<i8").tobytes())
        digest.update(self.known_at.astype("datetime64[ns]").astype("<i8").tobytes())
        for value in [getattr(self, name) for name in names] + [self.rates[name] for name in sorted(self.rates)]:
            digest.update(_canonical_bytes(value))
        return digest.hexdigest()


def _canonical_bytes(value: Floats) -> bytes:
    return np.where(np.isnan(value), np.nan, value + 0.0).astype("<f8").tobytes()


def _check_index(bars: Bars) -> None:
    if not bars.symbols or not len(bars.session):
        raise BarsError("bars need at least one symbol and one session")
    if len(set(bars.symbols)) != len(bars.symbols):
        raise BarsError("symbols must not repeat")
    if (bars.calendar, bars.interval) not in PERIODS_PER_YEAR:
        raise BarsError(f"calendar {bars.calendar} with interval {bars.interval} is not known; use XNYS with 1d")
    object.__setattr__(bars, "session", np.ascontiguousarray(bars.session, dtype="datetime64[D]"))
    object.__setattr__(bars, "known_at", np.ascontiguousarray(bars.known_at, dtype="datetime64[ns]"))
    if bars.known_at.shape != bars.session.shape:
        raise BarsError(f"known_at must have the shape {bars.session.shape} of session, not {bars.known_at.shape}")
    for name in ("session", "known_at"):
        value: Days = getattr(bars, name)
        if np.isnat(value).any() or (value[1:] <= value[:-1]).any():
            raise BarsError(f"{name} must increase from bar to bar")


def _array(name: str, value: Any, shape: tuple[int, ...]) -> Floats:
    array = np.ascontiguousarray(value, dtype=np.float64)
    if array.shape != shape:
        raise BarsError(f"{name} must have the shape {shape}, not {array.shape}")
    return array
