"""The markets of the benchmarks: the 20 real closes of sample/us20, the other fields made up from a fixed seed; and
minutes that are made up whole.
"""

import dataclasses
from functools import cache

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars
from marketdata.sources.sample import SampleSource

SEED = 1
GAP = 0.004
REACH = 0.006
USUAL_VOLUME = 5e7
MINUTES, MINUTE_ASSETS = 500_000, 10
MINUTE_MOVE = 4e-4
"""Deviation of a minute's log return and of its reach beyond open and close, ten times that of its gap."""
HOUR = 60


@cache
def panel() -> Bars:
    """8,313 bars x 20 assets: opens a small gap from the close before, highs and lows beyond both, volumes around
    50 million shares. Called raw, so that lots and fees a share may be on: the prices are a stage, not a record.
    """
    bars = SampleSource().fetch("us20").bars
    rng = np.random.default_rng(SEED)
    close = bars.close
    noise = rng.standard_normal((4, *close.shape))
    opens = np.vstack([close[:1], close[:-1]]) * np.exp(GAP * noise[0])
    return dataclasses.replace(
        bars, open=opens, high=np.maximum(opens, close) * np.exp(REACH * np.abs(noise[1])),
        low=np.minimum(opens, close) * np.exp(-REACH * np.abs(noise[2])),
        volume=np.floor(USUAL_VOLUME * np.exp(0.5 * noise[3])), adjustment="raw",
    )  # fmt: skip


@cache
def minutes() -> Bars:
    """500,000 minutes x 10 assets around the clock: geometric Brownian motion from 100, opens a gap from the close
    before, highs and lows beyond both, volumes around 50 million shares.
    """
    rng = np.random.default_rng(SEED)
    noise = rng.standard_normal((5, MINUTES, MINUTE_ASSETS))
    close = 100.0 * np.exp(np.cumsum(MINUTE_MOVE * noise[0] - 0.5 * MINUTE_MOVE**2, axis=0))
    opens = np.vstack([np.full((1, MINUTE_ASSETS), 100.0), close[:-1]]) * np.exp(0.1 * MINUTE_MOVE * noise[1])
    known_at = np.datetime64("2022-01-01T00:01", "ns") + np.arange(MINUTES) * np.timedelta64(60, "s")
    return Bars(
        symbols=tuple(f"M{k}" for k in range(MINUTE_ASSETS)), calendar="24/7", interval="1m", adjustment="raw",
        session=(known_at - np.timedelta64(60, "s")).astype("datetime64[D]"), known_at=known_at, open=opens,
        high=np.maximum(opens, close) * np.exp(MINUTE_MOVE * np.abs(noise[2])),
        low=np.minimum(opens, close) * np.exp(-MINUTE_MOVE * np.abs(noise[3])), close=close,
        volume=np.floor(USUAL_VOLUME * np.exp(0.5 * noise[4])),
    )  # fmt: skip


def hours(bars: Bars) -> NDArray[np.int64]:
    """(D,) every 60th bar from the first, the last bar left out."""
    return np.arange(0, bars.n_bars - 1, HOUR)


def without_volume(bars: Bars) -> Bars:
    """The same bars where impact and participation are off: rules that the peers do not have."""
    return dataclasses.replace(bars, volume=None)


def month_ends(bars: Bars) -> NDArray[np.int64]:
    """(D,) the first bar and each whose next lies in another month, the last bar left out."""
    month = bars.session.astype("datetime64[M]")
    return np.concatenate(([0], 1 + np.flatnonzero(month[2:] != month[1:-1])))
