"""The size of the limits, by the normal distribution where returns are independent, and figures at the borders.

Found by changing `backtest/statistics.py` on purpose (`scripts/mutate.py`) without a test that noticed.
"""

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import norm

from backtest.statistics import Excess, compare, equal_risk_excess, luck_threshold, optional

P, N = 252.0, 3000


@pytest.fixture(scope="module")
def independent() -> Excess:
    """A subject that is 1 bp a bar better than each of three baselines, all noise apart."""
    rng = np.random.default_rng(8)
    own = rng.normal(4e-4, 0.01, N)
    return compare(own, own[:, None] - 1e-4 - rng.normal(0, 0.004, (N, 3)), np.zeros(N),
                   periods=P, paths=10_000, seed=0, trials=1)  # fmt: skip


def test_an_interval_leaves_two_and_a_half_of_a_hundred_on_each_side(independent: Excess) -> None:
    """± 1.96 standard errors; an interval of 90 % would be ± 1.64."""
    for limit, side in ((independent.low, -1), (independent.high, 1)):
        assert (limit - independent.theta) / independent.error * side == pytest.approx(norm.ppf([0.975] * 3), rel=0.03)


def test_the_upper_limits_share_the_error_among_the_baselines(independent: Excess) -> None:
    """1 − 0.025/3 each: 2.39 standard errors."""
    width = (independent.upper - independent.theta) / independent.error
    assert width == pytest.approx([norm.ppf(1 - 0.025 / 3)] * 3, rel=0.04)


def test_errors_and_probabilities_are_those_of_the_normal(independent: Excess) -> None:
    """The error of a mean of N independent numbers is s/√N, here a year of 252; p = Φ(−θ/error)."""
    assert independent.error == pytest.approx([0.004 * P / math.sqrt(N)] * 3, rel=0.06)
    assert independent.p == pytest.approx(norm.cdf(-independent.theta / independent.error), abs=0.012)
    assert independent.greatest_p == independent.p.max()
    assert independent.power == pytest.approx(2.8 * independent.error[independent.theta.argmin()])
    assert independent.years == pytest.approx(N / 252)


def test_equal_risk_limits_lie_about_their_figure(independent: Excess) -> None:
    assert (independent.equal_risk_low < independent.equal_risk).all()
    assert (independent.equal_risk < independent.equal_risk_high).all()
    width = (independent.equal_risk_high - independent.equal_risk_low) / (independent.high - independent.low)
    assert width == pytest.approx([1.0] * 3, abs=0.15)


@pytest.mark.parametrize("trials", [2, 3, 50])
def test_the_threshold_of_luck_in_its_formula(trials: int) -> None:
    """√(1/n)·((1−γ)Φ⁻¹(1−1/k) + γΦ⁻¹(1−1/(k e))), γ = 0.57722 (Euler's constant to its five digits)."""
    best = (1 - 0.57722) * norm.ppf(1 - 1 / trials) + 0.57722 * norm.ppf(1 - 1 / (trials * math.e))
    assert luck_threshold(trials, 400) == pytest.approx(best / 20, rel=1e-12)
    assert luck_threshold(trials, 400, 0.01) == pytest.approx(best / 10, rel=1e-12)  # their variance, if it is larger
    assert luck_threshold(trials, 400, 1e-6) == luck_threshold(trials, 400)
    assert luck_threshold(1, 400, 0.01) == luck_threshold(0, 400) == 0.0


def test_a_baseline_without_risk_is_not_scaled() -> None:
    """Against cash at equal risk is the mean itself; against twice the same it is nothing."""
    x = np.array([0.02, -0.01, 0.03, 0.0])
    found = equal_risk_excess(x, np.column_stack((np.zeros(4), np.full(4, 1e-5), 2 * x)))
    assert found == pytest.approx([0.01, 0.01, 0.0], abs=1e-15)


def test_what_is_no_number_is_none() -> None:
    assert [optional(value) for value in (math.nan, math.inf, -math.inf, 0.0, -1.5)] == [None, None, None, 0.0, -1.5]


def test_the_least_of_the_probabilities_counts_and_one_that_is_unknown_makes_it_unknown(independent: Excess) -> None:
    assert independent.least_dsr == min(value for value in independent.dsr if value is not None)
    assert dataclasses.replace(independent, dsr=(0.9, 0.2, 0.5)).least_dsr == 0.2
    assert dataclasses.replace(independent, dsr=(0.9, None, 0.5)).least_dsr is None
    assert dataclasses.replace(independent, p=np.array([0.1, 0.4, 0.2])).greatest_p == 0.4
