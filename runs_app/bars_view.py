"""Bars of one symbol for a chart: bounded, by column."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    """Raises ConfigFault naming each parameter that is wrong."""
    faults: dict[str, list[str]] = {}
    for name in sorted(set(query) - set(PARAMETERS))[:20]:
        faults[name[:80]] = [f"Unknown parameter; use {', '.join(PARAMETERS[:-1])}."]
    symbol = query.get("symbol") or entry.symbols[0]
    if symbol not in entry.symbols:
        faults["symbol"] = [f"{entry.id} has no such symbol; it holds {', '.join(entry.symbols[:30])}."]
    days = {"start": entry.start, "end": entry.end}
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
    held = store.columns(entry.version, wish.symbol)
    known = held.pop("known_at")
    days = sessions(entry)
    rows = np.flatnonzero((days >= np.datetime64(wish.start)) & (days <= np.datetime64(wish.end)))
    total = len(rows)
    size = max(1, -(-total // wish.points))
    starts = np.arange(0, total, size)
    last = np.minimum(starts + size, total) - 1
    found: dict[str, Any] = {
        "symbol": wish.symbol, "interval": entry.interval, "n_total": total, "bars_a_point": size,
        "session": [str(day) for day in days[rows][last]],
        "time": [str(moment) + "Z" for moment in known[rows][last].astype("datetime64[s]")],
    }  # fmt: skip
    for name, column in held.items():
        found[name] = _plain(_joined(name, column[rows], starts)) if total else []
    return found


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


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
