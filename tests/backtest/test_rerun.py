"""Everything again at other costs and with more money: against markets prepared so, and a break-even on paper."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from backtest.baselines import Baseline
from backtest.config import BacktestConfig
from backtest.contest import Contest
from backtest.rerun import Reruns, Sweep, why_no_capacity
from backtest.runner import returns_of
from marketdata.bars import Bars
from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import Market, at_cost, prepare_market
from simulator.rules import make_rules
from tests.simulator.markets import make_bars, random_bars

N = 120


def trending(slope: float = 0.002) -> np.ndarray:
    """(N+1, 2) closes: one that rises on even bars and falls a little on odd ones, and one that stands still."""
    steps = np.where(np.arange(N) % 2 == 0, slope, -slope / 2)
    return np.column_stack((10 * np.exp(np.concatenate(([0.0], np.cumsum(steps)))), np.full(N + 1, 10.0)))


class Timer(Baseline):
    """In the first asset for each bar on which it rises, in cash for the others: knows the future, pays each time."""

    key = "equal"  # stands in the registry's place of a baseline that is judged

    def bars(self, market: Market, t0: int, t1: int) -> np.ndarray:
        return np.arange(t0, t1)

    def shares_of(self, market: Market, t: int) -> np.ndarray:
        return np.array([float(t % 2 == 0), 0.0])


class Looking(Timer):
    """The same, decided bar by bar from its book."""

    layers = "mandate"

    def decisions(self, market: Market, t0: int, t1: int) -> None:  # type: ignore[override]
        self.started = getattr(self, "started", 0) + 1

    def decide(self, t: int, session: BookSession) -> np.ndarray:  # type: ignore[override]
        return np.array([float(t % 2 == 0), 0.0])


def reruns(closes: np.ndarray, subject: type[Baseline] = Timer, **changes: Any) -> tuple[Reruns, Market, Contest]:
    config = BacktestConfig.model_validate({
        "policy": "equal", "fees": {"taker_bps": 1.0},
        "exec": {"half_spread_bps": 2.0, "fill": "next_close"}, "evaluation": {"baselines": ["cash"]}, **changes,
    })  # fmt: skip
    market = prepare_market(make_bars(closes), config)
    contest, span = Contest(config, subject(config)), Range(0, N)
    judged = contest.judge(market, span, nothing)
    rf = next(one.returns for one in judged if one.key == "cash")
    return Reruns(contest, market, span, ("cash",), rf, {one.key: one.ledger for one in judged}), market, contest


def with_extremes(bars: Bars) -> Bars:
    high, low = (np.maximum, np.minimum)
    return dataclasses.replace(bars, high=1.01 * high(bars.open, bars.close), low=0.99 * low(bars.open, bars.close))


def nothing() -> None:
    pass


def swept(closes: np.ndarray, multipliers: tuple[float, ...] = (0.0, 1.0, 2.0, 5.0), **changes: Any) -> Sweep:
    return reruns(closes, **changes)[0].sweep(multipliers, nothing)


def shifted(slope: float) -> np.ndarray:
    """As `trending`, but the rise comes one bar later, so that a fill at the next close catches it."""
    return np.concatenate((trending(slope)[:1], trending(slope)[:-1]))


@pytest.mark.parametrize("more", [{}, {"spread_source": "high_low"}])
@pytest.mark.parametrize("fees", [{}, {"regulatory_sell_fees": True}])
def test_a_multiple_of_costs_is_the_market_prepared_with_it(more: dict[str, Any], fees: dict[str, Any]) -> None:
    config = SimulatorConfig.model_validate({"exec": more, "fees": fees})
    market = prepare_market(with_extremes(random_bars(5, 80, 3)), config)
    for times in (0.0, 2.0):
        prepared = prepare_market(market.bars, config, cost_multiplier=times)
        changed = at_cost(market, config, times)
        for field in dataclasses.fields(Market):
            one, other = getattr(prepared, field.name), getattr(changed, field.name)
            if field.name in ("arrays", "extra"):
                assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))
            elif field.name not in ("bars", "month_end"):
                assert one == other, field.name


def test_rows_are_what_a_run_at_these_costs_gives() -> None:
    found, market, contest = reruns(shifted(0.01))
    for row in found.sweep((0.0, 1.0, 3.0), nothing).rows:
        config = contest.config.model_copy(update={
            "fees": contest.config.fees.model_copy(update={"taker_bps": 1.0 * row.multiplier}),
            "exec": contest.config.exec.model_copy(update={"half_spread_bps": 2.0 * row.multiplier}),
        })  # fmt: skip
        ledger = Contest(config, Timer(config)).again(prepare_market(market.bars, config), config, Range(0, N))["equal"]
        own = row.strategies[0]
        assert own.strategy == "equal" and own.total_return == pytest.approx(ledger.equity[-1] / ledger.equity[0] - 1)
        theta = np.log1p(returns_of(ledger)).mean() * 252
        assert row.excess_per_year == pytest.approx(math.expm1(theta)) and row.baseline == "cash"
        assert own.cost_bps == pytest.approx(3.0 * row.multiplier, rel=1e-3)


def test_break_even_is_where_the_excess_over_cash_reaches_zero() -> None:
    """Each trip gains a factor e^0.01 and pays 3 bps twice: nothing is left at 16.7 times the costs."""
    found = swept(shifted(0.01)).break_even
    assert found is not None and found.status == "found"
    assert found.multiplier == pytest.approx(0.01 / 6e-4, rel=0.02)
    assert found.cost_bps == pytest.approx(3 * found.multiplier, rel=0.01)


def test_no_edge_without_costs_has_no_break_even() -> None:
    found = swept(np.full((N + 1, 2), 10.0)).break_even
    assert found is not None and (found.status, found.multiplier) == ("none", None)


def test_an_edge_beyond_twenty_times_the_costs_is_told_so() -> None:
    found = swept(shifted(0.05)).break_even
    assert found is not None and (found.status, found.multiplier) == ("beyond", None)


def test_without_costs_there_is_nothing_to_break() -> None:
    free = {"fees": {"taker_bps": 0.0}, "exec": {"half_spread_bps": 0.0, "fill": "next_close"}}
    found = swept(shifted(0.01), **free).break_even
    assert found is not None and found.status == "unknown"


def test_no_multipliers_no_sweep() -> None:
    assert swept(trending(), ()) == Sweep((), None)


def test_a_strategy_that_looks_at_its_book_acts_anew() -> None:
    found, _, contest = reruns(shifted(0.01), Looking)
    rows = found.sweep((0.0, 1.0, 2.0), nothing).rows
    assert [row.strategies[0].total_return for row in rows] == pytest.approx(
        [row.strategies[0].total_return for row in swept(shifted(0.01), (0.0, 1.0, 2.0)).rows]
    )
    assert contest.subject.started > 3  # type: ignore[attr-defined]


def test_capacity_needs_volume_and_something_that_can_be_bought() -> None:
    closes = shifted(0.01)
    without, volumes = (prepare_market(make_bars(closes, volume=v), BacktestConfig(policy="equal"))
                        for v in (None, np.full_like(closes, 1e4)))  # fmt: skip
    assert (why_no_capacity(without, ()), why_no_capacity(without, ("S0",))) == ("no_volume", "no_volume")
    assert (why_no_capacity(volumes, ()), why_no_capacity(volumes, ("S0",))) == ("", "index")
    found = reruns(closes)[0].capacity((1.0, 10.0), nothing, "index")
    assert (found.modelled, found.reason, found.rows) == (False, "index", ())


def test_more_money_costs_more_and_fills_less() -> None:
    closes = shifted(0.01)
    config = BacktestConfig.model_validate({
        "policy": "equal", "exec": {"fill": "next_close"}, "evaluation": {"baselines": ["cash"]},
        "episode": {"start_cash": 1000.0},
    })  # fmt: skip
    market = prepare_market(make_bars(closes, volume=np.full_like(closes, 1e4)), config)
    contest, span = Contest(config, Timer(config)), Range(10, N)
    judged = contest.judge(market, span, nothing)
    first = {one.key: one.ledger for one in judged}
    rerun = Reruns(contest, market, span, ("cash",), np.zeros(N - 10), first)
    ticks: list[int] = []
    found = rerun.capacity((1.0, 10.0, 100.0), lambda: ticks.append(1), "")
    assert found.modelled and len(ticks) == 3
    own = [row.strategies[0] for row in found.rows]
    assert own[0].total_return == pytest.approx(first["equal"].equity[-1] / first["equal"].equity[0] - 1)
    costs, filled = ([one.cost_bps or 0 for one in own], [one.filled or 0 for one in own])
    assert costs[0] < costs[1] and filled[0] == pytest.approx(1.0, abs=0.01) and filled[2] < 0.5
    assert [row.excess_per_year for row in found.rows] == sorted(
        (row.excess_per_year for row in found.rows), key=lambda x: -(x or 0)
    )


def test_ticks_stay_at_every_multiple_and_break_nothing_even() -> None:
    """Buys at 10.03 go to 10.05, sales at 10.13 to 10.10, whatever the factor: nothing is left that is multiplied."""
    steps = np.where(np.arange(N + 1) % 2 == 1, 10.03, 10.13)
    closes = np.column_stack((steps, np.full(N + 1, 10.0)))
    free = {"fees": {"taker_bps": 0.0}, "exec": {"half_spread_bps": 0.0, "fill": "next_close", "tick_size": 0.05}}
    found = swept(closes, **free)
    own = [row.strategies[0] for row in found.rows]
    assert all(one == own[0] for one in own[1:])
    assert own[0].cost_bps == pytest.approx((0.02 + 0.03) / (10.05 + 10.10) * 1e4, rel=2e-3)
    assert found.break_even is not None and found.break_even.status == "unknown"


def test_a_rebate_is_income_and_is_not_multiplied() -> None:
    fees = {"commission_pct_notional": 0.0002, "maker_rebate_bps": 3.0, "taker_bps": 1.0}
    config = SimulatorConfig.model_validate({"fees": fees, "exec": {"order_type": "limit"}})
    market = prepare_market(with_extremes(random_bars(5, 40, 2)), config)
    for times in (0.0, 1.0, 2.0, 5.0):
        rules = make_rules(config, at_cost(market, config, times), policy_layers=False)
        assert rules.maker_rate == pytest.approx(2e-4 * times - 3e-4)
        assert rules.fee_rate == pytest.approx(3e-4 * times)
