"""Bars of one symbol for a chart: bounded, by column."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Days
from marketdata.catalog import DatasetEntry, sessions
from marketdata.config_base import ConfigFault
from marketdata.store import Store

DEFAULT_POINTS, MAX_POINTS = 2000, 20_000
PARAMETERS = ("symbol", "start", "end", "max_points", "format")


@dataclass(frozen=True)
class Asked:
    """Both days are inside; `points` is the most that the answer holds."""

    symbol: str
    start: dt.date
    end: dt.date
    points: int


def asked(entry: DatasetEntry, query: Mapping[str, str]) -> Asked:
    """A question about a dataset, its whole span where no days are named. Raises ConfigFault."""
    return read(query, PARAMETERS, entry.id, entry.symbols, (entry.start, entry.end))


def read(query: Mapping[str, str], names: Sequence[str], holder: str, symbols: Sequence[str],
         span: tuple[dt.date, dt.date]) -> Asked:  # fmt: skip
    """What a query of the parameters `names` asks of `holder`, which has these symbols: the first of them and the
    whole span where it does not say.

    Raises ConfigFault naming each parameter that is wrong.
    """
    faults: dict[str, list[str]] = {}
    for name in sorted(set(query) - set(names))[:20]:
        faults[name[:80]] = [f"Unknown parameter; use {', '.join(names[:-1])}."]
    symbol = query.get("symbol") or symbols[0]
    if symbol not in symbols:
        faults["symbol"] = [f"{holder} has no such symbol; it holds {', '.join(symbols[:30])}."]
    days = dict(zip(("start", "end"), span, strict=True))
    for name in days:
        if text := query.get(name):
            try:
                days[name] = dt.date.fromisoformat(text)
            except ValueError:
                faults[name] = ["Must be a date such as 2022-12-28."]
    if "start" not in faults and days["start"] > days["end"]:
        faults["start"] = ["Must lie on or before end."]
    text = query.get("max_points", str(DEFAULT_POINTS))
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 2 <= int(text) <= MAX_POINTS):
        faults["max_points"] = [f"Must be a whole number from 2 to {MAX_POINTS}."]
    if faults:
        raise ConfigFault(faults)
    return Asked(symbol, days["start"], days["end"], int(text))


def columns(store: Store, entry: DatasetEntry, wish: Asked) -> dict[str, Any]:
    """`time` (close of each bar, ISO, UTC) and a list a field. More bars than points are joined into groups of equal
    size: the first open, the highest high, the lowest low, the last close, the sum of the volume.
    """
    held: dict[str, Any] = {**store.columns(entry.version, wish.symbol)}
    known = held.pop("known_at")
    points = Points(sessions(entry), known, wish)
    told = {"symbol": wish.symbol, "interval": entry.interval} | points.told()
    return told | {name: points.joined(name, column) for name, column in held.items()}


class Points:
    """The bars of the days asked for, joined evenly to at most as many points as were asked for.

    `session` and `known`: (T,) day and close of each bar; every column given has a value for each of them.
    """

    def __init__(self, session: Days, known: NDArray[np.datetime64], wish: Asked) -> None:
        self.session, self.known = session, known
        self.first, stop = np.searchsorted(session, [np.datetime64(wish.start), np.datetime64(wish.end) + 1]).tolist()
        self.total = max(0, stop - self.first)
        self.size = max(1, -(-self.total // wish.points))
        self.starts = np.arange(0, self.total, self.size)
        self.last = self.first + np.minimum(self.starts + self.size, self.total) - 1
        """Index of the last bar of each point."""

    def told(self) -> dict[str, Any]:
        """How many bars there are, how many a point joins, and day and close of each point's last bar."""
        return {
            "n_total": self.total, "bars_a_point": self.size, "session": [str(day) for day in self.session[self.last]],
            "time": [f"{moment}Z" for moment in self.known[self.last].astype("datetime64[s]")],
        }  # fmt: skip

    def joined(self, name: str, column: NDArray[np.float64]) -> list[float | None]:
        """A value for each point out of the column of that name; None where the point has none."""
        return plain(_joined(name, column[self.first : self.first + self.total], self.starts)) if self.total else []

    def at_end(self, column: NDArray[np.float64]) -> list[float | None]:
        """The value at the last bar of each point."""
        return plain(column[self.last])

    def of_bars(self, bars: NDArray[np.int64]) -> NDArray[np.int64]:
        """The point of each of these bars, -1 for one that was not asked for."""
        place = bars - self.first
        return np.where((place >= 0) & (place < self.total), place // self.size, -1)


def _joined(name: str, values: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """A value for each group of bars; NaN where the group has none."""
    if name == "high":
        return np.fmax.reduceat(values, starts)
    if name == "low":
        return np.fmin.reduceat(values, starts)
    if name in ("volume", "dividend"):
        none = np.logical_and.reduceat(np.isnan(values), starts)
        return np.where(none, np.nan, np.add.reduceat(np.nan_to_num(values), starts))
    if name == "split":
        return np.multiply.reduceat(values, starts)
    ends = np.r_[starts[1:], len(values)]
    pick = _first if name == "open" else _last
    return np.array([pick(values[start:end]) for start, end in zip(starts, ends, strict=True)])


def _first(values: NDArray[np.float64]) -> float:
    held = values[~np.isnan(values)]
    return float(held[0]) if len(held) else float("nan")


def _last(values: NDArray[np.float64]) -> float:
    held = values[~np.isnan(values)]
    return float(held[-1]) if len(held) else float("nan")


def plain(values: NDArray[np.float64]) -> list[float | None]:
    """Null for what is not finite."""
    return [float(value) if np.isfinite(value) else None for value in values]
