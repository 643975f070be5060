"""The quantiles are numpy's, to the bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtest.quantiles import quantiles

SHARES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=st.floats(-1e9, 1e9)), SHARES)
def test_they_are_numpys(values: np.ndarray, shares: list[float]) -> None:
    assert np.array_equal(quantiles(values, shares), np.quantile(values, shares, axis=0))


def test_a_column_with_nan_has_none() -> None:
    values = np.array([[1.0, 2.0], [np.nan, 3.0], [5.0, 4.0]])
    assert np.array_equal(quantiles(values, [0.0, 0.5]), [[np.nan, 2.0], [np.nan, 3.0]], equal_nan=True)
