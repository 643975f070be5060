"""Sums over windows: what each indicator over the last n bars is made of.

A block of windows is (n, k): row j holds the j-th value of each of k windows. Sums run over the rows, one addition
after the other, so that a window is summed in one order whatever follows it, and memory does not grow with the window.
They are two-pass (first the mean, then what is apart from it): running sums would lose what is small.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from marketdata.bars import Floats

BLOCK = 8192
"""Windows of a block: few enough for a row to stay in the processor's cache."""


def ratio(above: Floats, below: Floats, undefined: float = 0.0) -> Floats:
    """above / below, and `undefined` where below is 0."""
    zero = below == 0
    return np.where(zero, undefined, above / np.where(zero, 1.0, below))


def by_window(reduce: Callable[..., Floats], n: int, *columns: Floats, skip: int = 0) -> Floats:
    """`reduce` of the windows (n, k) of each column → (k,), laid at the bars (len,) on which they end, NaN before.

    `skip`: how many first values the columns lack, as returns lack one; windows begin after them.
    """
    out = np.full(len(columns[0]), np.nan)
    count = len(out) - skip - n + 1
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        blocks = [sliding_window_view(column[skip:], n)[first:last].T for column in columns]
        out[skip + n - 1 + first : skip + n - 1 + last] = reduce(*blocks)
    return out


def by_return(reduce: Callable[..., Floats], n: int, *columns: Floats) -> Floats:
    """`by_window` of columns whose first value is missing, as returns have it."""
    return by_window(reduce, n, *columns, skip=1)


def row_sum(inside: Floats) -> Floats:
    """Sum of each window: (n, k) → (k,)."""
    total: Floats = inside[0].copy()
    for row in inside[1:]:
        total += row
    return total


def row_mean(inside: Floats) -> Floats:
    """Mean of each window."""
    mean: Floats = row_sum(inside) / len(inside)
    return mean


def row_max(inside: Floats) -> Floats:
    """The largest value of each window."""
    largest: Floats = inside[0].copy()
    for row in inside[1:]:
        np.maximum(largest, row, out=largest)
    return largest


def products(one: Floats, other: Floats) -> Floats:
    """Σ (a − mean a)(b − mean b) of each window."""
    mean, other_mean = row_mean(one), row_mean(other)
    total = np.zeros_like(mean)
    for a, b in zip(one, other, strict=True):
        total += (a - mean) * (b - other_mean)
    return total


def squares(inside: Floats) -> Floats:
    """Σ (x − mean)² of each window, 0 where the deviation is below 1e-9 of the mean: what equal numbers leave is
    rounding.
    """
    mean = row_mean(inside)
    total, apart = np.zeros_like(mean), np.empty_like(mean)
    for row in inside:
        np.subtract(row, mean, out=apart)
        apart *= apart
        total += apart
    total[total < 1e-18 * mean * mean * len(inside)] = 0.0
    return total


def row_deviation(inside: Floats) -> Floats:
    """Standard deviation (ddof 1) of each window."""
    deviation: Floats = np.sqrt(squares(inside) / (len(inside) - 1))
    return deviation


def row_slope(own: Floats, on: Floats) -> Floats:
    """Least-squares slope of one window on another, 0 where the other does not move."""
    return ratio(products(own, on), squares(on))


def row_correlation(one: Floats, other: Floats) -> Floats:
    """Pearson's correlation of two windows, 0 where one of them does not move."""
    return np.clip(ratio(products(one, other), np.sqrt(squares(one) * squares(other))), -1.0, 1.0)


def row_moments(inside: Floats) -> tuple[Floats, Floats, Floats]:
    """Second, third and fourth central moments of each window (population), all 0 where nothing moves."""
    mean = row_mean(inside)
    sums = [np.zeros_like(mean) for _ in range(3)]
    for row in inside:
        apart = row - mean
        square = apart * apart
        for total, power in zip(sums, (square, square * apart, square * square), strict=True):
            total += power
    still = sums[0] < 1e-18 * (1.0 + mean * mean) * len(inside)
    second, third, fourth = (np.where(still, 0.0, total / len(inside)) for total in sums)
    return second, third, fourth


def row_variance(inside: Floats) -> Floats:
    """Population variance of each window, 0 where nothing moves."""
    variance = squares(inside) / len(inside)
    return np.where(variance < 1e-18, 0.0, variance)


def weighted(inside: Floats, weights: Floats) -> Floats:
    """Σ w[j]·(x[j] − x[0]) of each window; `weights` (n,)."""
    first = inside[0]
    total = np.zeros(len(first))
    for row, weight in zip(inside, weights, strict=True):
        total += weight * (row - first)
    return total
