"""numpy's own quantiles, to the bit, without what `np.quantile` imports at its first call: all of `numpy.ma`, which
takes longer than the quantiles of a whole report.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quantiles(values: Floats, shares: Sequence[float]) -> Floats:
    """(len(shares), ...) of `values` (n, ...) along the first axis, linear between neighbours; NaN beside a NaN."""
    last = len(values) - 1
    places = np.asarray(shares) * last
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, last)
    ordered = np.partition(values, sorted({*below.tolist(), *above.tolist(), last}), axis=0)
    found = np.empty((len(places), *values.shape[1:]))
    for k, share in enumerate(places - below):
        low, high = ordered[below[k]], ordered[above[k]]
        found[k] = low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)  # rounds as numpy
    found[:, np.isnan(ordered[last])] = np.nan
    return found
