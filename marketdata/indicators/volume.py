"""What was traded, against what is usual. None changes with the unit of volume, so that a split changes nothing; a bar
without trades has volume 0.
"""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, log_returns
from marketdata.indicators.rolling import by_return, by_window, ratio, row_correlation, row_deviation, row_mean, row_sum

VOLUME_ONLY = frozenset({"volume"})
CLOSE_VOLUME = frozenset({"close", "volume"})
HLV = frozenset({"high", "low", "volume"})
FAST_SLOW = (Param("fast", 20), Param("slow", 60))


def _volume_z(columns: Columns, n: int) -> Floats:
    """Roots, not logs: they tame the tail too, know 0, and do not change with the unit."""
    level = np.sqrt(columns["volume"])
    return ratio(level - by_window(row_mean, n, level), by_window(row_deviation, n, level))


def _volume_change(columns: Columns, n: int) -> Floats:
    now, before = columns["volume"], lagged(columns["volume"], n)
    return ratio(now - before, now + before)


def _apart(values: Floats, fast: int, slow: int, skip: int = 0) -> Floats:
    """(fast − slow) / (fast + slow) of the averages of what is never negative."""
    one, other = (by_window(row_mean, n, values, skip=skip) for n in (fast, slow))
    return ratio(one - other, one + other)


def _volume_trend(columns: Columns, fast: int, slow: int) -> Floats:
    return _apart(columns["volume"], fast, slow)


def _obv_change(columns: Columns, n: int) -> Floats:
    signed = np.sign(log_returns(columns["close"])) * columns["volume"]
    return ratio(by_return(row_sum, n, signed), by_return(row_sum, n, columns["volume"]))


def _chaikin(columns: Columns, n: int) -> Floats:
    high, low, volume = columns["high"], columns["low"], columns["volume"]
    location = ratio(2 * columns["close"] - high - low, high - low)
    return ratio(by_window(row_sum, n, location * volume), by_window(row_sum, n, volume))


def _force(columns: Columns, n: int) -> Floats:
    force = (columns["close"] - lagged(columns["close"], 1)) * columns["volume"]
    return ratio(by_return(row_sum, n, force), by_return(row_sum, n, np.abs(force)))


def _ease(columns: Columns, n: int) -> Floats:
    high, low, volume = columns["high"], columns["low"], columns["volume"]
    middle = (high + low) / 2
    usual = by_return(row_mean, n, volume)
    boxes = ratio(log_returns(middle) * np.log(high / low), volume)
    return by_return(row_mean, n, boxes) * usual


def _vwap_gap(columns: Columns, n: int) -> Floats:
    volume = columns["volume"]
    typical = (columns["high"] + columns["low"] + columns["close"]) / 3
    traded, money = by_window(row_sum, n, volume), by_window(row_sum, n, typical * volume)
    average = np.where(traded > 0, ratio(money, traded), by_window(row_mean, n, typical))
    return columns["close"] / average - 1


def _vwap_close(columns: Columns) -> Floats:
    return np.log(columns["close"] / columns["vwap"])


def _price_volume(columns: Columns, n: int) -> Floats:
    return by_return(row_correlation, n, log_returns(columns["close"]), np.sqrt(columns["volume"]))


def _illiquidity(columns: Columns, fast: int, slow: int) -> Floats:
    moved = ratio(np.abs(log_returns(columns["close"])), columns["close"] * columns["volume"])
    return _apart(moved, fast, slow, skip=1)


def _no_trade(columns: Columns, n: int) -> Floats:
    return by_window(row_mean, n, (columns["volume"] == 0).astype(np.float64))


VOLUME = (
    Indicator("volume_z", "√V less its average over n bars, in standard deviations.", VOLUME_ONLY,
              (Param("n", 20),), lambda n: n - 1, _volume_z),
    Indicator("volume_change", "(V[t] − V[t−n]) / (V[t] + V[t−n]).", VOLUME_ONLY, (Param("n", 1, low=1),), lambda n: n,
              _volume_change),
    Indicator("volume_trend", "(fast − slow) / (fast + slow) of average volume.", VOLUME_ONLY, FAST_SLOW,
              lambda _, slow: slow - 1, _volume_trend, below=("fast", "slow")),
    Indicator("obv_change", "Change of on-balance volume over n bars / volume of these bars.", CLOSE_VOLUME,
              (Param("n", 20),), lambda n: n, _obv_change),
    Indicator("chaikin", "Chaikin money flow over n bars.", HLV | {"close"}, (Param("n", 20),), lambda n: n - 1,
              _chaikin),
    Indicator("force", "Elder's force: Σ(C[t] − C[t−1])·V over n bars / Σ|C[t] − C[t−1]|·V.", CLOSE_VOLUME,
              (Param("n", 13),), lambda n: n, _force),
    Indicator("ease", "Ease of movement: mean over n bars of ln(M[t]/M[t−1])·ln(H/L)/V, M = (H+L)/2, · mean V; "
              "a bar without volume counts 0.", HLV, (Param("n", 14),), lambda n: n, _ease),
    Indicator("vwap_gap", "C / (Σ(H+L+C)/3·V / ΣV over n bars) − 1.", HLV | {"close"}, (Param("n", 20),),
              lambda n: n - 1, _vwap_gap),
    Indicator("vwap_close", "ln(C / the bar's own volume-weighted average price).", CLOSE_VOLUME | {"vwap"}, (),
              lambda: 0, _vwap_close),
    Indicator("price_volume", "Correlation of the last n log returns with √V.", CLOSE_VOLUME, (Param("n", 60, low=3),),
              lambda n: n, _price_volume),
    Indicator("illiquidity", "(fast − slow) / (fast + slow) of Amihud's mean |r| / (C·V); without volume 0.",
              CLOSE_VOLUME, FAST_SLOW, lambda _, slow: slow, _illiquidity, below=("fast", "slow")),
    Indicator("no_trade", "Share of the last n bars without volume.", VOLUME_ONLY, (Param("n", 20),), lambda n: n - 1,
              _no_trade),
)  # fmt: skip
