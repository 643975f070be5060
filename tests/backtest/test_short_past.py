"""Baselines with too little past take equal weights, and the report says which did and how often."""

import numpy as np
import pytest

from backtest.baselines import Equal
from backtest.config import BacktestConfig
from backtest.contest import Contest
from backtest.registry import load
from backtest.short_past import clause, sentence
from backtest.stress import stress
from marketdata.splits import Range
from simulator.market import prepare_market
from tests.simulator.markets import make_bars, random_bars, sessions

N = 320
NEEDS = {"inverse_vol": 61, "momentum": 253, "min_variance": 253, "risk_parity": 253, "hrp": 253}


def month_ends(t0: int, t1: int) -> list[int]:
    """Decisions by the calendar: t0, and each later bar before t1 that is the last of its month."""
    months = [str(day)[:7] for day in sessions(N)]
    return [t0, *(t for t in range(t0 + 1, t1) if months[t] != months[t + 1])]


@pytest.mark.parametrize("key", NEEDS)
def test_decisions_without_a_past_are_counted(key: str) -> None:
    """An asset that has its first bar at 0 has n bars up to bar n−1."""
    config = BacktestConfig(policy="equal")
    market = prepare_market(random_bars(0, N, 3), config)
    strategy = load(key)(config)
    for t0, t1 in ((10, 300), (260, 300)):
        targets = strategy.decisions(market, t0, t1).targets
        bars = month_ends(t0, t1)
        short = sum(t + 1 < NEEDS[key] for t in bars)
        assert (targets[:short] == pytest.approx(np.full((short, 3), targets[0].sum() / 3))) or not short
        said = clause(strategy, t0, t1)
        if short:
            assert said.startswith(f"took equal weights at {short} of {len(bars)} decisions, for want of a symbol")
            assert f"{NEEDS[key]} bars" in said
        else:
            assert said == ""


def test_one_symbol_with_its_past_is_enough() -> None:
    """Listed late, the others are left out of momentum: no fallback, so nothing is said."""
    close = random_bars(1, N, 3).close.copy()
    close[:200, 1:] = np.nan
    config = BacktestConfig(policy="equal")
    market = prepare_market(make_bars(close), config)
    strategy = load("momentum")(config)
    assert (strategy.decisions(market, 260, 300).targets[:, 0] > 0).all()
    assert clause(strategy, 260, 300) == ""


def test_a_strategy_that_needs_no_past_has_none_to_lack() -> None:
    config = BacktestConfig(policy="equal")
    market = prepare_market(random_bars(0, N, 3), config)
    strategy = Equal(config)
    strategy.decisions(market, 0, 40)
    assert clause(strategy, 0, 40) == "" and sentence([strategy], 0, 40) == ""


def test_stress_windows_and_the_main_range_name_them() -> None:
    window = f"{sessions(N)[70]}..{sessions(N)[80]}"
    config = BacktestConfig.model_validate({
        "policy": "equal",
        "evaluation": {"baselines": ["cash", "momentum", "inverse_vol"], "stress_windows": [window]},
    })  # fmt: skip
    market = prepare_market(random_bars(0, N, 3), config)
    contest = Contest(config, Equal(config))
    judged = contest.judge(market, Range(20, 300), lambda: None)
    notes = {one.key: one.notes for one in judged}
    count = len(month_ends(20, 300))
    short = sum(t < 252 for t in month_ends(20, 300))
    assert notes["momentum"][0].startswith(f"took equal weights at {short} of {count} decisions")
    assert notes["inverse_vol"][0].startswith("took equal weights at 3 of")  # 30 and 31 January, 28 February
    assert notes["cash"] == ()
    row = stress(contest, market, ("cash",), 0, lambda: None)[0]
    decisions = len(month_ends(70, 80))
    assert row.note == (
        f"Momentum took equal weights at {decisions} of {decisions} decisions, for want of a symbol with 253 bars up "
        "to them."
    )
