"""The market of the benchmarks: the 20 real closes of sample/us20, the other fields made up from a fixed seed."""

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


def without_volume(bars: Bars) -> Bars:
    """The same bars where impact and participation are off: rules that the peers do not have."""
    return dataclasses.replace(bars, volume=None)


def month_ends(bars: Bars) -> NDArray[np.int64]:
    """(D,) the first bar and each whose next lies in another month, the last bar left out."""
    month = bars.session.astype("datetime64[M]")
    return np.concatenate(([0], 1 + np.flatnonzero(month[2:] != month[1:-1])))
