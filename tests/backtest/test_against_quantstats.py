"""The figures of a series against those of quantstats 0.0.86 (pandas 3.1.1) wherever the definitions agree.

quantstats is no dependency: its figures were made once from the series below, on the business days from 2010-01-04 on,
with `periods=252`, and stand here as it gave them.
"""

import math
import random
from statistics import NormalDist

import numpy as np
import pytest

from backtest.series import RELATIVE_KEYS, SERIES_KEYS, relative_figures, series_figures

N, P = 2520, 252.0

# ours: quantstats.stats.<function>(returns, ...)
SERIES = {
    "total_return": 2.656699315375403,  # comp
    "cagr": 0.13843679780235552,  # cagr
    "volatility": 0.15789068728357125,  # volatility
    "sharpe": 0.9002321294617218,  # sharpe
    "sortino": 1.3438687485318643,  # sortino
    "max_drawdown": -0.37596283866378755,  # max_drawdown
    "calmar": 0.3682193652286881,  # calmar
}
ABOVE_TWO_PERCENT = {"sharpe": 0.774807345259188, "sortino": 1.1491107072003128}  # rf=0.02, a year
RELATIVE = {"beta": 0.6768915008946486, "alpha": 0.07058915483394329}  # greeks
INFORMATION = 0.017153325592662954  # information_ratio: not scaled to a year
ULCER = 0.1350603184485921  # ulcer_index: divides by N - 1
SKEW, KURTOSIS = 0.06617549691894452, -0.036398037234366354  # skew, kurtosis: corrected for bias


def normals(seed: int) -> np.ndarray:
    source, normal = random.Random(seed), NormalDist()
    return np.array([normal.inv_cdf(source.random()) for _ in range(N)])


@pytest.fixture(scope="module")
def benchmark() -> np.ndarray:
    return 0.0003 + 0.009 * normals(12)


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    return 0.0004 + 0.006 * normals(12) + 0.008 * normals(11)


def series(returns: np.ndarray, rf: float = 0.0) -> dict[str, float]:
    equity = np.concatenate(([1.0], np.cumprod(1 + returns)))
    return dict(zip(SERIES_KEYS, series_figures(equity, returns, np.full(N, rf), P), strict=True))


def test_figures_of_the_series(returns: np.ndarray) -> None:
    found = series(returns)
    assert {key: found[key] for key in SERIES} == pytest.approx(SERIES, rel=1e-12)


def test_above_a_riskless_rate(returns: np.ndarray) -> None:
    found = series(returns, rf=1.02 ** (1 / P) - 1)
    assert {key: found[key] for key in ABOVE_TWO_PERCENT} == pytest.approx(ABOVE_TWO_PERCENT, rel=1e-12)


def test_beside_a_benchmark(returns: np.ndarray, benchmark: np.ndarray) -> None:
    found = dict(zip(RELATIVE_KEYS, relative_figures(returns, benchmark, np.zeros(N), P), strict=True))
    assert {key: found[key] for key in RELATIVE} == pytest.approx(RELATIVE, rel=1e-12)
    assert found["information_ratio"] == pytest.approx(INFORMATION * math.sqrt(P), rel=1e-12)


def test_where_only_the_divisor_differs(returns: np.ndarray) -> None:
    found = series(returns)
    assert found["ulcer"] * math.sqrt(N / (N - 1)) == pytest.approx(ULCER, rel=1e-12)
    assert found["skew"] * math.sqrt(N * (N - 1)) / (N - 2) == pytest.approx(SKEW, rel=1e-9)
    corrected = (N - 1) / ((N - 2) * (N - 3)) * ((N + 1) * found["kurtosis"] + 6)
    assert corrected == pytest.approx(KURTOSIS, rel=1e-9)
