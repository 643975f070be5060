"""What corporate actions say, on raw data that records them."""

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param
from marketdata.indicators.rolling import by_window, row_sum


def _dividend_yield(columns: Columns, n: int) -> Floats:
    return by_window(row_sum, n, columns["dividend"]) / columns["close"]


ACTION_INDICATORS = (
    Indicator("dividend_yield", "Dividends with an ex-date in the last n bars / C.", frozenset({"close", "dividend"}),
              (Param("n", 252, low=1),), lambda n: n - 1, _dividend_yield),
)  # fmt: skip
