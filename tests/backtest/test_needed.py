"""How many years or seeds more: against doing it, and the words for each way it can end."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from backtest.needed import Needed, needed, sentence
from backtest.statistics import Excess, compare
from tests.backtest.test_verdict import excess

BOTH = ["Cash", "Equal weight"]


def found(
    theta: list[float], below: list[float], *, seeds: int = 1, seed_error: float = 0.0, years: float = 2.0
) -> Excess:
    """`below`: how far the lower limits of the bars lie below the points; with several seeds all limits are below 0."""
    bars_low = np.array(theta) - below
    return excess(
        theta=np.array(theta), bars_low=bars_low, low=bars_low if seeds == 1 else np.full(len(theta), -1.0),
        by_seed=np.zeros((seeds, len(theta))), seed_error=seed_error, years=years,
    )  # fmt: skip


def distance(bars: float, apart: float, seeds: int) -> float:
    """Of a limit at 2.5 % whose bars lie `bars` away: by quadrature over what the deviation of the seeds could be."""
    freedom, normal = seeds - 1, bars / stats.norm.ppf(0.975)

    def below(q: float) -> float:
        def given(chi: float) -> float:
            spread = math.hypot(normal, apart * math.sqrt(freedom) / chi)
            return float(stats.chi.pdf(chi, freedom) * stats.norm.cdf(q / spread))

        return float(integrate.quad(given, 0, 10 + math.sqrt(freedom), limit=300)[0])

    return float(optimize.brentq(lambda q: below(q) - 0.975, 0.0, bars + 15 * apart, xtol=1e-10))


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
    """The k that is told brings the limit to zero, and one seed less does not; the bars' part stays what it is."""
    bars, spread, have = 0.035, 0.05, 3
    more = needed(found([1.0, 0.04], [bars, bars], seeds=have, seed_error=spread / math.sqrt(have)))
    assert more is not None and more.seeds is not None and more.seeds_against == 1

    def limit(extra: float) -> float:
        count = have + int(extra)
        return 0.04 - distance(bars, spread / math.sqrt(count), count)

    assert limit(more.seeds) >= 0 > limit(more.seeds - 1)
    assert math.isinf(more.years)  # the seeds' part alone is larger than the point


def test_no_number_of_seeds_is_enough_where_the_bars_alone_are_not_sure() -> None:
    """A quadrature of the two limits took the bars' part for smaller than it is: 0.217 for 0.246, and told 25 seeds."""
    more = needed(found([0.2398], [0.2461], seeds=3, seed_error=0.12))
    assert more is not None and more.seeds == math.inf


def test_time_shrinks_the_bars_part_alone() -> None:
    apart, seeds = 0.02, 4
    more = needed(found([1.0, 0.2], [0.3, 0.4], seeds=seeds, seed_error=apart))
    assert more is not None and more.seeds is not None and math.isinf(more.seeds) and more.years_against == 1
    assert distance(0.4 * math.sqrt(2 / (2 + more.years)), apart, seeds) == pytest.approx(0.2, rel=1e-6)


def family(count: int, n: int, apart: float) -> np.ndarray:
    """(count, n) log returns: bars of one mean and deviation, seeds whose edges lie exactly `apart` around it."""
    noise = np.random.default_rng(5).normal(0, 1, n)
    noise = 0.25 / 252 + 0.012 * (noise - noise.mean()) / noise.std()
    edges = np.random.default_rng(6).normal(0, 1, count)
    return noise + (apart * (edges - edges.mean()) / edges.std(ddof=1))[:, None]


def test_so_many_seeds_more_bring_the_limit_above_zero() -> None:
    """Done: seeds of the same mean and deviation, fewer and more than were said to be needed."""
    n, apart = 2520, 0.2 / 252

    def judged(count: int) -> Excess:
        returns = np.expm1(family(count, n, apart))
        zeros = np.zeros((n, 1))
        return compare(returns, zeros, zeros[:, 0], periods=252.0, paths=8000, seed=0, trials=1)

    few = judged(3)
    more = needed(few)
    assert few.least_low < 0 and more is not None and more.seeds is not None and 2 < more.seeds < 100
    whole = 3 + more.seeds
    assert judged(round(whole * 0.6)).least_low < 0 < judged(round(whole * 1.6)).least_low


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


def test_no_baseline_binds_what_would_never_be_enough() -> None:
    assert sentence(Needed(math.inf, math.inf, 0, 1), BOTH).endswith("would be enough to tell.")
    assert sentence(Needed(math.inf, 6.0, 0, 1), BOTH).endswith(
        "is enough; the limit against Equal weight is the last to pass zero."
    )


def test_words_for_what_is_trailed() -> None:
    said = sentence(Needed(math.inf, None, 1, 1, (1, 0)), BOTH)
    assert said == (
        "At these points it does not lie ahead of Equal weight and Cash: no number of years makes an edge that is not "
        "above zero shown."
    )
    assert "years or seeds makes" in sentence(Needed(math.inf, math.inf, 1, 1, (1,)), BOTH)
