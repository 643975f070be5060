"""The test that a mean over few seeds is put to, and what it can find: the luck of bars is normal, that of seeds is not
known but estimated from S points, so that a limit of them lies Student's t away (`backtest.seeds_luck`).

A limit is a quantile of b N + a T, N standard normal, T of Student with S-1 degrees of freedom, b the error of the bars
and a = s/sqrt(S) that of the seeds (Behrens and Fisher). T is normal over c, the root of chi-squared over its S-1
degrees of freedom: given c the sum is normal with variance b^2 + a^2/c^2, so that its distribution is one integral over
c, which is also how s lies about the true deviation. The trapezoid over ln c takes it: the integrand is smooth and dies
at both ends, so that some hundred points give seven digits, and the same ones each time.

scipy is imported where it is needed: only several seeds pay for it.
"""

import math

import numpy as np

from backtest.series import Floats

FOUND = 0.8
"""Share of cases in which the least excess that a test could have shown is found."""
LEAST, MOST = -15.0, 2.2
"""Widest ends of ln(s/sigma): below the one lie two seeds in 3e-7 of cases, which its point is given; above the other
nobody does.
"""
NEGLIGIBLE = 34.0
"""Logarithm by which the likelihood at an end lies below the greatest."""
WIDE, NARROW, PART = 0.1, 0.02, 0.35
"""Steps of ln(s/sigma): for a limit, and for how often a mean lies above one, which turns within a tenth of it; but no
wider than this part of one over the root of the degrees of freedom.
"""
NEWTON, HALVINGS = 40, 60
CLOSE = 1e-12


def deviations(freedom: int, step: float) -> tuple[Floats, Floats]:
    """(s / sigma, probability) at the points of the trapezoid, (K,) each: how the deviation s of freedom + 1 points
    lies about the true one, sigma = 1. With u = ln s its density is that of exp(freedom (u - (e^2u - 1)/2)).
    """
    reach = math.sqrt(NEGLIGIBLE / freedom)
    log_s = np.arange(max(LEAST, -reach - NEGLIGIBLE / freedom), min(MOST, reach), min(step, PART / math.sqrt(freedom)))
    weight = np.exp(freedom * (log_s - np.expm1(2 * log_s) / 2))
    weight[0] += weight[0] / (freedom * (log_s[1] - log_s[0]))  # all below it
    found: Floats = np.exp(log_s)
    return found, weight / weight.sum()


def limit_of(bars: float, seeds: Floats, freedom: int, tail: float) -> Floats:
    """(K,) how far a limit lies from the point: the 1 - `tail` quantile of bars N + seeds T, for each of `seeds` (K,);
    both >= 0, `tail` < 1/2.

    By Newton from below: the distribution is concave above 0, so that no step leads past the quantile, and neither part
    alone reaches as far as both.
    """
    from scipy.special import ndtr, ndtri, stdtrit

    ratio, share = deviations(freedom, WIDE)
    spread = np.sqrt(bars**2 + (seeds[:, None] / ratio) ** 2)
    spread = np.maximum(spread, np.finfo(float).tiny)
    found: Floats = np.maximum(bars * -float(ndtri(tail)), seeds * float(stdtrit(freedom, 1 - tail)))
    for _ in range(NEWTON):
        at = found[:, None] / spread
        density = (np.exp(-(at**2) / 2) / spread) @ share / math.sqrt(2 * math.pi)
        lacking = 1 - tail - ndtr(at) @ share
        step = np.divide(lacking, density, out=np.zeros_like(found), where=density > 0)
        found = found + np.maximum(step, 0.0)
        if (step <= CLOSE * found).all():
            break
    return found


def limit(bars: float, seeds: float, freedom: int, tail: float) -> float:
    """`limit_of` one."""
    return float(limit_of(bars, np.array([seeds]), freedom, tail)[0])


def could_find(bars: float, seeds: float, freedom: int, tail: float) -> float:
    """The excess that lies above its lower limit in four of five cases, where `bars` and `seeds` are the true errors.

    A case draws the mean, normal with both errors, and apart from it the deviation s of its seeds, which says how far
    its limit lies: found where the mean is above `limit_of` that s. Without bars' luck it is the t test's: the X at
    which noncentral t with X/seeds exceeds the quantile of t in four of five.
    """
    from scipy.special import ndtr

    error = math.hypot(bars, seeds)
    if error == 0:
        return 0.0
    ratio, share = deviations(freedom, NARROW)
    limits = limit_of(bars, seeds * ratio, freedom, tail)
    low, high = 0.0, float(limits.max()) + 2 * error
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if float(ndtr((middle - limits) / error) @ share) < FOUND else (low, middle)
    return high
