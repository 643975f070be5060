"""Rewards against their formulas, written out once more by hand."""

import itertools
import math

import numpy as np
import pytest

from rl.config import RewardConfig
from rl.rewards import BarOutcome, DiffSharpe, Rewards, benchmark_returns


def outcome(equity: float, previous: float, **other: float) -> BarOutcome:
    values = {"drawdown": 0.0, "prev_drawdown": 0.0, "gross": 0.0, "traded": 0.0, "benchmark": 0.0, **other}
    return BarOutcome(np.array([equity]), np.array([previous]), **{key: np.array([v]) for key, v in values.items()})


def pay(bar: BarOutcome, **config: object) -> float:
    rewards = Rewards(RewardConfig(**config), 1, start_cash=100.0, periods_per_year=252.0)  # type: ignore[arg-type]
    return float(rewards.step(bar)[0][0])


def test_main_terms_on_paper() -> None:
    assert pay(outcome(102.0, 100.0)) == pytest.approx(100 * math.log(1.02))
    assert pay(outcome(0.0, 100.0), scale=1.0) == pytest.approx(math.log(0.01))
    assert pay(outcome(204.0, 200.0), mode="delta_nav", scale=1.0) == pytest.approx(0.04)
    relative = pay(outcome(102.0, 100.0, benchmark=0.03), mode="benchmark", scale=1.0)
    assert relative == pytest.approx(math.log(1.02) - math.log(1.03))


def test_penalties_on_paper() -> None:
    def penalty(bar: BarOutcome, **weight: float) -> float:
        return pay(bar, scale=1.0, **weight) - pay(bar, scale=1.0)

    assert penalty(outcome(95.0, 100.0, prev_drawdown=-0.1, drawdown=-0.145), w_drawdown=2.0) == pytest.approx(-0.09)
    assert penalty(outcome(95.0, 90.0, prev_drawdown=-0.1, drawdown=-0.05), w_drawdown=2.0) == pytest.approx(0.0)
    assert penalty(outcome(101.0, 100.0, traded=50.0), w_turnover=0.1) == pytest.approx(-0.05)
    assert penalty(outcome(98.0, 100.0), w_vol=3.0) == pytest.approx(-3 * 0.0004)
    assert penalty(outcome(101.0, 100.0, gross=1.3), w_leverage=2.0) == pytest.approx(-0.6)
    assert penalty(outcome(101.0, 100.0, gross=0.7), w_leverage=2.0) == pytest.approx(0.0)


@pytest.mark.parametrize("mode", ["log_nav", "delta_nav", "benchmark", "diff_sharpe"])
def test_terms_sum_to_the_reward(mode: str) -> None:
    chance = np.random.default_rng(3)
    config = RewardConfig(mode=mode, w_drawdown=0.3, w_turnover=0.2, w_vol=5.0, w_leverage=0.7)  # type: ignore[arg-type]
    rewards = Rewards(config, 7, start_cash=100.0, periods_per_year=252.0)
    for _ in range(40):
        draws = [chance.uniform(80, 120, 7) for _ in range(2)] + [-chance.random(7) for _ in range(2)]
        rest = [chance.uniform(0, 2, 7), chance.uniform(0, 200, 7), chance.normal(0, 0.02, 7)]
        total, terms = rewards.step(BarOutcome(*draws, *rest))
        assert np.allclose(total, sum(terms.values()), rtol=0, atol=1e-9) and total.dtype == np.float64


def test_differential_sharpe_is_the_slope_of_the_sharpe_ratio() -> None:
    """Moody and Saffell derive it as d/dη of A/√(B−A²) at η = 0; here that derivative is taken numerically."""
    returns = np.random.default_rng(5).normal(0.001, 0.01, 60)
    found = DiffSharpe(1, 252.0)
    for r in returns[:-1]:
        found.step(np.array([r]))
    a, b = found.state[0]

    def sharpe(eta: float) -> float:
        mean, square = a + eta * (returns[-1] - a), b + eta * (returns[-1] ** 2 - b)
        return float(mean / math.sqrt(square - mean * mean))

    slope = (sharpe(1e-7) - sharpe(-1e-7)) / 2e-7
    assert found.step(returns[-1:])[0] == pytest.approx(slope, rel=1e-5)


def test_differential_sharpe_waits_for_twenty_bars() -> None:
    found = DiffSharpe(1, 252.0)
    values = [found.step(np.array([r]))[0] for r in itertools.islice(itertools.cycle([0.01, -0.02]), 21)]

    assert values[:20] == [0.0] * 20 and values[20] != 0.0


def test_differential_sharpe_is_nought_without_variance() -> None:
    found = DiffSharpe(1, 252.0)

    assert all(found.step(np.array([0.0]))[0] == 0.0 for _ in range(40))


def test_a_reset_book_forgets_and_its_neighbour_does_not() -> None:
    rewards = Rewards(RewardConfig(mode="diff_sharpe"), 2, start_cash=100.0, periods_per_year=252.0)
    pair = BarOutcome(np.array([101.0, 101.0]), np.array([100.0, 100.0]), *(np.zeros(2) for _ in range(5)))
    rewards.step(pair)
    rewards.reset(np.array([0]))

    assert rewards.sharpe.state[0].tolist() == [0.0, 0.0] and rewards.sharpe.state[1, 0] == pytest.approx(0.01 / 252)


def test_benchmark_is_the_symbol_or_a_basket_bought_once() -> None:
    mark = np.array([[np.nan, 10.0], [50.0, 20.0], [100.0, 20.0], [100.0, 40.0]])

    assert benchmark_returns(mark, 1, 1).tolist() == [0.0, 1.0, 0.0, 1.0]
    assert benchmark_returns(mark, 1, None)[2:] == pytest.approx([0.5, 1 / 3])  # (2+1)/2, then (2+2)/2 over 1.5
