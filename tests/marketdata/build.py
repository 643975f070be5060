"""Small bars made by hand or from a seed."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars, Delisting
from marketdata.store import EntryMeta


def weekdays(n: int, start: str = "2020-01-01") -> NDArray[np.datetime64]:
    """(n,) Mondays to Fridays from `start` on; holidays do not matter to most tests."""
    days = np.arange(np.datetime64(start, "D"), np.datetime64(start, "D") + 2 * n + 7)
    return days[(days.astype("int64") + 3) % 7 < 5][:n]


def closing_times(session: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    return session.astype("datetime64[ns]") + np.timedelta64(21, "h")


def bars_of(close: Any, *, symbols: Sequence[str] = (), session: Any = None, **more: Any) -> Bars:
    """Bars from closes (T,) or (T, A)."""
    array = np.asarray(close, dtype=float)
    array = array[:, None] if array.ndim == 1 else array
    days = weekdays(len(array)) if session is None else np.asarray(session, dtype="datetime64[D]")
    count = array.shape[1]
    names = tuple(symbols) or (tuple("ABCDEFGHIJ"[:count]) if count <= 10 else tuple(f"S{i}" for i in range(count)))
    columns = {
        name: np.asarray(value, dtype=float).reshape(array.shape)
        if name in ("open", "high", "low", "volume")
        else value
        for name, value in more.items()
    }
    return Bars(symbols=names, session=days, known_at=closing_times(days), close=array, **columns)


def random_ohlcv(n: int, assets: int = 2, seed: int = 7) -> Bars:
    """A walk with high ≥ open, close ≥ low and volume, quiet and wild stretches alternating."""
    rng = np.random.default_rng(seed)
    scale = np.where(np.arange(n) // 60 % 2, 0.03, 0.004)[:, None]
    close = 50 * np.exp(np.cumsum(rng.normal(0, 1, (n, assets)) * scale, axis=0))
    opens = close * np.exp(rng.normal(0, 1, (n, assets)) * scale / 2)
    wide = np.exp(np.abs(rng.normal(0, 1, (2, n, assets))) * scale / 2)
    return bars_of(close, open=opens, high=np.maximum(opens, close) * wide[0], low=np.minimum(opens, close) / wide[1],
                   volume=np.exp(rng.normal(13, 0.5, (n, assets))))  # fmt: skip


def random_bars(n: int, assets: int = 2, seed: int = 7) -> Bars:
    """`random_ohlcv` with average prices and now and then a dividend: all that an indicator may read."""
    bars, rng = random_ohlcv(n, assets, seed), np.random.default_rng(seed + 1)
    assert bars.high is not None and bars.low is not None
    share = rng.uniform(0.2, 0.8, (n, assets))
    dividend = np.where(rng.random((n, assets)) < 0.02, 0.3, 0.0)
    return dataclasses.replace(bars, vwap=bars.low + share * (bars.high - bars.low), dividend=dividend)


def meta(id: str = "test/one", **more: Any) -> EntryMeta:
    fields: dict[str, Any] = {
        "title": "One", "survivorship": "unknown", "as_of": "2020-12-31", "source": "hand", "license_note": "none",
    }  # fmt: skip
    return EntryMeta(id=id, **fields | more)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def with_actions(bars: Bars) -> Bars:
    """The bars with a 2:1 split and a dividend of the first symbol, a membership, and the end of the last symbol."""
    split, dividend = np.ones(bars.close.shape), np.zeros(bars.close.shape)
    split[5, 0], dividend[7, 0] = 2.0, 0.5
    member = np.ones(bars.close.shape, bool)
    member[:3, -1] = False
    ends = {bars.symbols[-1]: Delisting(bars.session[10].item(), -0.4)}
    return dataclasses.replace(bars, split=split, dividend=dividend, member=member, delistings=ends)
