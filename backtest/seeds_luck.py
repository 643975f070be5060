"""Limits of means over few seeds: what the paths of the bootstrap gave, and what other seeds would have added.

S points say what their mean is to within Student's t: (mean - truth) / (s/sqrt(S)) has t with S-1 degrees of freedom.
A limit is a quantile of path + s/sqrt(S) T, the path drawn from those that there are and T by itself: the limits of
Behrens and Fisher, whose level is never above the one asked for. T is not drawn but integrated: with two seeds its
tail is so heavy that a drawn limit would change from one `evaluation.seed` to the next by a third of itself.

scipy is imported where it is needed: only several seeds pay for it.
"""

import math
from collections.abc import Sequence

import numpy as np

from backtest.quantiles import quantiles
from backtest.series import Floats

NEGLIGIBLE = 1e-9
"""Of the paths' deviation."""
CLOSE = 1e-9
"""Of the scale of the luck, how near a limit is found."""


def error_of_seeds(points: Floats) -> Floats:
    """(K,) s/sqrt(S) of the seeds' own `points` (S, K); 0 for one seed, which cannot say how far seeds lie apart."""
    count = len(points)
    return np.zeros(points.shape[1]) if count == 1 else points.std(axis=0, ddof=1) / math.sqrt(count)


def limits(paths: Floats, scale: Floats, freedom: int, levels: Sequence[float]) -> Floats:
    """(L, B) quantiles at `levels` of the paths (n, B) plus `scale` (B,) times T; the paths' own where that is nothing
    beside them.

    The sum's quantile lies between those of the least and of the greatest path with T at the same level.
    """
    found = quantiles(paths, levels)
    for b in _by_luck(paths, scale):
        for k, level in enumerate(levels):
            found[k, b] = _limit(np.ascontiguousarray(paths[:, b]), float(scale[b]), freedom, level)
    return found


def share_below_zero(paths: Floats, scale: Floats, freedom: int) -> Floats:
    """(B,) probability that path + `scale` times T lies at or below 0, one path more counted as below, as is usual."""
    below = (paths <= 0).sum(axis=0).astype(float)
    for b in _by_luck(paths, scale):
        from scipy.special import stdtr

        below[b] = stdtr(freedom, -paths[:, b] / scale[b]).sum()
    share: Floats = (below + 1) / (len(paths) + 1)
    return share


def _by_luck(paths: Floats, scale: Floats) -> list[int]:
    """The columns in which the luck of seeds is something beside that of the bars; with one seed none."""
    return np.flatnonzero(scale > NEGLIGIBLE * paths.std(axis=0)).tolist() if scale.any() else []


def _limit(paths: Floats, scale: float, freedom: int, level: float) -> float:
    from scipy.optimize import brentq
    from scipy.special import stdtr, stdtrit

    def beyond(at: float) -> float:
        return float(stdtr(freedom, (at - paths) / scale).mean()) - level

    away = scale * float(stdtrit(freedom, level))
    low, high = float(paths.min()) + away, float(paths.max()) + away
    slack = CLOSE * scale  # both ends are the limit itself where all paths are alike
    return float(brentq(beyond, low - slack, high + slack, xtol=slack))
