"""Figures of a return series: closed forms in numpy (empyrical's definitions where they agree) and tables by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.series import (
    RELATIVE_KEYS,
    SERIES_KEYS,
    kth_smallest,
    newey_west,
    relative_figures,
    series_figures,
    simple_returns,
    weight_figures,
)

P = 252.0
YEAR = math.sqrt(P)


def figures(equity: list[float] | np.ndarray, rf: float = 0.0) -> dict[str, float]:
    value = np.array(equity, dtype=np.float64)
    returns = simple_returns(value)
    return dict(zip(SERIES_KEYS, series_figures(value, returns, np.full(len(returns), rf), P), strict=True))


def relative(returns: np.ndarray, benchmark: np.ndarray, rf: float = 0.0) -> dict[str, float]:
    return dict(zip(RELATIVE_KEYS, relative_figures(returns, benchmark, np.full(len(returns), rf), P), strict=True))


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """Ten years of fat-tailed daily returns."""
    rng = np.random.default_rng(7)
    return 0.0004 + 0.011 * rng.standard_t(5, 2520) / math.sqrt(5 / 3)


def test_ten_years_agree_with_the_formulas_in_numpy(walk: np.ndarray) -> None:
    rf = 0.0001
    equity = np.concatenate(([100.0], 100 * np.cumprod(1 + walk)))
    found = figures(equity, rf)
    x, z = walk - rf, walk - walk.mean()
    fall = equity / np.maximum.accumulate(equity) - 1
    cut = np.quantile(walk, 0.05)
    expected = {
        "total_return": equity[-1] / 100 - 1,
        "cagr": (equity[-1] / 100) ** (252 / 2520) - 1,
        "volatility": walk.std(ddof=1) * YEAR,
        "sharpe": x.mean() / x.std(ddof=1) * YEAR,
        "sortino": x.mean() / math.sqrt((np.minimum(x, 0) ** 2).mean()) * YEAR,
        "max_drawdown": fall.min(),
        "calmar": ((equity[-1] / 100) ** 0.1 - 1) / -fall.min(),
        "ulcer": math.sqrt((fall[1:] ** 2).mean()),
        "var_95": cut,
        "cvar_95": walk[walk <= cut].mean(),
        "skew": (z**3).mean() / (z**2).mean() ** 1.5,
        "kurtosis": (z**4).mean() / (z**2).mean() ** 2 - 3,
        "rho1": (z[1:] * z[:-1]).sum() / (z**2).sum(),
    }
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=1e-10), key


def test_three_bars_on_paper() -> None:
    """100, 110, 99, 99: returns +10 %, −10 %, 0; the fall from 110 stays."""
    found = figures([100, 110, 99, 99])
    assert found["total_return"] == pytest.approx(-0.01)
    assert found["max_drawdown"] == pytest.approx(-0.1)
    assert found["ulcer"] == pytest.approx(math.sqrt((0 + 0.01 + 0.01) / 3))
    assert found["volatility"] == pytest.approx(0.1 * YEAR)
    assert found["sortino"] == pytest.approx(0.0, abs=1e-12)


def test_the_first_bars_loss_is_a_drawdown_from_the_start() -> None:
    assert figures([100, 80, 90])["max_drawdown"] == pytest.approx(-0.2)


def test_cash_has_no_ratio_and_no_infinity() -> None:
    found = figures([100.0] * 10)
    for key in ("sharpe", "sortino", "calmar", "skew", "kurtosis", "rho1", "psr", "psr_hac"):
        assert math.isnan(found[key]), key
    assert (found["total_return"], found["volatility"], found["max_drawdown"]) == (0, 0, 0)


def test_without_a_loss_sortino_is_undefined_and_sharpe_is_not() -> None:
    found = figures([100, 101, 103])
    assert math.isnan(found["sortino"]) and found["sharpe"] > 0


def test_one_bar_has_no_volatility() -> None:
    assert math.isnan(figures([100, 101])["volatility"])


def test_ruin_costs_all_and_no_more() -> None:
    """Equity below zero: total return and CAGR end at −1, later bars return 0; the drawdown is not floored."""
    found = figures([100, 50, -10, -10, -10])
    assert simple_returns(np.array([100.0, 50, -10, -10, -10])).tolist() == [-0.5, -1, 0, 0]
    assert (found["total_return"], found["cagr"]) == (-1, -1)
    assert found["max_drawdown"] == pytest.approx(-1.1)


def test_psr_is_the_textbook_formula(walk: np.ndarray) -> None:
    """Phi((SR - 0) sqrt(n-1) / sqrt(1 - g3 SR + (g4 - 1)/4 SR²)), Bailey and Lopez de Prado."""
    found = figures(np.concatenate(([1.0], np.cumprod(1 + walk))))
    z = (walk - walk.mean()) / walk.std()
    ratio = walk.mean() / walk.std(ddof=1)
    variance = 1 - (z**3).mean() * ratio + ((z**4).mean() - 1) / 4 * ratio**2
    expected = 0.5 * (1 + math.erf(ratio * math.sqrt(2519 / variance) / math.sqrt(2)))
    assert found["psr"] == pytest.approx(expected, rel=1e-9)
    assert abs(found["psr_hac"] - 0.5) <= abs(found["psr"] - 0.5)


def test_newey_west_is_the_double_sum_it_stands_for() -> None:
    x = np.random.default_rng(3).standard_normal(157).cumsum()
    lags = int(4 * (157 / 100) ** (2 / 9))
    d = x - x.mean()
    total = sum(
        (1 - abs(i - j) / (lags + 1)) * d[i] * d[j] for i in range(157) for j in range(157) if abs(i - j) <= lags
    )
    assert newey_west(x) == pytest.approx(total / 157, rel=1e-10)


def test_beta_and_alpha_are_those_of_a_regression(walk: np.ndarray) -> None:
    benchmark = np.random.default_rng(9).normal(3e-4, 0.01, len(walk))
    own = 0.7 * benchmark + 0.2 * walk + 1e-4
    found = relative(own, benchmark, rf=5e-5)
    slope, level = np.polyfit(benchmark - 5e-5, own - 5e-5, 1)
    assert found["beta"] == pytest.approx(slope)
    assert found["alpha"] == pytest.approx(level * P)
    active = own - benchmark
    assert found["information_ratio"] == pytest.approx(active.mean() / active.std(ddof=1) * YEAR)


def test_the_benchmark_against_itself() -> None:
    x = np.array([0.01, -0.02, 0.03, 0.0])
    found = relative(x, x)
    assert found["beta"] == pytest.approx(1) and found["alpha"] == pytest.approx(0, abs=1e-12)
    assert math.isnan(found["information_ratio"])
    assert (found["up_capture"], found["down_capture"]) == pytest.approx((1, 1))


def test_capture_is_of_geometric_means() -> None:
    """On rising bars (+10 %, +20 %) the strategy makes +5 %, +10 %: (1.05·1.10)^½ − 1 over (1.1·1.2)^½ − 1."""
    benchmark, own = np.array([0.1, -0.1, 0.2, -0.2]), np.array([0.05, 0.0, 0.1, -0.1])
    found = relative(own, benchmark)
    assert found["up_capture"] == pytest.approx((math.sqrt(1.155) - 1) / (math.sqrt(1.32) - 1))
    assert found["down_capture"] == pytest.approx((math.sqrt(0.9) - 1) / (math.sqrt(0.72) - 1))


def test_nothing_is_known_against_a_benchmark_that_stands_still() -> None:
    found = relative(np.array([0.01, -0.01, 0.02]), np.zeros(3))
    assert all(math.isnan(found[key]) for key in ("alpha", "beta", "up_capture", "down_capture"))


def test_exposure_and_concentration_by_hand() -> None:
    """Half long A and half short B, all in A, nothing: HHI is of bars with a position only."""
    exposure, gross, net, hhi = weight_figures(np.array([[0.5, -0.5], [1.0, 0.0], [0.0, 0.0]]))
    assert (exposure, gross, net, hhi) == pytest.approx((2 / 3, 2 / 3, 1 / 3, 0.75))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60), st.data())
def test_kth_smallest_is_the_sorted_one(values: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(values) - 1))
    work = np.array(values, dtype=np.float64)
    assert kth_smallest(work, k) == sorted(values)[k]
    assert work[:k].max(initial=-9) <= work[k] and sorted(work) == sorted(values)
