"""What was traded, against what is usual. A bar without trades has volume 0, so logs are of 1 + V."""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, ending_at, lagged, mean_and_deviation, ratio, windows

VOLUME_ONLY = frozenset({"volume"})


def _volume_z(columns: Columns, n: int) -> Floats:
    level = np.log1p(columns["volume"])
    mean, deviation = mean_and_deviation(level, n)
    return ratio(level - mean, deviation)


def _volume_change(columns: Columns, n: int) -> Floats:
    level = np.log1p(columns["volume"])
    return level - lagged(level, n)


def _share_of_volume(signed: Floats, volume: Floats, n: int) -> Floats:
    """Σ signed·V / ΣV over the last n bars, 0 where nothing was traded."""
    top, bottom = windows(signed * volume, n).sum(axis=1), windows(volume, n).sum(axis=1)
    return ratio(top, bottom)


def _obv_change(columns: Columns, n: int) -> Floats:
    rises = np.sign(np.diff(columns["close"]))
    return ending_at(_share_of_volume(rises, columns["volume"][1:], n), len(columns["close"]))


def _chaikin(columns: Columns, n: int) -> Floats:
    high, low, close = columns["high"], columns["low"], columns["close"]
    location = ratio(2 * close - high - low, high - low)
    return ending_at(_share_of_volume(location, columns["volume"], n), len(close))


VOLUME = (
    Indicator("volume_z", "ln(1+V) less its average over n bars, in standard deviations.", VOLUME_ONLY,
              (Param("n", 20),), lambda n: n - 1, _volume_z),
    Indicator("volume_change", "ln((1+V[t]) / (1+V[t−n])).", VOLUME_ONLY, (Param("n", 1, low=1),), lambda n: n,
              _volume_change),
    Indicator("obv_change", "Change of on-balance volume over n bars / volume of these bars.",
              frozenset({"close", "volume"}), (Param("n", 20),), lambda n: n, _obv_change),
    Indicator("chaikin", "Chaikin money flow over n bars.", frozenset({"high", "low", "close", "volume"}),
              (Param("n", 20),), lambda n: n - 1, _chaikin),
)  # fmt: skip
