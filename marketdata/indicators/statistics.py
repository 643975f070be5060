"""How returns follow each other: what a trend, a reversal or a heavy tail leaves in the last n bars.

Where nothing moves each is 0, the middle. Sources: Kaufman (efficiency), Lo and MacKinlay 1988 (variance ratio), Hurst
1951 (rescaled range), Roll 1984 and Corwin and Schultz 2012 (spreads).
"""

import math

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, log_returns
from marketdata.indicators.rolling import (
    by_return,
    products,
    ratio,
    row_deviation,
    row_mean,
    row_moments,
    row_sum,
    row_variance,
)
from marketdata.indicators.trend import CLOSE, HLC


def _efficiency(columns: Columns, n: int) -> Floats:
    close = columns["close"]
    way = by_return(row_sum, n, np.abs(close - lagged(close, 1)))
    return ratio(close - lagged(close, n), way)


def _variance_ratio(columns: Columns, n: int, q: int) -> Floats:
    def reduce(inside: Floats) -> Floats:
        ways = [np.zeros(inside.shape[1])]  # sums of what is apart from the mean, the last q of them
        mean, total = row_mean(inside), np.zeros(inside.shape[1])
        for row in inside:
            ways.append(ways[-1] + (row - mean))
            if len(ways) > q:
                total += np.square(ways[-1] - ways.pop(0))
        return ratio(total, (n - q + 1) * q * row_variance(inside), undefined=1.0) - 1

    return by_return(reduce, n, log_returns(columns["close"]))


def _autocorrelation(columns: Columns, n: int, lag: int) -> Floats:
    def reduce(inside: Floats) -> Floats:
        mean, total = row_mean(inside), np.zeros(inside.shape[1])
        for later, earlier in zip(inside[lag:], inside, strict=False):
            total += (later - mean) * (earlier - mean)
        return ratio(total, n * row_variance(inside))

    return by_return(reduce, n, log_returns(columns["close"]))


def _hurst(columns: Columns, n: int) -> Floats:
    def reduce(inside: Floats) -> Floats:
        mean, way, high, low = row_mean(inside), *np.zeros((3, inside.shape[1]))
        for row in inside:
            way += row - mean
            np.maximum(high, way, out=high)
            np.minimum(low, way, out=low)
        rescaled = ratio(high - low, np.sqrt(row_variance(inside)))
        return np.where(rescaled > 0, np.log(np.where(rescaled > 0, rescaled, 1.0)) / math.log(n) - 0.5, 0.0)

    return by_return(reduce, n, log_returns(columns["close"]))


def _kurtosis(columns: Columns, n: int) -> Floats:
    def reduce(inside: Floats) -> Floats:
        second, _, fourth = row_moments(inside)
        return ratio(fourth, second * second, undefined=3.0) - 3

    return by_return(reduce, n, log_returns(columns["close"]))


def _sharpe(columns: Columns, n: int) -> Floats:
    returns = log_returns(columns["close"])
    return ratio(by_return(row_mean, n, returns), by_return(row_deviation, n, returns))


def _rises(columns: Columns, n: int) -> Floats:
    return by_return(row_mean, n, np.sign(columns["close"] - lagged(columns["close"], 1)))


def _roll_spread(columns: Columns, n: int) -> Floats:
    def reduce(inside: Floats) -> Floats:
        covariance = products(inside[1:], inside[:-1]) / (n - 2)
        spread: Floats = 2 * np.sqrt(np.maximum(-covariance, 0.0))
        return spread

    return by_return(reduce, n, log_returns(columns["close"]))


def _high_low_spread(columns: Columns, n: int) -> Floats:
    """Two bars at a time; the second is moved to the first by the gap between its range and the first's close."""
    high, low, before = columns["high"], columns["low"], lagged(columns["close"], 1)
    moved = np.maximum(low - before, 0.0) - np.maximum(before - high, 0.0)
    high, low, high1, low1 = high - moved, low - moved, lagged(columns["high"], 1), lagged(columns["low"], 1)
    beta = np.log(high / low) ** 2 + np.log(high1 / low1) ** 2
    gamma = np.log(np.maximum(high, high1) / np.minimum(low, low1)) ** 2
    root = 3 - 2 * math.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / root - np.sqrt(gamma / root)
    spread = 2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))
    return by_return(row_mean, n, np.maximum(spread, 0.0))


STATISTICS = (
    Indicator("efficiency", "Kaufman's efficiency, signed: (C[t] − C[t−n]) / Σ|C[t] − C[t−1]| over n bars.", CLOSE,
              (Param("n", 20),), lambda n: n, _efficiency),
    Indicator("variance_ratio", "Mean square of overlapping sums of q / (q · variance) of the last n log returns less "
              "their mean, − 1.", CLOSE, (Param("n", 120, low=3), Param("q", 5)), lambda n, _: n, _variance_ratio,
              below=("q", "n")),
    Indicator("autocorrelation", "Autocorrelation at lag of the last n log returns, one mean, full sum of squares.",
              CLOSE, (Param("n", 60, low=3), Param("lag", 1, low=1)), lambda n, _: n, _autocorrelation,
              below=("lag", "n")),
    Indicator("hurst", "ln(R/S) / ln n − 0.5 of the last n log returns, R/S the rescaled range; not corrected for "
              "small n, where chance alone gives more than 0.", CLOSE, (Param("n", 120, low=8),), lambda n: n, _hurst),
    Indicator("kurtosis", "Excess kurtosis of the last n log returns, population moments.", CLOSE,
              (Param("n", 60, low=4),), lambda n: n, _kurtosis),
    Indicator("sharpe", "Mean / standard deviation (ddof 1) of the last n log returns, a bar.", CLOSE,
              (Param("n", 60),), lambda n: n, _sharpe),
    Indicator("rises", "Share of the last n bars on which C rose, less that on which it fell.", CLOSE,
              (Param("n", 20),), lambda n: n, _rises),
    Indicator("roll_spread", "Roll's spread: 2·√(−covariance (ddof 1) of successive ones of the last n log returns), 0 "
              "where it is positive.", CLOSE, (Param("n", 60, low=4),), lambda n: n, _roll_spread),
    Indicator("high_low_spread", "Corwin and Schultz' spread: mean over n pairs of bars, negative ones as 0.", HLC,
              (Param("n", 20),), lambda n: n, _high_low_spread),
)  # fmt: skip
