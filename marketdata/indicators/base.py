"""What an indicator is, and the arithmetic that several share.

An indicator is computed for one symbol on that symbol's own bars (n,), without gaps, so that a symbol that starts late
has no value until it has enough bars of its own. It may use bars up to its own and none after.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from marketdata.bars import Floats

Columns = Mapping[str, Floats]


@dataclass(frozen=True)
class Param:
    """A whole-number parameter with its default and bounds, both allowed."""

    name: str
    default: int
    low: int = 2
    high: int = 500


@dataclass(frozen=True)
class Indicator:
    """`columns`: what it reads of `open high low close volume`; `warmup(*params)`: bars before its first value;
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


def ratio(above: Floats, below: Floats, undefined: float = 0.0) -> Floats:
    """above / below, and `undefined` where below is 0."""
    zero = below == 0
    return np.where(zero, undefined, above / np.where(zero, 1.0, below))


def lagged(values: Floats, n: int) -> Floats:
    """values[t − n], NaN for the first n."""
    out = np.full_like(values, np.nan)
    out[n:] = values[:-n] if n else values
    return out


def log_returns(close: Floats, n: int = 1) -> Floats:
    """ln(C[t] / C[t − n]), NaN for the first n."""
    return np.log(close / lagged(close, n))


def windows(values: Floats, n: int) -> Floats:
    """(len − n + 1, n): the n values that end at each bar, oldest first. A view."""
    return sliding_window_view(values, n)


def ending_at(values: Floats, size: int) -> Floats:
    """Values of the last bars, laid at the end of an array of `size` with NaN before."""
    out = np.full(size, np.nan)
    out[size - len(values) :] = values
    return out


def mean_and_deviation(values: Floats, n: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation (ddof 1) of the last n values, two-pass: running sums would lose what is small.

    Deviations below 1e-9 of the largest value count as 0: what is left of equal numbers is rounding.
    """
    inside = windows(values, n)
    mean = inside.mean(axis=1)
    apart = inside - mean[:, None]
    deviation = np.sqrt(np.einsum("ij,ij->i", apart, apart) / (n - 1))
    deviation[deviation < 1e-9 * np.abs(inside).max(axis=1)] = 0.0
    return ending_at(mean, len(values)), ending_at(deviation, len(values))
