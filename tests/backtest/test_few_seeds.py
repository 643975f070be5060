"""What a test over few seeds can find: against scipy's own distributions where one part is alone, against quadrature
and draws where both are there, and against the judgement itself.
"""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from backtest.few_seeds import FOUND, could_find, deviations, limit, limit_of
from backtest.statistics import ALPHA, compare

P = 252.0
MOST = 10_000


@pytest.mark.parametrize("freedom", [1, 2, 3, 9, 15, 9999])
def test_how_deviations_lie_is_a_distribution(freedom: int) -> None:
    """Of s/sigma: its mean square is 1, and half of it lies below the median of chi."""
    ratio, share = deviations(freedom, 0.02)
    assert share.sum() == pytest.approx(1.0)
    assert float(ratio**2 @ share) == pytest.approx(1.0, rel=1e-6)
    median = stats.chi.median(freedom) / math.sqrt(freedom)
    assert float(share[ratio < median].sum()) == pytest.approx(0.5, abs=share.max())


@pytest.mark.parametrize("freedom", [1, 2, 3, 9, 15, MOST - 1])
def test_alone_each_part_has_its_own_quantile(freedom: int) -> None:
    assert limit(0.0, 0.3, freedom, ALPHA) == pytest.approx(0.3 * stats.t.ppf(1 - ALPHA, freedom), rel=1e-5)
    assert limit(0.3, 0.0, freedom, ALPHA) == pytest.approx(0.3 * stats.norm.ppf(1 - ALPHA), rel=1e-12)
    assert limit(0.0, 0.0, freedom, ALPHA) < 1e-300


@pytest.mark.parametrize(("freedom", "seeds"), [(1, 0.05), (1, 3.0), (2, 0.5), (3, 1.0), (9, 1.0), (99, 2.0)])
def test_a_limit_of_both_parts_is_the_quadratures(freedom: int, seeds: float) -> None:
    def below(q: float) -> float:
        def given(chi: float) -> float:
            return float(stats.chi.pdf(chi, freedom) * stats.norm.cdf(q / math.hypot(1, seeds * freedom**0.5 / chi)))

        return float(integrate.quad(given, 0, 10 + math.sqrt(freedom), limit=300, points=[seeds, freedom**0.5])[0])

    expected = optimize.brentq(lambda q: below(q) - 0.975, 0.5, 60, xtol=1e-10)
    assert limit(1.0, seeds, freedom, ALPHA) == pytest.approx(expected, rel=1e-5)


def test_limits_are_found_for_many_at_once() -> None:
    seeds = np.array([0.0, 0.1, 2.0])
    assert limit_of(1.0, seeds, 2, ALPHA) == pytest.approx([limit(1.0, one, 2, ALPHA) for one in seeds], rel=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 9, 15])
def test_without_bars_it_is_the_t_tests_own_power(freedom: int) -> None:
    """Noncentral t with the excess over s/√S lies above the quantile of t in four of five cases."""
    found = could_find(0.0, 0.1, freedom, ALPHA) / 0.1
    assert stats.nct.sf(stats.t.ppf(1 - ALPHA, freedom), freedom, found) == pytest.approx(FOUND, abs=1e-5)


def test_without_seeds_it_is_the_sum_of_two_normal_quantiles() -> None:
    told = could_find(0.1, 0.0, 2, ALPHA)
    assert told == pytest.approx(0.1 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)), rel=1e-9)
    assert could_find(0.0, 0.0, 2, ALPHA) == 0.0


@pytest.mark.parametrize(("freedom", "seeds"), [(1, 0.4), (1, 2.0), (2, 1.0), (3, 0.5), (9, 2.0)])
def test_of_both_it_is_what_draws_find(freedom: int, seeds: float) -> None:
    """400,000 cases: a mean with both errors, a deviation of its own, the limit that belongs to it."""
    rng, cases = np.random.default_rng(freedom), 400_000
    ratio = np.sqrt(rng.chisquare(freedom, cases) / freedom)
    grid = np.geomspace(ratio.min(), ratio.max(), 400)
    limits = np.interp(ratio, grid, limit_of(1.0, seeds * grid, freedom, ALPHA))
    mean = could_find(1.0, seeds, freedom, ALPHA) + math.hypot(1.0, seeds) * rng.standard_normal(cases)
    assert float((mean > limits).mean()) == pytest.approx(FOUND, abs=4 * math.sqrt(0.16 / cases))


def test_more_seeds_find_less_and_no_seeds_find_what_bars_hide() -> None:
    told = [could_find(0.1, 0.2 / math.sqrt(count), count - 1, ALPHA) for count in (2, 3, 4, 10, 16)]
    assert told == sorted(told, reverse=True)
    assert told[-1] > could_find(0.1, 0.0, 15, ALPHA)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "bars", "apart"), [(2, 0.112, 0.05), (2, 0.056, 0.10), (3, 0.112, 0.10), (3, 0.056, 0.15),
                                 (4, 0.056, 0.15), (10, 0.112, 0.30)],
)  # fmt: skip
def test_the_judgement_finds_it_in_four_of_five_cases(count: int, bars: float, apart: float) -> None:
    """Worlds of two years with the excess that is told: the share with a lower limit above 0 is 0.8 within three
    deviations of 500 draws, and a little for 1,000 paths and for blocks that measure the bars' error on few bars.
    """
    n, worlds = 504, 500
    daily = bars * math.sqrt(n) / P
    truth = could_find(bars, apart / math.sqrt(count), count - 1, ALPHA)
    found = 0
    for world in range(worlds):
        rng = np.random.default_rng([count, world])
        edges = (truth + apart * rng.standard_normal((count, 1))) / P
        returns = np.expm1(edges + daily * rng.standard_normal(n))
        flat = np.zeros((n, 1))
        judged = compare(returns, flat, flat[:, 0], periods=P, paths=1000, seed=world, trials=1)
        found += judged.low[0] > 0
    assert found / worlds == pytest.approx(FOUND, abs=3 * math.sqrt(0.16 / worlds) + 0.02)
