"""Oscillators: bounded or near bounded, brought to about −1..1."""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, ending_at, ratio, settle, ta, windows
from marketdata.indicators.trend import CLOSE, HLC


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
    signed = windows(np.sign(np.diff(typical)) * typical[1:] * columns["volume"][1:], n)
    return ending_at(ratio(signed.sum(axis=1), np.abs(signed).sum(axis=1)), len(typical))


OSCILLATORS = (
    Indicator("rsi", "Wilder's relative strength index, 0..100 brought to −1..1.", CLOSE, (Param("n", 14, high=100),),
              lambda n: n + settle(1 - 1 / n, 1e-10), _rsi),
    Indicator("roc", "C[t] / C[t−n] − 1.", CLOSE, (Param("n", 10, low=1),), lambda n: n, _roc),
    Indicator("stoch", "Where C lies between the lowest low (−1) and the highest high (1) of n bars.", HLC,
              (Param("n", 14),), lambda n: n - 1, _stoch),
    Indicator("cci", "Commodity channel index / 100.", HLC, (Param("n", 20),), lambda n: n - 1, _cci),
    Indicator("mfi", "Money flow index, 0..100 brought to −1..1.", HLC | {"volume"}, (Param("n", 14),),
              lambda n: n, _mfi),
)  # fmt: skip
