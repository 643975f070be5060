"""e^x by multiplication and addition alone, against the library's."""

import math

import numpy as np

from simulator.exponential import exponential


def test_it_is_the_exponential_over_the_range_of_logits() -> None:
    points = np.linspace(-50.0, 50.0, 2001)
    found = np.array([exponential(x) for x in points])
    np.testing.assert_allclose(found, np.exp(points), rtol=1e-13)


def test_zero_gives_exactly_one() -> None:
    assert exponential(0.0) == 1.0
    assert math.isclose(exponential(1.0), math.e, rel_tol=1e-13)
