"""How much the price moves: fractions a bar, not annualised. Estimators from open, high, low, close of each bar leave
out what they were derived without: Parkinson, Garman–Klass (1980) and Rogers–Satchell (1991) the overnight gap, which
Yang–Zhang (2000) adds.
"""

import math

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, log_returns, settle, ta
from marketdata.indicators.rolling import by_return, by_window, ratio, row_deviation, row_max, row_mean, row_moments
from marketdata.indicators.trend import CLOSE, HLC, ema_keep

OHLC = HLC | {"open"}


def _deviation_of_returns(columns: Columns, n: int) -> Floats:
    return by_return(row_deviation, n, log_returns(columns["close"]))


def _volatility_ratio(columns: Columns, fast: int, slow: int) -> Floats:
    """Bounded, unlike the log of the ratio, where the price has stood still."""
    one, other = _deviation_of_returns(columns, fast), _deviation_of_returns(columns, slow)
    return ratio(one - other, one + other)


def _bollinger(columns: Columns, n: int, width: int) -> Floats:
    close = columns["close"]
    return ratio(close - by_window(row_mean, n, close), width * by_window(row_deviation, n, close))


def _bollinger_width(columns: Columns, n: int) -> Floats:
    close = columns["close"]
    return by_window(row_deviation, n, close) / by_window(row_mean, n, close)


def _skew(columns: Columns, n: int) -> Floats:
    def reduce(inside: Floats) -> Floats:
        second, third, _ = row_moments(inside)
        return ratio(third, second**1.5)

    return by_return(reduce, n, log_returns(columns["close"]))


def _downside(columns: Columns, n: int) -> Floats:
    losses = np.minimum(log_returns(columns["close"]), 0.0) ** 2
    return np.sqrt(by_return(row_mean, n, losses))


def _max_return(columns: Columns, n: int) -> Floats:
    return by_return(row_max, n, log_returns(columns["close"]))


def _ulcer(columns: Columns, n: int) -> Floats:
    close = columns["close"]
    drawdowns = (close / ta("MAX", close, n) - 1) ** 2
    return np.sqrt(by_window(row_mean, n, drawdowns, skip=n - 1))


def _atr(columns: Columns, n: int) -> Floats:
    return ta("ATR", columns["high"], columns["low"], columns["close"], n) / columns["close"]


def _mass(columns: Columns, n: int, span: int) -> Floats:
    once = ta("EMA", columns["high"] - columns["low"], span)
    swell = ratio(once, ta("EMA", once, span), undefined=1.0)
    return by_window(row_mean, n, swell, skip=2 * span - 2) - 1


def _root_of_mean(variances: Floats, n: int) -> Floats:
    """Bars whose prices do not fit each other could make a mean below 0: it counts as 0."""
    return np.sqrt(np.maximum(by_window(row_mean, n, variances), 0.0))


def _parkinson(columns: Columns, n: int) -> Floats:
    return _root_of_mean(np.log(columns["high"] / columns["low"]) ** 2 / (4 * math.log(2)), n)


def _garman_klass(columns: Columns, n: int) -> Floats:
    wide, body = np.log(columns["high"] / columns["low"]), np.log(columns["close"] / columns["open"])
    return _root_of_mean(wide**2 / 2 - (2 * math.log(2) - 1) * body**2, n)


def _rogers_satchell_variance(columns: Columns) -> Floats:
    up, down = (np.log(columns[name] / columns["open"]) for name in ("high", "low"))
    body = np.log(columns["close"] / columns["open"])
    variance: Floats = up * (up - body) + down * (down - body)
    return variance


def _rogers_satchell(columns: Columns, n: int) -> Floats:
    return _root_of_mean(_rogers_satchell_variance(columns), n)


def _yang_zhang(columns: Columns, n: int) -> Floats:
    overnight = np.log(columns["open"] / lagged(columns["close"], 1))
    body = np.log(columns["close"] / columns["open"])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    inside = by_window(row_mean, n, _rogers_satchell_variance(columns))
    parts = by_return(row_deviation, n, overnight) ** 2 + k * by_window(row_deviation, n, body) ** 2
    return np.sqrt(np.maximum(parts + (1 - k) * inside, 0.0))


def _ulcer_warmup(n: int) -> int:
    return 2 * n - 2


def _mass_warmup(n: int, span: int) -> int:
    return 2 * span - 2 + n - 1 + settle(ema_keep(span), 1e-13)


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
    Indicator("garman_klass", "√(mean of ln(H/L)²/2 − (2 ln 2 − 1)·ln(C/O)² over n bars).", OHLC, (Param("n", 20),),
              lambda n: n - 1, _garman_klass),
    Indicator("rogers_satchell", "√(mean of ln(H/O)·ln(H/C) + ln(L/O)·ln(L/C) over n bars).", OHLC, (Param("n", 20),),
              lambda n: n - 1, _rogers_satchell),
    Indicator("yang_zhang", "√(s²(ln O[t]/C[t−1]) + k·s²(ln C/O) + (1 − k)·Rogers–Satchell) over n bars, "
              "k = 0.34/(1.34 + (n+1)/(n−1)).", OHLC, (Param("n", 20),), lambda n: n, _yang_zhang),
    Indicator("downside", "√(mean of min(r, 0)² over the last n log returns).", CLOSE, (Param("n", 60),), lambda n: n,
              _downside),
    Indicator("max_return", "The largest of the last n log returns.", CLOSE, (Param("n", 20),), lambda n: n,
              _max_return),
    Indicator("ulcer", "√(mean over n bars of (C / highest of n closes − 1)²).", CLOSE, (Param("n", 14),),
              _ulcer_warmup, _ulcer),
    Indicator("bollinger_width", "Standard deviation (ddof 1) of the last n closes / their average.", CLOSE,
              (Param("n", 20),), lambda n: n - 1, _bollinger_width),
    Indicator("mass", "Mass index: mean over n bars of EMA(H−L) / EMA(EMA(H−L)), both over span bars, − 1.",
              frozenset({"high", "low"}), (Param("n", 25), Param("span", 9, high=100)), _mass_warmup, _mass),
)  # fmt: skip
