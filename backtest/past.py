"""What a baseline may know of the past: growth of what was held, splits and dividends taken out."""

import numpy as np
from numpy.typing import NDArray

from backtest.series import ZERO_VARIANCE
from simulator.market import Market

Floats = NDArray[np.float64]


def total_growth(market: Market) -> Floats:
    """(T, A) worth of one share and what it gave, dividends reinvested; NaN before the first close.

    Row t over row s is growth between these closes, and reads no later bar; a bar without a close keeps the last worth.
    Prices without recorded actions are that worth themselves.
    """
    bars = market.bars
    if bars.split is None and bars.dividend is None:
        return market.mark
    shares = np.ones(bars.close.shape) if bars.split is None else np.cumprod(bars.split, axis=0)
    worth = _carried(np.where(bars.present, bars.close * shares, np.nan))
    paid = np.zeros(bars.close.shape) if bars.dividend is None else bars.dividend * shares
    with np.errstate(invalid="ignore"):
        factor = (worth[1:] + paid[1:]) / worth[:-1]
    first = np.isfinite(worth[1:]) & ~np.isfinite(worth[:-1])
    steps = np.vstack((worth[:1], np.where(first, worth[1:], factor)))
    grown: Floats = np.where(np.isfinite(worth), np.cumprod(np.where(np.isfinite(steps), steps, 1.0), axis=0), np.nan)
    return grown


def _carried(values: Floats) -> Floats:
    """The last finite row so far of each column."""
    rows = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    rows = np.maximum.accumulate(rows, axis=0)
    return np.where(rows >= 0, np.take_along_axis(values, np.maximum(rows, 0), axis=0), np.nan)


def returns_before(growth: Floats, t: int, count: int) -> Floats | None:
    """(count, A) simple returns up to the close of t, NaN for an asset that has too few; None where the data has."""
    if t < count:
        return None
    window = growth[t - count : t + 1]
    with np.errstate(invalid="ignore"):
        returns: Floats = window[1:] / window[:-1] - 1.0
    return returns


def moves(returns: Floats) -> NDArray[np.bool_]:
    """(A,) whether an asset has all its returns, and these a variance."""
    deviation = returns.std(axis=0, ddof=1)
    moving: NDArray[np.bool_] = np.isfinite(deviation) & (deviation**2 >= ZERO_VARIANCE)
    return moving
