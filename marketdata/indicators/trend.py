"""Where the price stands against its own past: distances from averages and extremes, as fractions."""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, ratio, settle, ta

CLOSE = frozenset({"close"})


def ema_keep(n: int) -> float:
    """Share that an exponential average over n bars keeps of itself at each bar."""
    return 1 - 2 / (n + 1)


def _sma_gap(columns: Columns, n: int) -> Floats:
    return columns["close"] / ta("SMA", columns["close"], n) - 1


def _ema_gap(columns: Columns, n: int) -> Floats:
    return columns["close"] / ta("EMA", columns["close"], n) - 1


def _sma_cross(columns: Columns, fast: int, slow: int) -> Floats:
    return ta("SMA", columns["close"], fast) / ta("SMA", columns["close"], slow) - 1


def _macd(columns: Columns, fast: int, slow: int, signal: int) -> Floats:
    import talib

    histogram: Floats = talib.MACD(columns["close"], fast, slow, signal)[2]
    return histogram / columns["close"]


def _momentum(columns: Columns, n: int, skip: int) -> Floats:
    close = columns["close"]
    return np.log(lagged(close, skip) / lagged(close, n))


def _drawdown(columns: Columns, n: int) -> Floats:
    return columns["close"] / ta("MAX", columns["close"], n) - 1


def _range_position(columns: Columns, n: int) -> Floats:
    close = columns["close"]
    high, low = ta("MAX", close, n), ta("MIN", close, n)
    return ratio(2 * close - high - low, high - low)


def _adx(columns: Columns, n: int) -> Floats:
    return ta("ADX", columns["high"], columns["low"], columns["close"], n) / 100


def _dmi(columns: Columns, n: int) -> Floats:
    bars = columns["high"], columns["low"], columns["close"]
    return (ta("PLUS_DI", *bars, n) - ta("MINUS_DI", *bars, n)) / 100


def _aroon(columns: Columns, n: int) -> Floats:
    return ta("AROONOSC", columns["high"], columns["low"], n) / 100


def _macd_warmup(fast: int, slow: int, signal: int) -> int:
    return slow + signal - 2 + max(settle(ema_keep(slow), 1e-11), settle(ema_keep(signal), 1e-11))


HLC = frozenset({"high", "low", "close"})
FAST_SLOW = (Param("fast", 20), Param("slow", 50))
MACD = (Param("fast", 12), Param("slow", 26), Param("signal", 9, high=100))

TREND = (
    Indicator("sma_gap", "C / simple average of n closes − 1.", CLOSE, (Param("n", 20),), lambda n: n - 1, _sma_gap),
    Indicator("ema_gap", "C / exponential average over n bars − 1.", CLOSE, (Param("n", 20),),
              lambda n: n - 1 + settle(ema_keep(n), 1e-10), _ema_gap),
    Indicator("sma_cross", "Fast average / slow average − 1.", CLOSE, FAST_SLOW, lambda _, slow: slow - 1, _sma_cross,
              below=("fast", "slow")),
    Indicator("macd", "MACD less its signal line, over C; fast, slow, signal.", CLOSE, MACD, _macd_warmup, _macd,
              below=("fast", "slow")),
    Indicator("momentum", "ln(C[t−skip] / C[t−n]).", CLOSE, (Param("n", 252), Param("skip", 21, low=0)),
              lambda n, _: n, _momentum, below=("skip", "n")),
    Indicator("drawdown", "C / highest of the last n closes − 1.", CLOSE, (Param("n", 252),), lambda n: n - 1,
              _drawdown),
    Indicator("range_position", "Where C lies between the least (−1) and the largest (1) of the last n closes.", CLOSE,
              (Param("n", 50),), lambda n: n - 1, _range_position),
    Indicator("adx", "Wilder's average directional index / 100.", HLC, (Param("n", 14, high=100),),
              lambda n: 2 * n - 1 + settle(1 - 1 / n, 1e-12), _adx),
    Indicator("dmi", "(+DI − −DI) / 100.", HLC, (Param("n", 14, high=100),),
              lambda n: n + settle(1 - 1 / n, 1e-10), _dmi),
    Indicator("aroon", "Aroon oscillator / 100.", frozenset({"high", "low"}), (Param("n", 25),), lambda n: n, _aroon),
)  # fmt: skip
