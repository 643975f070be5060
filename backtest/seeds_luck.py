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

HALVINGS = 60
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

    By halving an interval that holds it, as the sum's quantile lies between those of the least and the greatest path
    with T at the same level; Newton's step is taken where it stays inside.
    """
    found = quantiles(paths, levels)
    for b in np.flatnonzero(scale > NEGLIGIBLE * paths.std(axis=0)):
        for k, level in enumerate(levels):
            found[k, b] = _limit(np.ascontiguousarray(paths[:, b]), float(scale[b]), freedom, level)
    return found


def share_below_zero(paths: Floats, scale: Floats, freedom: int) -> Floats:
    """(B,) probability that path + `scale` times T lies at or below 0, one path more counted as below, as is usual."""
    below = (paths <= 0).sum(axis=0).astype(float)
    for b in np.flatnonzero(scale > NEGLIGIBLE * paths.std(axis=0)):
        from scipy.special import stdtr

        below[b] = stdtr(freedom, -paths[:, b] / scale[b]).sum()
    share: Floats = (below + 1) / (len(paths) + 1)
    return share


def _limit(paths: Floats, scale: float, freedom: int, level: float) -> float:
    from scipy.special import stdtr, stdtrit

    away = scale * float(stdtrit(freedom, level))
    low, high = float(paths.min()) + away, float(paths.max()) + away
    at = (low + high) / 2
    for _ in range(HALVINGS):
        reached = (at - paths) / scale
        lacking = level - float(stdtr(freedom, reached).mean())
        low, high = (at, high) if lacking > 0 else (low, at)
        density = float(_density(reached, freedom).mean()) / scale
        step = at + lacking / density if density > 0 else high
        new = step if low < step < high else (low + high) / 2
        if abs(new - at) <= CLOSE * scale:
            return new
        at = new
    return at


def _density(t: Floats, freedom: int) -> Floats:
    """Of Student's T."""
    from scipy.special import gammaln

    constant = np.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2)) / np.sqrt(freedom * np.pi)
    density: Floats = constant * (1 + t**2 / freedom) ** (-(freedom + 1) / 2)
    return density
