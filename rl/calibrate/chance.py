"""What a count of worlds says of the rate behind it: exact binomial limits (Clopper and Pearson, 1934), one-sided."""

import math

from scipy.special import betaincinv

SURE = 0.95


def at_most(count: int, of: int, sure: float = SURE) -> float:
    """Upper limit of the rate p: P(X <= count) = 1 - `sure` there; 1 - (1 - sure)^(1/of) where nothing was counted."""
    return 1.0 if count >= of else float(betaincinv(count + 1, of - count, sure))


def at_least(count: int, of: int, sure: float = SURE) -> float:
    """Lower limit of the rate p: P(X >= count) = 1 - `sure` there; (1 - sure)^(1/of) where all were counted."""
    return 1.0 - at_most(of - count, of, sure)


def below(rate: float) -> str:
    """`26 %`: an upper limit in whole percent, rounded up so that it stays one."""
    return f"{math.ceil(round(100 * rate, 9))} %"


def above(rate: float) -> str:
    """A lower limit in whole percent, rounded down."""
    return f"{math.floor(round(100 * rate, 9))} %"
