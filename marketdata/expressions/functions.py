"""The functions of expressions, named as in the field (qlib, WorldQuant): over a symbol's own bars, across the symbols
of one bar, and of single values.

A function over bars takes n as a plain whole number. Where a value that it needs is missing, it has none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from marketdata.bars import Floats
from marketdata.expressions import units
from marketdata.expressions.units import Dimension
from marketdata.indicators.base import lagged
from marketdata.indicators.cross_section import ranks
from marketdata.indicators.rolling import by_window, ratio, row_deviation, row_max, row_mean

LONGEST_WINDOW = 1000


@dataclass(frozen=True)
class OverTime:
    """`compute(x, n)`: (bars,) → (bars,) of one symbol; `waits(n)`: bars more before the first value."""

    text: str
    compute: Callable[[Floats, int], Floats]
    unit: Callable[[Dimension], Dimension]
    least: int
    waits: Callable[[int], int]


@dataclass(frozen=True)
class OfOne:
    """`compute(x)` of each value alone."""

    text: str
    compute: Callable[[Floats], Floats]
    unit: Callable[[Dimension], Dimension]


def _delta(x: Floats, n: int) -> Floats:
    return x - lagged(x, n)


def _mean(x: Floats, n: int) -> Floats:
    return by_window(row_mean, n, x)


def _deviation(x: Floats, n: int) -> Floats:
    return by_window(row_deviation, n, x)


def _largest(x: Floats, n: int) -> Floats:
    return by_window(row_max, n, x)


def _least(x: Floats, n: int) -> Floats:
    return -by_window(row_max, n, -x)


def _z_score(x: Floats, n: int) -> Floats:
    return ratio(x - _mean(x, n), _deviation(x, n))


def _logarithm(x: Floats) -> Floats:
    logs: Floats = np.log(np.where(x > 0, x, np.nan))
    return logs


def _all(n: int) -> int:
    return n


def _but_one(n: int) -> int:
    return n - 1


OVER_TIME: dict[str, OverTime] = {
    "lag": OverTime("x of n bars before", lagged, units.kept, 1, _all),
    "delta": OverTime("x − lag(x, n)", _delta, units.scaled, 1, _all),
    "mean": OverTime("average of the last n values", _mean, units.kept, 2, _but_one),
    "std": OverTime("their standard deviation (ddof 1)", _deviation, units.scaled, 2, _but_one),
    "max": OverTime("the largest of them", _largest, units.kept, 2, _but_one),
    "min": OverTime("the least of them", _least, units.kept, 2, _but_one),
    "zscore": OverTime("(x − mean(x, n)) / std(x, n)", _z_score, units.standardised, 2, _but_one),
}
OF_ONE: dict[str, OfOne] = {
    "log": OfOne("natural logarithm; no value where x is not above 0", _logarithm, units.logarithm),
    "abs": OfOne("|x|", np.abs, units.size),
    "sign": OfOne("−1, 0 or 1", np.sign, units.direction),
}
ACROSS: dict[str, Callable[[Floats], Floats]] = {"rank": ranks}
"""Of (T, A), each row by itself; NaN where a symbol takes no part."""

FUNCTIONS = {
    **{name: ("x", "n") for name in OVER_TIME},
    **{name: ("x",) for name in OF_ONE},
    "rank": ("x",),
    "clip": ("x", "lo", "hi"),
    "where": ("condition", "a", "b"),
}
"""Names of the arguments of every function."""

SIGNS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": ratio,
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
FIELDS = {
    "open": units.PRICE, "high": units.PRICE, "low": units.PRICE, "close": units.PRICE, "vwap": units.PRICE,
    "volume": units.VOLUME,
}  # fmt: skip
"""Columns that an expression may read, with their units."""
