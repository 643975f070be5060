"""What one bar says: returns and the shape between open, high, low and close. Logs or ratios, without a unit."""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, log_returns
from marketdata.indicators.rolling import ratio


def _log_return(columns: Columns, n: int) -> Floats:
    return log_returns(columns["close"], n)


def _gap(columns: Columns) -> Floats:
    return np.log(columns["open"] / lagged(columns["close"], 1))


def _body(columns: Columns) -> Floats:
    return np.log(columns["close"] / columns["open"])


def _high_low(columns: Columns) -> Floats:
    return np.log(columns["high"] / columns["low"])


def _close_location(columns: Columns) -> Floats:
    high, low = columns["high"], columns["low"]
    return ratio(2 * columns["close"] - high - low, high - low)


def _log_close(columns: Columns) -> Floats:
    return np.log(columns["close"])


def _none() -> int:
    return 0


BAR_SHAPE = (
    Indicator("log_return", "ln(C[t] / C[t−n]).", frozenset({"close"}), (Param("n", 1, low=1),), lambda n: n,
              _log_return),
    Indicator("gap", "ln(O[t] / C[t−1]).", frozenset({"open", "close"}), (), lambda: 1, _gap),
    Indicator("body", "ln(C / O).", frozenset({"open", "close"}), (), _none, _body),
    Indicator("high_low", "ln(H / L).", frozenset({"high", "low"}), (), _none, _high_low),
    Indicator("close_location", "Where the close lies between low (−1) and high (1).",
              frozenset({"high", "low", "close"}), (), _none, _close_location),
    Indicator("log_close", "ln C: a price level.", frozenset({"close"}), (), _none, _log_close, price_level=True),
)  # fmt: skip
