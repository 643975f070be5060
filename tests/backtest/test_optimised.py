"""Optimised baselines: closed forms, optimality conditions, the past only, and what is told when an optimiser fails."""

from typing import Any

import numpy as np
import pytest

from backtest import optimised
from backtest.config import BacktestConfig
from backtest.optimised import HierarchicalRiskParity, MinVariance, Optimised, RiskParity
from backtest.registry import load
from marketdata.bars import Bars
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars, random_bars

KEYS = ("min_variance", "risk_parity", "hrp")
EXACT = {"min_variance": 1e-5, "risk_parity": 2e-5, "hrp": 1e-9}  # of a weight; the solver's own, the tree has none


def config(**groups: Any) -> BacktestConfig:
    return BacktestConfig(policy="equal", **groups)


def market_of(bars: Bars) -> Market:
    return prepare_market(bars, config())


def drawn(covariance: Any, count: int = 252, seed: int = 0) -> np.ndarray:
    """(count, K) returns whose sample covariance is exactly this one, up to rounding."""
    want = np.asarray(covariance, dtype=float)
    raw = np.random.default_rng(seed).normal(size=(count, len(want)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    return white @ np.linalg.cholesky(want).T


def two(s1: float, s2: float, rho: float) -> np.ndarray:
    return np.array([[s1**2, rho * s1 * s2], [rho * s1 * s2, s2**2]])


@pytest.mark.parametrize(
    ("s1", "s2", "rho"), [(0.01, 0.02, 0.0), (0.01, 0.02, 0.4), (0.015, 0.01, -0.5), (0.01, 0.03, 0.9)]
)
def test_two_assets_in_closed_form(s1: float, s2: float, rho: float) -> None:
    returns = drawn(two(s1, s2, rho))
    least = (s2**2 - rho * s1 * s2) / (s1**2 + s2**2 - 2 * rho * s1 * s2)
    closed = {
        "min_variance": min(max(least, 0.0), 1.0),
        "risk_parity": s2 / (s1 + s2),  # whatever the correlation
        "hrp": s2**2 / (s1**2 + s2**2),
    }
    for key, first in closed.items():
        found = load(key)(config()).optimise(returns)
        np.testing.assert_allclose(found, [first, 1 - first], atol=EXACT[key], err_msg=key)


def some_covariance(count: int, seed: int, common: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    load_on = rng.uniform(0.5, 1.5, (count, 1)) * common
    return load_on @ load_on.T + np.diag(rng.uniform(0.008, 0.02, count) ** 2)


def test_least_variance_is_the_inverse_covariance_where_it_is_long_only_anyway() -> None:
    covariance = some_covariance(8, 3, 0.002)
    closed = np.linalg.solve(covariance, np.ones(8))
    closed /= closed.sum()
    assert closed.min() > 0
    np.testing.assert_allclose(MinVariance(config()).optimise(drawn(covariance)), closed, atol=EXACT["min_variance"])


def check_optimal(weights: np.ndarray, covariance: np.ndarray) -> None:
    """Karush, Kuhn, Tucker: all held assets have the gradient w'Sw, no other a smaller one."""
    gradient = covariance @ weights
    variance = weights @ gradient
    assert weights.min() > -1e-7 and weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(gradient[weights > 1e-3], variance, rtol=1e-4)
    assert gradient.min() > variance * (1 - 1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_least_variance_meets_the_conditions_where_assets_are_left_at_zero(seed: int) -> None:
    covariance = some_covariance(12, seed, 0.02)
    weights = MinVariance(config()).optimise(drawn(covariance))
    assert (weights < 1e-5).any()
    check_optimal(weights, covariance)


@pytest.mark.parametrize("seed", range(4))
def test_risk_parity_spreads_variance_evenly(seed: int) -> None:
    covariance = some_covariance(6, seed, 0.01)
    weights = RiskParity(config()).optimise(drawn(covariance))
    parts = weights * (covariance @ weights)
    np.testing.assert_allclose(parts / parts.sum(), 1 / 6, atol=2e-5)


def test_the_tree_keeps_twins_together() -> None:
    """Two pairs of near twins with equal deviations: each pair gets half, each twin a quarter."""
    pair = np.array([[1.0, 0.95], [0.95, 1.0]])
    covariance = 1e-4 * np.block([[pair, np.zeros((2, 2))], [np.zeros((2, 2)), pair]])
    np.testing.assert_allclose(HierarchicalRiskParity(config()).optimise(drawn(covariance)), 0.25, atol=1e-3)


def test_many_assets_are_solved_in_parts_and_optimal_as_a_whole() -> None:
    rng = np.random.default_rng(5)
    returns = rng.normal(0, 0.01, (252, 240)) * rng.uniform(0.5, 2, 240) + rng.normal(0, 0.01, (252, 1))
    check_optimal(optimised.least_variance(returns), np.cov(returns.T))


@pytest.mark.slow
def test_a_thousand_assets_are_optimal_too_and_quick() -> None:
    rng = np.random.default_rng(5)
    returns = rng.normal(0, 0.01, (252, 1000)) * rng.uniform(0.5, 2, 1000) + rng.normal(0, 0.01, (252, 1))
    check_optimal(optimised.least_variance(returns), np.cov(returns.T))


@pytest.mark.parametrize("scale", [1e-6, 1e-4, 1e-2, 10.0])
@pytest.mark.parametrize("key", KEYS)
def test_the_scale_of_returns_is_all_one(key: str, scale: float) -> None:
    """A minute moves a hundredth of what a day does; the solver's tolerances must not notice."""
    returns = drawn(some_covariance(8, 2, 0.01))
    baseline = load(key)(config())
    np.testing.assert_allclose(baseline.optimise(returns * scale), baseline.optimise(returns), atol=EXACT[key])


def test_twins_share_what_one_of_them_would_have() -> None:
    returns = drawn(some_covariance(5, 1, 0.005))
    alone = MinVariance(config()).optimise(returns)
    answer = optimised.answered(np.column_stack((returns, returns[:, 0])), MinVariance(config()).optimise)
    assert answer.weights is not None and answer.repaired
    assert answer.weights[0] + answer.weights[5] == pytest.approx(alone[0], abs=1e-4)
    np.testing.assert_allclose(answer.weights[1:5], alone[1:], atol=1e-4)


def shares(key: str, bars: Bars, t: int) -> np.ndarray:
    return load(key)(config()).shares_of(market_of(bars), t)


@pytest.mark.parametrize("key", KEYS)
def test_they_read_the_last_252_returns(key: str) -> None:
    bars = random_bars(4, 300, 4)
    close = bars.close
    returns = close[28:280] / close[27:279] - 1
    raw = load(key)(config()).optimise(returns)
    np.testing.assert_allclose(shares(key, bars, 279), raw, atol=2e-5)
    before = close.copy()
    before[:27] *= np.random.default_rng(1).uniform(0.5, 2, before[:27].shape)
    assert (shares(key, make_bars(before), 279) == shares(key, make_bars(close), 279)).all()


@pytest.mark.parametrize("key", KEYS)
def test_the_same_bits_each_time(key: str) -> None:
    bars = random_bars(9, 300, 6)
    one = shares(key, bars, 290)
    optimised._answers.clear()
    assert (shares(key, bars, 290) == one).all()
    assert one.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("key", KEYS)
def test_late_starters_and_what_does_not_move_are_left_out(key: str) -> None:
    close = random_bars(2, 320, 5).close.copy()
    close[:60, 1] = np.nan  # starts 240 bars before the decision
    close[:, 2] = 7.0
    close[300, 3] = np.nan  # halted at the decision
    found = shares(key, make_bars(close), 300)
    assert found[[1, 2, 3]].tolist() == [0, 0, 0] and found[[0, 4]].min() > 0 and found.sum() == pytest.approx(1)


@pytest.mark.parametrize("key", KEYS)
def test_too_short_a_past_one_asset_and_constant_prices(key: str) -> None:
    bars = random_bars(2, 320, 3)
    assert shares(key, bars, 251) == pytest.approx([1 / 3] * 3)
    assert shares(key, random_bars(2, 320, 1), 300) == pytest.approx([1.0])
    assert shares(key, make_bars(np.full((320, 2), 5.0)), 300) == pytest.approx([0.5, 0.5])


class Failing(Optimised):
    key = "failing"

    def optimise(self, returns: np.ndarray) -> np.ndarray:
        raise np.linalg.LinAlgError("singular")


class Nowhere(Optimised):
    key = "nowhere"

    def optimise(self, returns: np.ndarray) -> np.ndarray:
        return np.full(returns.shape[1], np.nan)


@pytest.mark.parametrize("kind", [Failing, Nowhere])
def test_a_failure_takes_equal_weights_and_is_counted_and_told(kind: Any) -> None:
    close = random_bars(2, 340, 4).close.copy()
    close[:100, 1] = np.nan
    baseline = kind(config())
    decisions = baseline.decisions(market_of(make_bars(close)), 280, 339)
    np.testing.assert_allclose(decisions.targets, [[1 / 3, 0, 1 / 3, 1 / 3]] * len(decisions.bars))
    count = len(decisions.bars)
    assert baseline.notes() == [f"the optimiser failed at {count} of {count} decisions, which took equal weights"]


def test_a_repaired_covariance_is_told() -> None:
    twin = random_bars(2, 300, 2).close
    baseline = load("risk_parity")(config())
    baseline.shares_of(market_of(make_bars(np.column_stack((twin, twin)))), 290)
    assert baseline.notes() == ["the covariance was not positive definite at 1 of 1 decisions and was repaired"]


def test_a_window_is_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep of costs asks the same of another market object and another strategy."""
    bars, asked = random_bars(11, 300, 3), []
    monkeypatch.setattr(MinVariance, "optimise", lambda self, returns: asked.append(1) or np.full(3, 1 / 3))
    for multiplier in (0.0, 1.0, 5.0):
        market = prepare_market(bars, config(), cost_multiplier=multiplier)
        load("min_variance")(config()).shares_of(market, 290)
    assert len(asked) == 1
