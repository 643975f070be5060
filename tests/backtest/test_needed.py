"""How many years or seeds more: against doing it, and the words for each way it can end."""

import math

import numpy as np
import pytest

from backtest.needed import Needed, needed, sentence
from backtest.statistics import POWER, Excess
from tests.backtest.test_verdict import excess


def found(theta: float, error: float, *, seeds: int = 1, seed_error: float = 0.0, years: float = 2.0) -> Excess:
    return excess(
        theta=np.array([1.0, theta]), error=np.array([0.1, error]), by_seed=np.zeros((seeds, 2)),
        seed_error=seed_error, years=years,
    )  # fmt: skip


def test_four_times_the_error_needs_sixteen_times_the_time() -> None:
    more = needed(found(0.05, 4 * 0.05 / POWER))
    assert more is not None and more.seeds is None
    assert more.years == pytest.approx(2.0 * 15)


def test_nothing_is_needed_where_the_test_tells() -> None:
    assert needed(found(0.05, 0.05 / POWER)) is None
    assert needed(found(-0.05, 0.04 / POWER)) is None


def test_seeds_shrink_their_own_part_alone() -> None:
    """σ² = 0.03² + 0.04² of 3 seeds; 2.8·σ is to be 0.1: with k seeds more, 0.03² + 0.04²·3/(3+k) = (0.1/2.8)²."""
    case = found(0.1, 0.05, seeds=3, seed_error=0.04)
    more = needed(case)
    assert more is not None and more.seeds is not None and math.isinf(more.years)
    after = 0.03**2 + 0.04**2 * 3 / (3 + more.seeds)
    before = 0.03**2 + 0.04**2 * 3 / (3 + more.seeds - 1)
    assert after <= (0.1 / POWER) ** 2 < before


def test_time_shrinks_the_bars_part_alone() -> None:
    case = found(0.2, math.hypot(0.1, 0.02), seeds=4, seed_error=0.02)
    more = needed(case)
    assert more is not None and more.seeds is not None and math.isinf(more.seeds)
    assert math.hypot(0.1 * math.sqrt(2 / (2 + more.years)), 0.02) == pytest.approx(0.2 / POWER)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (None, ""),
        (Needed(11.2, None), "about 12 more years would be needed to tell."),
        (Needed(0.3, None), "about 4 more months would be needed to tell."),
        (Needed(1.0, 5.0), "about 1 more year or 5 more seeds would be needed to tell."),
        (Needed(150.0, 1.0), "more than 100 more years or 1 more seed would be needed to tell."),
        (Needed(3.0, math.inf), "about 3 more years would be needed to tell; no number of seeds alone is enough."),
        (Needed(math.inf, 7.0), "7 more seeds would be needed to tell; no amount of time alone is enough."),
        (Needed(math.inf, math.inf), "neither more years alone nor more seeds alone would be enough to tell."),
        (Needed(math.inf, None), "no amount of time would be enough to tell."),
    ],
)
def test_words(more: Needed | None, said: str) -> None:
    front = "At this edge and variance, " if said else ""
    assert sentence(more) == front + said
