"""Binomial limits against their closed forms and another library, and how they are rounded."""

import pytest
from scipy.stats import beta

from rl.calibrate.chance import above, at_least, at_most, below


@pytest.mark.parametrize("n", [1, 5, 10, 20, 100])
def test_none_and_all_have_closed_forms(n: int) -> None:
    assert at_most(0, n) == pytest.approx(1 - 0.05 ** (1 / n), abs=1e-12) and at_least(0, n) == 0
    assert at_least(n, n) == pytest.approx(0.05 ** (1 / n), abs=1e-12) and at_most(n, n) == 1


def test_the_others_are_quantiles_of_a_beta() -> None:
    for n in (2, 7, 20, 100):
        for count in range(1, n):
            assert at_most(count, n) == pytest.approx(beta.ppf(0.95, count + 1, n - count), abs=1e-10)
            assert at_least(count, n) == pytest.approx(beta.ppf(0.05, count, n - count + 1), abs=1e-10)


def test_a_limit_stays_one_when_it_is_rounded() -> None:
    assert below(at_most(0, 10)) == "26 %" and below(at_most(0, 20)) == "14 %"  # 25.9 and 13.9
    assert above(at_least(5, 5)) == "54 %"  # 54.9
    assert below(0.2) == above(0.2) == "20 %" and below(0.29) == above(0.29) == "29 %"
