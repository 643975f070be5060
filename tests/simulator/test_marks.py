"""Marks and gaps of a market with missing bars: equal to their definition, bar by bar."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from simulator.marks import marks_and_gaps

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 4))


@settings(deadline=None)  # the first call may compile
@given(st.data(), SHAPES)
def test_equal_to_their_definition(data: st.DataObject, shape: tuple[int, int]) -> None:
    has_bar = data.draw(arrays(np.bool_, shape))
    close = np.where(has_bar, data.draw(arrays(np.float64, shape, elements=st.floats(0.5, 500.0))), np.nan)
    splits = data.draw(arrays(np.float64, shape, elements=st.sampled_from([0.1, 0.5, 1.0, 1.0, 1.0, 2.0, 3.0])))
    growth = data.draw(st.sampled_from([None, np.cumprod(splits, axis=0)]))

    mark, last_gap = marks_and_gaps(close, has_bar, growth)

    for t in range(shape[0]):
        for a in range(shape[1]):
            bars = [s for s in range(t + 1) if has_bar[s, a]]
            gaps = [s for s in range(t + 1) if not has_bar[s, a]]
            assert last_gap[t, a] == max(gaps, default=-1)
            if not bars:
                assert math.isnan(mark[t, a])
                continue
            since = 1.0 if growth is None else math.prod(splits[bars[-1] + 1 : t + 1, a])
            assert math.isclose(mark[t, a], close[bars[-1], a] / since, rel_tol=1e-12)


def test_of_three_bars_on_paper() -> None:
    """A: 10, missing, 30. B: missing, 8, then a split of two new shares for an old one and no bar: worth 4 each."""
    close = np.array([[10.0, np.nan], [np.nan, 8.0], [30.0, np.nan]])
    growth = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 2.0]])
    mark, last_gap = marks_and_gaps(close, np.isfinite(close), growth)
    np.testing.assert_array_equal(mark, [[10.0, np.nan], [10.0, 8.0], [30.0, 4.0]])
    np.testing.assert_array_equal(last_gap, [[-1, 0], [1, 0], [1, 2]])
