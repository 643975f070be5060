"""The stationary bootstrap against arch, against a resampling index by index, and against a closed form."""

import math

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from backtest.bootstrap import (
    DRAWS,
    GUIDES,
    REST_BITS,
    bootstrap,
    decay_of,
    draw_block,
    guide_of,
    mean_block,
    optimal_block,
)
from backtest.statistics import equal_risk_excess


def autoregressive(seed: int, n: int, slope: float) -> np.ndarray:
    shocks = np.random.default_rng(seed).normal(size=n)
    x = shocks.copy()
    for t in range(1, n):
        x[t] = slope * x[t - 1] + shocks[t]
    return x


@pytest.mark.parametrize("slope", [-0.4, 0.0, 0.3, 0.7, 0.95])
@pytest.mark.parametrize("n", [60, 251, 2520])
def test_block_length_is_that_of_arch(n: int, slope: float) -> None:
    for seed in range(5):
        x = autoregressive(seed, n, slope)
        expected = optimal_block_length(x)["stationary"].iloc[0]
        assert optimal_block(x) == pytest.approx(expected, rel=1e-9)


def test_a_constant_has_no_block_length() -> None:
    assert math.isnan(optimal_block(np.full(100, 0.3)))


def test_mean_block_is_the_largest_within_its_bounds() -> None:
    n = 1000
    calm, slow = autoregressive(0, n, 0.0), autoregressive(1, n, 0.95)
    both = np.column_stack((calm, slow))
    clipped, unclipped = mean_block(both)
    assert unclipped == pytest.approx(max(optimal_block(calm), optimal_block(slow)))
    assert n ** (1 / 3) <= clipped <= n / 10
    assert mean_block(np.zeros((n, 1)))[0] == pytest.approx(n ** (1 / 3))


def naive_means(x: np.ndarray, seed: int, paths: int, block: float) -> np.ndarray:
    """The same draws laid out bar by bar: index after index, around the end."""
    n, raw = len(x), np.random.PCG64(seed).random_raw(DRAWS)
    units = (raw >> np.uint64(11)) * 2.0**-53
    out, k = np.empty(paths), 0
    for path in range(paths):
        index: list[int] = []
        while len(index) < n:
            start = int(units[k] * n)
            length = 1 if n - len(index) == 1 else 1 + int(math.log(1 - units[k + 1]) / math.log(1 - 1 / block))
            index += [(start + i) % n for i in range(min(length, n - len(index)))]
            k += 2
        out[path] = x[index].mean()
    return out


def test_block_sums_are_the_means_of_paths_laid_out() -> None:
    x = autoregressive(5, 120, 0.4)
    drawn = bootstrap(x[:, None], np.column_stack((x, x)), paths=50, seed=11)
    assert drawn.theta[:, 0] == pytest.approx(naive_means(x, 11, 50, drawn.mean_block), abs=1e-12)


def test_draws_go_on_over_the_end_of_a_batch() -> None:
    """More blocks than one batch of draws holds: later paths must be as spread as the first ones."""
    x = autoregressive(2, 400, 0.0)
    drawn = bootstrap(x[:, None], np.column_stack((x, x)), paths=6000, seed=0)
    assert 6000 * 400 / drawn.mean_block * 2 > DRAWS
    first, last = drawn.theta[:3000, 0].std(), drawn.theta[3000:, 0].std()
    assert last == pytest.approx(first, rel=0.06)
    assert len(np.unique(drawn.theta[:, 0])) > 5900


def test_error_of_independent_bars_is_sigma_over_root_n() -> None:
    x = autoregressive(4, 2000, 0.0)
    drawn = bootstrap(x[:, None], np.column_stack((x, x)), paths=4000, seed=1)
    assert drawn.theta[:, 0].std() == pytest.approx(x.std() / math.sqrt(2000), rel=0.1)
    assert drawn.theta[:, 0].mean() == pytest.approx(x.mean(), abs=0.002)


def test_dependent_bars_have_a_larger_error() -> None:
    x = autoregressive(4, 2000, 0.7)
    drawn = bootstrap(x[:, None], np.column_stack((x, x)), paths=2000, seed=1)
    assert drawn.theta[:, 0].std() > 1.6 * x.std() / math.sqrt(2000)


def test_equal_risk_of_the_original_order_is_the_plain_formula() -> None:
    """x = 2 y: twice the baseline's risk and return is no excess; against cash all of the mean is."""
    y = np.random.default_rng(0).normal(3e-4, 0.01, 500)
    found = equal_risk_excess(2 * y, np.column_stack((y, np.zeros(500))))
    assert found == pytest.approx([0.0, 2 * y.mean()], abs=1e-15)
    drawn = bootstrap(np.column_stack((y, y)), np.column_stack((2 * y, y, np.zeros(500))), paths=300, seed=0)
    assert np.abs(drawn.equal_risk[:, 0]).max() < 1e-12
    assert drawn.equal_risk[:, 1] == pytest.approx(2 * drawn.theta[:, 0], abs=1e-12)


def test_the_same_seed_gives_the_same_paths_and_another_does_not() -> None:
    x = autoregressive(0, 300, 0.2)
    arrays = (x[:, None], np.column_stack((x, x)))
    one, again, other = (bootstrap(*arrays, paths=100, seed=seed).theta for seed in (0, 0, 1))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.parametrize("block", [1.0, 1.0001, 2.0, 20.3, 831.3, 90000.0])
def test_the_guide_gives_the_length_of_the_logarithm_bit_for_bit(block: float) -> None:
    """For random draws, for those beside each border of an entry, and for those on either side of each new length."""
    decay, n = decay_of(block), 10**9
    guide = guide_of(decay)
    borders = np.arange(GUIDES, dtype=np.uint64) << np.uint64(REST_BITS)
    near = np.arange(-3, 4).astype(np.uint64) << np.uint64(11)
    turns = -np.expm1(np.arange(1, 2000) * max(decay, -40.0))
    turned = (turns[turns < 1.0] * 2.0**53).astype(np.uint64) << np.uint64(11)
    random = np.random.PCG64(3).random_raw(20_000)
    draws = np.concatenate((random, (borders[:, None] + near).ravel(), (turned[:, None] + near).ravel()))
    units = (draws >> np.uint64(11)) * 2.0**-53
    expected = [1 + int(math.log(1.0 - unit) / decay) for unit in units.tolist()]
    assert [draw_block(draw, draw, n, n, decay, guide)[1] for draw in draws] == expected


def test_the_guide_settles_most_draws_and_leaves_the_rest_to_the_logarithm() -> None:
    guide = guide_of(decay_of(20.0))
    assert 0 < (guide < 0).sum() < GUIDES / 20
    assert guide[0] == 0
