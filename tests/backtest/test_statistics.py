"""Luck, excess over several baselines at once, and what the test could have shown."""

import math

import numpy as np
import pytest

from backtest.statistics import compare, deflated_sharpe, log_excess, luck_threshold
from tests.backtest.test_series import figures

P = 252.0


def test_one_trial_needs_no_deflation() -> None:
    x = np.random.default_rng(0).normal(5e-4, 0.01, 400)
    assert luck_threshold(1, 400) == 0
    equity = np.concatenate(([1.0], np.cumprod(1 + x)))
    assert deflated_sharpe(x, 1) == pytest.approx(figures(equity)["psr_hac"], rel=1e-9)


def test_the_threshold_is_the_best_of_so_many_worthless_trials() -> None:
    """Mean of the largest of k standard normals, simulated, over root n."""
    for trials, tolerance in ((10, 0.03), (100, 0.03), (1000, 0.02)):
        best = np.random.default_rng(1).standard_normal((4000, trials)).max(axis=1).mean()
        assert luck_threshold(trials, 252) * math.sqrt(252) == pytest.approx(best, rel=tolerance)


def test_more_trials_are_more_sceptical() -> None:
    x = np.random.default_rng(0).normal(8e-4, 0.01, 600)
    values = [deflated_sharpe(x, trials) for trials in (1, 2, 10, 1000)]
    assert values == sorted(values, key=lambda value: -float(value or 0))


def test_no_variance_no_probability() -> None:
    assert deflated_sharpe(np.zeros(100), 5) is None


def test_log_excess_floors_a_total_loss() -> None:
    assert log_excess(np.array([-1.0]), np.array([[0.0]]))[0, 0] == pytest.approx(math.log(1e-4))


def market(seed: int, n: int, baselines: int, edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Subject and baselines around a common factor; the subject has `edge` a bar above all of them."""
    rng = np.random.default_rng(seed)
    common = rng.normal(3e-4, 0.01, n)
    others = common[:, None] + rng.normal(0, 0.003, (n, baselines))
    return common + rng.normal(edge, 0.003, n), others


def test_excess_is_the_difference_of_growth_a_year() -> None:
    own, others = market(0, 500, 3, 1e-3)
    found = compare(own, others, np.zeros(500), periods=P, paths=1000, seed=0, trials=1)
    growth = np.log1p(own).mean() * P
    assert found.theta == pytest.approx(growth - np.log1p(others).mean(axis=0) * P)
    assert found.theta[found.best] == found.theta.min()
    assert found.least_low == found.low.min() and found.least_upper == found.upper.min()
    assert (found.low < found.theta).all() and (found.theta < found.high).all() and (found.high <= found.upper).all()
    assert found.power == pytest.approx(2.8 * found.error[found.best])


def test_a_true_edge_is_found_and_a_handicap_too() -> None:
    good = compare(*market(1, 1000, 4, 2e-3), np.zeros(1000), periods=P, paths=1000, seed=0, trials=1)
    bad = compare(*market(1, 1000, 4, -2e-3), np.zeros(1000), periods=P, paths=1000, seed=0, trials=1)
    assert good.least_low > 0 and good.p.max() < 0.01 and (good.least_dsr or 0) > 0.99
    assert bad.least_upper < 0 and bad.p.min() > 0.99


def test_without_an_edge_tied_baselines_are_beaten_in_few_cases() -> None:
    """An intersection-union test: with four tied baselines and no edge the lower limit is above 0 in under 2.5 %."""
    beaten = wrong = 0
    for seed in range(200):
        found = compare(*market(seed, 250, 4, 0.0), np.zeros(250), periods=P, paths=300, seed=0, trials=1)
        beaten += found.least_low > 0
        wrong += found.least_upper < 0
    assert beaten <= 5
    assert wrong <= 14  # 2.5 % at most when the true least excess is 0, 0.05 allowed for 200 draws of a percentile


def test_leverage_is_no_skill_at_equal_risk() -> None:
    """Twice the baseline in a rising market: growth is larger, the equal-risk excess is nothing."""
    base = np.random.default_rng(3).normal(1e-3, 0.008, 800)
    found = compare(2 * base, base[:, None], np.zeros(800), periods=P, paths=500, seed=0, trials=1)
    assert found.theta[0] > 0.1
    assert abs(found.equal_risk[0]) < 1e-12
