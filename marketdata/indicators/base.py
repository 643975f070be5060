"""What an indicator is, and the arithmetic that several share.

An indicator is computed for one symbol on that symbol's own bars (n,), without gaps, so that a symbol that starts late
has no value until it has enough bars of its own. It may use bars up to its own and none after. What it reads of other
symbols comes in two ways, both of the same bar or before: the column `market`, and `across`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from marketdata.bars import Floats

Columns = Mapping[str, Floats]

COLUMNS = frozenset({"open", "high", "low", "close", "volume", "vwap", "dividend", "market"})
"""What an indicator may read, (n,) each. Prices are free of splits: in shares of the first bar, volume too, so that a
return over a split is no crash; an indicator that is a `price_level` reads them as they were. `dividend`: cash a share
with ex-date at the bar. `market`: level of the equally weighted mean log return of all symbols (of the members, where
a membership is known), 1 at the first bar.
"""


@dataclass(frozen=True)
class Param:
    """A whole-number parameter with its default and bounds, both allowed."""

    name: str
    default: int
    low: int = 2
    high: int = 500


@dataclass(frozen=True)
class Indicator:
    """`columns`: what it reads of `COLUMNS`; `warmup(*params)`: bars before its first value;
    `compute(columns, *params)`: (n,) → (n,), finite from `warmup` on (what lies before is not read);
    `price_level`: it depends on the level of the price, which adjusted data does not know at the time.
    """

    name: str
    text: str
    columns: frozenset[str]
    params: tuple[Param, ...]
    warmup: Callable[..., int]
    compute: Callable[..., Floats]
    price_level: bool = False
    below: tuple[str, str] | None = None
    """Names of two parameters of which the first must be below the second, as fast and slow."""
    across: Callable[[Floats], Floats] | None = None
    """Of the cross-section: (T, A) values of all symbols, NaN where one has none → (T, A), each row from itself."""


def ta(function: str, *inputs: Floats | int) -> Floats:
    """A function of TA-Lib with one output. Imported when first computed with: its import brings pandas along."""
    import talib

    output: Floats = getattr(talib, function)(*inputs)
    return output


def settle(keep: float, tolerance: float) -> int:
    """Bars until the weight of what came before has fallen to `tolerance`, where each bar keeps the share `keep`.

    A recursive average remembers its first value for ever. Past this many bars the memory is below what we compare
    by (1e-8), so that a value does not depend on where the data begin.
    """
    return math.ceil(math.log(tolerance) / math.log(keep))


def lagged(values: Floats, n: int) -> Floats:
    """values[t − n], NaN for the first n."""
    out = np.full_like(values, np.nan)
    out[n:] = values[:-n] if n else values
    return out


def log_returns(close: Floats, n: int = 1) -> Floats:
    """ln(C[t] / C[t − n]), NaN for the first n."""
    return np.log(close / lagged(close, n))


def true_range(columns: Columns) -> Floats:
    """(n,) from the second bar on: the larger of H and the last C less the smaller of L and the last C."""
    high, low, before = columns["high"], columns["low"], lagged(columns["close"], 1)
    return np.maximum(high, before) - np.minimum(low, before)
