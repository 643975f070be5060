"""Rolling Sharpe, volatility and beta over the last W returns: sums of each window's own terms, nothing taken away.

A running sum that adds the new and takes the old away leaves a residue where nothing happens. Here the bars are cut
into stretches of W: each window is the end of one stretch and the beginning of the next, so two sums make it.
"""

import math

import numpy as np

from backtest.series import NAN, ZERO_VARIANCE
from simulator.jit import compiled

HALF = 2.0
LEAST = 10
SHARPE, VOLATILITY, BETA = range(3)
"""Columns of the rolling figures."""
ROUNDING = 1e-14
"""A variance below this share of the mean square is what rounding leaves of a constant."""


def window_bars(chosen: str | int, periods: float) -> int:
    """W: as chosen, or half a year of bars for `auto`."""
    return max(LEAST, round(periods / HALF)) if isinstance(chosen, str) else chosen


@compiled
def window_sums(x, window):
    """(n-W+1,) sums of x (n,) over windows of W."""
    n = x.shape[0]
    head, end = np.empty(n), np.empty(n)
    for t in range(n):
        head[t] = x[t] if t % window == 0 else head[t - 1] + x[t]
    for t in range(n - 1, -1, -1):
        end[t] = x[t] if (t + 1) % window == 0 or t == n - 1 else end[t + 1] + x[t]
    out = np.empty(n - window + 1)
    for k in range(n - window + 1):
        out[k] = end[k] if k % window == 0 else end[k] + head[k + window - 1]
    return out


@compiled
def spread_of(total, squares, cross, other, window):
    """Covariance (ddof 1) from sums: x, y and xy; 0 where only rounding is left of it."""
    found = (cross - total * other / window) / (window - 1.0)
    return 0.0 if abs(found) < ROUNDING * squares / window else found


@compiled
def rolling_figures(returns, rf, benchmark, window, periods):
    """(n-W+1, 3) Sharpe, volatility, beta of returns, rf and benchmark (n,); NaN where undefined. n >= W.

    As in `backtest.series`: volatility s sqrt(P), Sharpe mean(r-rf)/s(r-rf) sqrt(P), beta cov/var of r-rf on b-rf.
    """
    x, y = returns - rf, benchmark - rf
    own, own2 = window_sums(returns, window), window_sums(returns * returns, window)
    above, above2 = window_sums(x, window), window_sums(x * x, window)
    bench, bench2, both = window_sums(y, window), window_sums(y * y, window), window_sums(x * y, window)
    out = np.full((own.shape[0], 3), NAN)
    for k in range(own.shape[0]):
        risk = spread_of(above[k], above2[k], above2[k], above[k], window)
        if risk >= ZERO_VARIANCE:
            out[k, SHARPE] = above[k] / window / math.sqrt(risk) * math.sqrt(periods)
        out[k, VOLATILITY] = math.sqrt(max(spread_of(own[k], own2[k], own2[k], own[k], window), 0.0) * periods)
        moved = spread_of(bench[k], bench2[k], bench2[k], bench[k], window)
        if moved >= ZERO_VARIANCE:
            out[k, BETA] = (both[k] - above[k] * bench[k] / window) / (window - 1.0) / moved
    return out
