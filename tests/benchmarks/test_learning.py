"""R6: which of stock's settings is its best, to which level both are held, and a small one of each side."""

import math

import numpy as np
import pytest

from benchmarks.learning import R6, figure_of, reached, time_to
from benchmarks.learning_process import SETUP, Asked, run
from benchmarks.run import LONG, MODULES, chosen

FAST = [[1.0, 10, 0.2], [2.0, 20, 0.51]]
SLOW = [[5.0, 10, 0.49], [9.0, 20, 0.6]]
FLAT = [[1.0, 10, 0.1], [2.0, 20, 0.37], [3.0, 30, 0.2]]


def test_the_level_is_the_highest_step_that_every_seed_reaches() -> None:
    assert reached([FAST, SLOW], 0.5) == 0.5
    assert reached([FAST, FLAT], 0.5) == pytest.approx(0.35)
    assert reached([FAST, [[1.0, 10, -0.2]]], 0.5) <= 0
    assert reached([[[1.0, 10, 0.15]]], 0.5) == pytest.approx(0.15)


def test_the_time_is_the_median_of_the_first_looks_that_reach_it() -> None:
    assert time_to([FAST, SLOW, FLAT], 0.35) == 2.0
    assert time_to([FAST, SLOW], 0.5) == 5.5
    assert math.isinf(time_to([FAST, FLAT], 0.5))


def test_stock_is_taken_at_its_best() -> None:
    stock = {(64, 1e-3): [SLOW, SLOW], (512, 1e-3): [FLAT, FAST], (2048, 3e-4): [[[20.0, 9, 0.5]], SLOW]}
    found = figure_of([FAST, FAST], stock, 0.5, {})
    assert (found.ours, found.reference, found.ratio, found.met) == (2.0, 9.0, 4.5, False)
    both_low = figure_of([FAST, SLOW], {(64, 1e-3): [FLAT, FLAT]}, 0.5, {})
    assert (both_low.ours, both_low.reference) == (3.5, 2.0)


@pytest.mark.parametrize(("ours", "stock"), [([FLAT], [FAST]), ([FAST], [[[1.0, 9, 0.01]]])])
def test_what_cannot_be_compared_is_void(ours: list[list[list[float]]], stock: list[list[list[float]]]) -> None:
    found = figure_of(ours, {(64, 1e-3): stock}, 0.5, {})
    assert not found.equal and found.ours is None and not found.met


def test_it_is_run_only_where_it_is_named() -> None:
    assert {"R6"} == LONG and chosen("R6") == ["R6"] and MODULES["R6"] == "learning"
    assert R6.goal.value == 8 and (SETUP.n_assets, SETUP.lookback, SETUP.n_noise) == (20, 64, 4)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["ours", "stock"])
def test_each_side_learns_on_the_same_market(side: str) -> None:
    found = run(
        Asked(side, k=0, batch=2_048, learning_rate=1e-3, steps=8_192, target=0.5, look_every=4_096, train_bars=600)
    )
    curve = np.array(found["curve"])
    assert found["differences"] == [] and curve[:, 1].tolist() == [4_096, 8_192]
    assert (np.diff(curve[:, 0], prepend=0) > 0).all() and (abs(curve[:, 2]) < 0.3).all()
