"""Where the price stands against its own past: distances from averages and extremes, as fractions."""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, settle, ta, true_range
from marketdata.indicators.rolling import by_return, by_window, ratio, row_sum, squares, weighted

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


def _donchian(columns: Columns, n: int) -> Floats:
    high, low = lagged(ta("MAX", columns["high"], n), 1), lagged(ta("MIN", columns["low"], n), 1)
    return ratio(2 * columns["close"] - high - low, high - low)


def _keltner(columns: Columns, n: int, width: int) -> Floats:
    close = columns["close"]
    return ratio(close - ta("EMA", close, n), width * ta("ATR", columns["high"], columns["low"], close, n))


def _vortex(columns: Columns, n: int) -> Floats:
    high, low = columns["high"], columns["low"]
    moves = np.abs(high - lagged(low, 1)) - np.abs(low - lagged(high, 1))
    return ratio(by_return(row_sum, n, moves), by_return(row_sum, n, true_range(columns)))


def _centred(n: int) -> Floats:
    return np.arange(n, dtype=np.float64) - (n - 1) / 2


def _slope(columns: Columns, n: int) -> Floats:
    time: Floats = _centred(n) / np.square(_centred(n)).sum()
    return by_window(lambda inside: weighted(inside, time), n, np.log(columns["close"]))


def _trend_fit(columns: Columns, n: int) -> Floats:
    def reduce(inside: Floats) -> Floats:
        time = _centred(n)
        return np.clip(ratio(weighted(inside, time), np.sqrt(squares(inside) * np.square(time).sum())), -1.0, 1.0)

    return by_window(reduce, n, np.log(columns["close"]))


def _ichimoku(columns: Columns, fast: int, slow: int) -> Floats:
    middles = [(ta("MAX", columns["high"], n) + ta("MIN", columns["low"], n)) / 2 for n in (fast, slow)]
    return (middles[0] - middles[1]) / columns["close"]


def _keltner_warmup(n: int, _: int) -> int:
    return n + settle(1 - 1 / n, 1e-11)


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
    Indicator("donchian", "Where C lies between the lowest low (−1) and the highest high (1) of the n bars before.",
              HLC, (Param("n", 20),), lambda n: n, _donchian),
    Indicator("keltner", "(C − exponential average over n bars) / (width · Wilder's average true range).", HLC,
              (Param("n", 20, high=100), Param("width", 2, low=1, high=10)), _keltner_warmup, _keltner),
    Indicator("vortex", "Σ|H[t] − L[t−1]| − Σ|L[t] − H[t−1]| over n bars / Σ true range.", HLC, (Param("n", 14),),
              lambda n: n, _vortex),
    Indicator("slope", "Least-squares slope a bar of the last n ln C.", CLOSE, (Param("n", 20),), lambda n: n - 1,
              _slope),
    Indicator("trend_fit", "Correlation of the last n ln C with time.", CLOSE, (Param("n", 60, low=3),),
              lambda n: n - 1, _trend_fit),
    Indicator("ichimoku", "(Middle of the high-low range of fast bars − that of slow bars) / C.", HLC,
              (Param("fast", 9), Param("slow", 26)), lambda _, slow: slow - 1, _ichimoku, below=("fast", "slow")),
    Indicator("aroon", "Aroon oscillator / 100.", frozenset({"high", "low"}), (Param("n", 25),), lambda n: n, _aroon),
)  # fmt: skip
