"""How much the price moves: fractions a bar, not annualised."""

import math

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import (
    Columns,
    Indicator,
    Param,
    ending_at,
    log_returns,
    mean_and_deviation,
    ratio,
    settle,
    ta,
    windows,
)
from marketdata.indicators.trend import CLOSE, HLC


def _deviation_of_returns(columns: Columns, n: int) -> Floats:
    returns = log_returns(columns["close"])
    return ending_at(mean_and_deviation(returns[1:], n)[1], len(returns))


def _volatility_ratio(columns: Columns, fast: int, slow: int) -> Floats:
    """Bounded, unlike the log of the ratio, where the price has stood still."""
    one, other = _deviation_of_returns(columns, fast), _deviation_of_returns(columns, slow)
    return ratio(one - other, one + other)


def _bollinger(columns: Columns, n: int, width: int) -> Floats:
    mean, deviation = mean_and_deviation(columns["close"], n)
    return ratio(columns["close"] - mean, width * deviation)


def _skew(columns: Columns, n: int) -> Floats:
    inside = windows(log_returns(columns["close"])[1:], n)
    apart = inside - inside.mean(axis=1)[:, None]
    squares = apart * apart
    second, third = squares.mean(axis=1), (squares * apart).mean(axis=1)
    flat = second < 1e-18 + 1e-18 * np.square(inside).max(axis=1)
    return ending_at(np.where(flat, 0.0, third / np.where(flat, 1.0, second) ** 1.5), len(columns["close"]))


def _atr(columns: Columns, n: int) -> Floats:
    return ta("ATR", columns["high"], columns["low"], columns["close"], n) / columns["close"]


def _parkinson(columns: Columns, n: int) -> Floats:
    squares = np.log(columns["high"] / columns["low"]) ** 2
    return ending_at(np.sqrt(windows(squares, n).mean(axis=1) / (4 * math.log(2))), len(squares))


VOLATILITY = (
    Indicator("volatility", "Standard deviation (ddof 1) of the last n log returns.", CLOSE, (Param("n", 20),),
              lambda n: n, _deviation_of_returns),
    Indicator("volatility_ratio", "(fast − slow) / (fast + slow) of volatility.", CLOSE,
              (Param("fast", 20), Param("slow", 60)), lambda _, slow: slow, _volatility_ratio, below=("fast", "slow")),
    Indicator("bollinger", "(C − average of n closes) / (width · their standard deviation, ddof 1).", CLOSE,
              (Param("n", 20), Param("width", 2, low=1, high=10)), lambda n, _: n - 1, _bollinger),
    Indicator("skew", "Skewness of the last n log returns, population moments.", CLOSE, (Param("n", 60, low=3),),
              lambda n: n, _skew),
    Indicator("atr", "Wilder's average true range / C.", HLC, (Param("n", 14, high=100),),
              lambda n: n + settle(1 - 1 / n, 1e-10), _atr),
    Indicator("parkinson", "√(mean of ln(H/L)² over n bars / (4 ln 2)).", frozenset({"high", "low"}),
              (Param("n", 20),), lambda n: n - 1, _parkinson),
)  # fmt: skip
