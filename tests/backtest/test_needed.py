"""How many years or seeds more: against doing it, and the words for each way it can end."""

import math

import numpy as np
import pytest
from scipy.stats import t as student_t

from backtest.needed import Needed, needed, sentence, student
from backtest.statistics import Excess, compare
from tests.backtest.test_verdict import excess

BOTH = ["Cash", "Equal weight"]


def found(
    theta: list[float], below: list[float], *, seeds: int = 1, seed_error: float = 0.0, years: float = 2.0
) -> Excess:
    """`below`: how far the lower limits lie below the points."""
    return excess(
        theta=np.array(theta), low=np.array(theta) - below, by_seed=np.zeros((seeds, len(theta))),
        seed_error=seed_error, years=years,
    )  # fmt: skip


def test_four_times_the_distance_needs_sixteen_times_the_time() -> None:
    more = needed(found([1.0, 0.05], [0.1, 4 * 0.05]))
    assert more is not None and more.seeds is None
    assert more.years == pytest.approx(2.0 * 15)
    assert more.years_against == 1


def test_nothing_is_needed_where_every_limit_lies_above_zero() -> None:
    assert needed(found([0.06, 0.05], [0.05, 0.04])) is None


def test_another_baseline_than_the_hardest_can_bind() -> None:
    """Against the hardest 0.05 − 0.08; against the other 0.06 − 0.18, which asks for nine times the time."""
    more = needed(found([0.06, 0.05], [0.18, 0.08]))
    assert more is not None and more.years_against == 0
    assert more.years == pytest.approx(2.0 * (9 - 1))


def trailing(n: int) -> np.ndarray:
    """(n, 2) log returns of two baselines below a subject that stands still: exact means and deviations, whatever n."""
    noise = np.random.default_rng(n).normal(0, 1, (n, 2))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    return -(noise * [0.003, 0.012] + [1.2e-4, 4e-4])


def test_so_many_bars_more_bring_every_limit_above_zero() -> None:
    """Done: bars of the same mean and variance, fewer and more than were said to be needed."""

    def judged(n: int) -> Excess:
        return compare(np.zeros(n), np.expm1(trailing(n)), np.zeros(n), periods=252.0, paths=2000, seed=0, trials=1)

    few = judged(300)
    more = needed(few)
    assert more is not None and math.isfinite(more.years)
    assert (few.best, more.years_against) == (0, 1)
    whole = 252 * (few.years + more.years)
    assert judged(round(whole * 0.7)).least_low < 0 < judged(round(whole * 1.4)).least_low


def test_seeds_shrink_their_own_part_alone() -> None:
    """With k seeds more the limit is at √(bars² + (t(S+k−1) s/√(S+k))²) below the point."""
    bars, spread, have = 0.03, 0.05, 3
    apart = spread / math.sqrt(have)
    far = math.hypot(bars, student_t.ppf(0.975, have - 1) * apart)
    more = needed(found([1.0, 0.04], [far, far], seeds=have, seed_error=apart))
    assert more is not None and more.seeds is not None

    def limit(extra: float) -> float:
        count = have + extra
        return 0.04 - math.hypot(bars, student_t.ppf(0.975, count - 1) * spread / math.sqrt(count))

    assert limit(more.seeds) >= 0 > limit(more.seeds - 1)
    assert math.isinf(more.years)  # the seeds' part alone is larger than the point


def test_time_shrinks_the_bars_part_alone() -> None:
    apart = 0.002
    seeds_part = student_t.ppf(0.975, 3) * apart
    more = needed(found([1.0, 0.2], [0.3, math.hypot(0.4, seeds_part)], seeds=4, seed_error=apart))
    assert more is not None and more.seeds is not None and math.isinf(more.seeds)
    assert math.hypot(0.4 * math.sqrt(2 / (2 + more.years)), seeds_part) == pytest.approx(0.2)


def test_the_quantile_is_students() -> None:
    assert [student(count) for count in (2, 4, 11)] == pytest.approx([12.7062, 3.18245, 2.22814], rel=1e-5)


def test_a_negative_edge_has_no_end() -> None:
    more = needed(found([0.1, -0.02], [0.2, 0.1], seeds=3, seed_error=0.01))
    assert more == Needed(math.inf, math.inf, 1, 1, (1,))


FRONT = "At this edge and variance, "


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (None, ""),
        (Needed(11.2, None, 0, 1), "about 12 more years would be needed to tell"),
        (Needed(0.3, None, 0, 1), "about 4 more months would be needed to tell"),
        (Needed(1.0, 5.0, 0, 0), "about 1 more year or 5 more seeds would be needed to tell"),
        (Needed(150.0, 1.0, 0, 0), "more than 100 more years or 1 more seed would be needed to tell"),
        (Needed(3.0, math.inf, 0, 0), "about 3 more years would be needed to tell; no number of seeds alone is enough"),
        (Needed(math.inf, 7.0, 0, 0), "7 more seeds would be needed to tell; no amount of time alone is enough"),
        (
            Needed(math.inf, math.inf, 0, 0),
            "neither more years alone nor more seeds alone would be enough to tell",
        ),
    ],
)
def test_words(more: Needed | None, said: str) -> None:
    assert sentence(more, ["Cash"]) == (f"{FRONT}{said}." if said else "")


def test_words_name_the_baseline_that_binds() -> None:
    one = Needed(3.0, 5.0, 1, 1)
    assert sentence(one, BOTH).endswith("to tell; the limit against Equal weight is the last to pass zero.")
    two = Needed(3.0, 5.0, 0, 1)
    assert sentence(two, BOTH).endswith(
        "the limit against Cash (by years) or Equal weight (by seeds) is the last to pass zero."
    )


def test_words_for_what_is_trailed() -> None:
    said = sentence(Needed(math.inf, None, 1, 1, (1, 0)), BOTH)
    assert said == (
        "At these points it does not lie ahead of Equal weight and Cash: no number of years makes an edge that is not "
        "above zero shown."
    )
    assert "years or seeds makes" in sentence(Needed(math.inf, math.inf, 1, 1, (1,)), BOTH)
