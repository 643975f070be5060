"""What stands at each close where bars are missing: the last mark in shares of today, and the latest gap."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.jit import compiled

Floats = NDArray[np.float64]


def marks_and_gaps(close: Floats, has_bar: NDArray[np.bool_], growth: Floats | None) -> tuple[Floats, NDArray[Any]]:
    """(T, A) the last close, divided by the splits since, NaN before the first; and (T, A) int64 the latest bar
    without a close, -1 for none. `growth`: shares that one share of before the first bar has become by bar t.
    """
    mark, last_gap = np.empty(close.shape), np.empty(close.shape, np.int64)
    splits = np.ones((1, 1)) if growth is None else growth
    fill_marks(np.ascontiguousarray(close), has_bar, splits, growth is not None, mark, last_gap)
    return mark, last_gap


@compiled
def fill_marks(
    close: Floats, has_bar: NDArray[np.bool_], growth: Floats, splits: bool, mark: Floats, last_gap: NDArray[np.int64]
) -> None:
    """One pass over the bars: a leak check prepares the same market some thirty times."""
    n_bars, n_assets = close.shape
    last = np.full(n_assets, -1)
    gap = np.full(n_assets, -1)
    for t in range(n_bars):
        for a in range(n_assets):
            if has_bar[t, a]:
                last[a] = t
            else:
                gap[a] = t
            last_gap[t, a] = gap[a]
            mark[t, a] = close[last[a], a] if last[a] >= 0 else np.nan
            if splits and last[a] >= 0:
                mark[t, a] /= growth[t, a] / growth[last[a], a]
