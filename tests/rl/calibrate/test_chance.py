"""Binomial limits against their closed forms and their definition, and how they are rounded."""

import math

import pytest

from rl.calibrate.chance import above, at_least, at_most, below


@pytest.mark.parametrize("n", [1, 5, 10, 20, 100])
def test_none_and_all_have_closed_forms(n: int) -> None:
    assert at_most(0, n) == pytest.approx(1 - 0.05 ** (1 / n), abs=1e-12) and at_least(0, n) == 0
    assert at_least(n, n) == pytest.approx(0.05 ** (1 / n), abs=1e-12) and at_most(n, n) == 1


def test_the_others_are_where_such_a_count_has_a_chance_of_five_percent() -> None:
    """The definition, added up in the terms of the binomial."""

    def chance(counts: range, n: int, p: float) -> float:
        return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in counts)

    for n in (2, 7, 20, 100):
        for count in range(1, n):
            assert chance(range(count + 1), n, at_most(count, n)) == pytest.approx(0.05, abs=1e-10)
            assert chance(range(count, n + 1), n, at_least(count, n)) == pytest.approx(0.05, abs=1e-10)


def test_a_limit_stays_one_when_it_is_rounded() -> None:
    assert below(at_most(0, 10)) == "26 %" and below(at_most(0, 20)) == "14 %"  # 25.9 and 13.9
    assert above(at_least(5, 5)) == "54 %"  # 54.9
    assert below(0.2) == above(0.2) == "20 %" and below(0.29) == above(0.29) == "29 %"
