"""Oscillators: bounded or near bounded, brought to about −1..1."""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, settle, ta, true_range
from marketdata.indicators.rolling import by_return, by_window, ratio, row_mean, row_sum
from marketdata.indicators.trend import CLOSE, HLC, ema_keep


def _rsi(columns: Columns, n: int) -> Floats:
    """TA-Lib calls a price that has never moved 0, the extreme of a fall; here it is the middle."""
    close = columns["close"]
    moved = np.maximum.accumulate(close) != np.minimum.accumulate(close)
    return np.where(moved, ta("RSI", close, n) / 50 - 1, 0.0)


def _roc(columns: Columns, n: int) -> Floats:
    return ta("ROCP", columns["close"], n)


def _stoch(columns: Columns, n: int) -> Floats:
    high, low = ta("MAX", columns["high"], n), ta("MIN", columns["low"], n)
    return ratio(2 * columns["close"] - high - low, high - low)


def _cci(columns: Columns, n: int) -> Floats:
    return ta("CCI", columns["high"], columns["low"], columns["close"], n) / 100


def _mfi(columns: Columns, n: int) -> Floats:
    """Written out: TA-Lib calls any flow below 1 in the price's own unit 0, the extreme of a fall."""
    typical = (columns["high"] + columns["low"] + columns["close"]) / 3
    signed = np.sign(typical - lagged(typical, 1)) * typical * columns["volume"]
    return ratio(by_return(row_sum, n, signed), by_return(row_sum, n, np.abs(signed)))


def _cmo(columns: Columns, n: int) -> Floats:
    """Plain sums, as Chande wrote it; TA-Lib smooths them and so repeats the RSI."""
    moves = columns["close"] - lagged(columns["close"], 1)
    return ratio(by_return(row_sum, n, moves), by_return(row_sum, n, np.abs(moves)))


def _ultimate(columns: Columns, fast: int, middle: int, slow: int) -> Floats:
    pressure = columns["close"] - np.minimum(columns["low"], lagged(columns["close"], 1))
    reach = true_range(columns)
    shares = [
        ratio(by_return(row_sum, n, pressure), by_return(row_sum, n, reach), undefined=0.5)
        for n in (fast, middle, slow)
    ]
    return (4 * shares[0] + 2 * shares[1] + shares[2]) / 3.5 - 1


def _stoch_d(columns: Columns, n: int, smooth: int) -> Floats:
    return by_window(row_mean, smooth, _stoch(columns, n), skip=n - 1)


def _stoch_rsi(columns: Columns, n: int, window: int) -> Floats:
    """A range of the RSI below 1e-6 is rounding, and no range."""
    rsi = np.nan_to_num(_rsi(columns, n))
    high, low = ta("MAX", rsi, window), ta("MIN", rsi, window)
    return ratio(2 * rsi - high - low, np.where(high - low < 1e-6, 0.0, high - low))


def _awesome(columns: Columns, fast: int, slow: int) -> Floats:
    middle = (columns["high"] + columns["low"]) / 2
    return (by_window(row_mean, fast, middle) - by_window(row_mean, slow, middle)) / columns["close"]


def _ppo(columns: Columns, fast: int, slow: int) -> Floats:
    return ta("EMA", columns["close"], fast) / ta("EMA", columns["close"], slow) - 1


def _trix(columns: Columns, n: int) -> Floats:
    return ta("TRIX", columns["close"], n) / 100


def _power(columns: Columns, n: int) -> Floats:
    return by_window(row_mean, n, ratio(columns["close"] - columns["open"], columns["high"] - columns["low"]))


def _stoch_rsi_warmup(n: int, window: int) -> int:
    return n + settle(1 - 1 / n, 1e-13) + window - 1


def _trix_warmup(n: int) -> int:
    return 3 * (n - 1) + 1 + settle(ema_keep(n), 1e-14)


OSCILLATORS = (
    Indicator("rsi", "Wilder's relative strength index, 0..100 brought to −1..1.", CLOSE, (Param("n", 14, high=100),),
              lambda n: n + settle(1 - 1 / n, 1e-10), _rsi),
    Indicator("roc", "C[t] / C[t−n] − 1.", CLOSE, (Param("n", 10, low=1),), lambda n: n, _roc),
    Indicator("stoch", "Where C lies between the lowest low (−1) and the highest high (1) of n bars.", HLC,
              (Param("n", 14),), lambda n: n - 1, _stoch),
    Indicator("cci", "Commodity channel index / 100.", HLC, (Param("n", 20),), lambda n: n - 1, _cci),
    Indicator("mfi", "Money flow index, 0..100 brought to −1..1.", HLC | {"volume"}, (Param("n", 14),),
              lambda n: n, _mfi),
    Indicator("cmo", "Chande's momentum: Σ(C[t] − C[t−1]) / Σ|C[t] − C[t−1]| over n bars.", CLOSE, (Param("n", 14),),
              lambda n: n, _cmo),
    Indicator("ultimate", "Williams' ultimate oscillator of three spans, weights 4, 2, 1, 0..1 brought to −1..1.", HLC,
              (Param("fast", 7), Param("middle", 14), Param("slow", 28)), lambda *spans: max(spans), _ultimate,
              below=("fast", "slow")),
    Indicator("stoch_d", "Average of stoch over smooth bars.", HLC, (Param("n", 14), Param("smooth", 3)),
              lambda n, smooth: n + smooth - 2, _stoch_d),
    Indicator("stoch_rsi", "Where the RSI lies between its least (−1) and its largest (1) of window bars.", CLOSE,
              (Param("n", 14, high=100), Param("window", 14)), _stoch_rsi_warmup, _stoch_rsi),
    Indicator("awesome", "(Average of (H+L)/2 over fast bars − that over slow bars) / C.", HLC,
              (Param("fast", 5), Param("slow", 34)), lambda _, slow: slow - 1, _awesome, below=("fast", "slow")),
    Indicator("ppo", "Exponential average over fast bars / that over slow bars − 1.", CLOSE,
              (Param("fast", 12), Param("slow", 26)), lambda _, slow: slow - 1 + settle(ema_keep(slow), 1e-11), _ppo,
              below=("fast", "slow")),
    Indicator("trix", "Change over one bar of the triple exponential average over n bars, as a fraction.", CLOSE,
              (Param("n", 15, high=200),), _trix_warmup, _trix),
    Indicator("power", "Balance of power: mean over n bars of (C − O) / (H − L), 0 where H = L.", HLC | {"open"},
              (Param("n", 14, low=1),), lambda n: n - 1, _power),
)  # fmt: skip
