"""Small bars made by hand or from a seed."""

from typing import Any

import numpy as np

from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from simulator.ledger import Orders
from simulator.state import REASONS


def sessions(n: int, start: str = "2020-01-02") -> np.ndarray:
    return np.busday_offset(start, np.arange(n), roll="forward").astype("datetime64[D]")


def make_bars(
    close: Any, *, open: Any = None, volume: Any = None, adjustment: str = "raw", start: str = "2020-01-02"
) -> Bars:
    """Bars of closes (T, A) or (T,), with opens and volumes where given; highs and lows span them."""
    close = _columns(close)
    opens = None if open is None else _columns(open)
    days = sessions(len(close), start)
    return Bars(
        symbols=tuple(f"S{a}" for a in range(close.shape[1])), session=days, known_at=days.astype("datetime64[ns]"),
        close=close, open=opens, high=None if opens is None else np.fmax(opens, close),
        low=None if opens is None else np.fmin(opens, close),
        volume=None if volume is None else _columns(volume), adjustment=adjustment,
    )  # fmt: skip


def _columns(values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


def random_bars(seed: int, n_bars: int = 60, n_assets: int = 4, *, ragged: bool = False, **kinds: Any) -> Bars:
    """A random walk with opens and volumes; `ragged` adds late listings, gaps, halts and zero volumes."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(0.03 * rng.standard_normal((n_bars, n_assets)), axis=0))
    opens = np.vstack([close[:1], close[:-1]]) * np.exp(0.01 * rng.standard_normal((n_bars, n_assets)))
    volume = rng.uniform(1e3, 1e5, (n_bars, n_assets))
    if ragged:
        for a in range(1, n_assets):
            close[: rng.integers(0, n_bars // 3), a] = np.nan
        close[rng.random(close.shape) < 0.05] = np.nan
        opens[rng.random(close.shape) < 0.05] = np.nan
        volume[rng.random(close.shape) < 0.1] = np.nan
    return make_bars(close, open=opens, volume=volume, **kinds)


def no_cost(**groups: Any) -> SimulatorConfig:
    """A configuration without any cost, with the groups that a test wants to differ."""
    base: dict[str, Any] = {
        "fees": {"taker_bps": 0.0},
        "exec": {"half_spread_bps": 0.0, "impact_k": 0.0, "participation_cap": "auto"},
        "margin": {},
    }
    for name, fields in groups.items():
        base[name] = {**base.get(name, {}), **fields}
    return SimulatorConfig(**base)


def reason_words(orders: Orders) -> list[str]:
    return [REASONS[code] for code in orders.reason]
