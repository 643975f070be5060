"""What a count of worlds says of the rate behind it: exact binomial limits (Clopper and Pearson, 1934), one-sided."""

import math

SURE = 0.95
_HALVINGS = 60


def at_most(count: int, of: int, sure: float = SURE) -> float:
    """Upper limit of the rate p: P(X <= count) = 1 - `sure` there; 1 - (1 - sure)^(1/of) where nothing was counted."""
    if count >= of:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _cumulated(count, of, middle) > 1 - sure else (low, middle)
    return high


def at_least(count: int, of: int, sure: float = SURE) -> float:
    """Lower limit of the rate p: P(X >= count) = 1 - `sure` there; (1 - sure)^(1/of) where all were counted."""
    return 1.0 - at_most(of - count, of, sure)


def below(rate: float) -> str:
    """`26 %`: an upper limit in whole percent, rounded up so that it stays one."""
    return f"{math.ceil(round(100 * rate, 9))} %"


def above(rate: float) -> str:
    """A lower limit in whole percent, rounded down."""
    return f"{math.floor(round(100 * rate, 9))} %"


def _cumulated(count: int, of: int, p: float) -> float:
    """P(X <= count) of X binomial."""
    return math.fsum(math.comb(of, k) * p**k * (1 - p) ** (of - k) for k in range(count + 1))
