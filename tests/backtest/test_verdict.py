"""The verdict's codes in their order, its numbers, and its words."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from backtest.degenerate import degenerate
from backtest.leaks.report import Check, CheckState, LeakReport
from backtest.metrics import compute
from backtest.registry import spec_for
from backtest.runner import Judged, returns_of
from backtest.statistics import Excess
from backtest.trades import fifo
from backtest.verdict import NOT_RUN, Verdict, judge, passes_every_test_of_chance, signed
from simulator.config import SimulatorConfig
from simulator.ledger import Events, Ledger
from simulator.market import prepare_market
from tests.backtest.books import equity_ledger
from tests.simulator.markets import make_bars

KEYS = ["cash", "equal"]
LABELS = {"cash": "Cash", "equal": "Equal weight"}


def excess(**changes: object) -> Excess:
    """Two baselines; `equal` is the one that is harder to beat."""
    base = Excess(
        theta=np.array([0.10, 0.05]), low=np.array([0.02, 0.01]), high=np.array([0.2, 0.1]),
        upper=np.array([0.22, 0.12]), p=np.array([0.01, 0.02]),
        bars_error=np.array([0.03, 0.02]), bars_low=np.array([0.02, 0.01]),
        equal_risk=np.array([0.04, 0.03]), equal_risk_low=np.zeros(2), equal_risk_high=np.ones(2), dsr=(0.99, 0.96),
        mean_block=8.0, unclipped_block=5.0,
        by_seed=np.array([[0.10, 0.05]]), seed_error=0.0, years=1.0,
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def verdict(found: Excess | None, n_bars: int = 252, trials: int = 1, **more: Any) -> Verdict:
    return judge(found, KEYS, LABELS, subject="PPO policy", n_bars=n_bars, trials=trials, **more)


def gate(state: CheckState, sentence: str = "") -> LeakReport:
    """A leak report with one check."""
    return LeakReport("policy", "2020-01-02", "2020-12-31", (), 15, (Check("lag", "Lag", state, 1, sentence),))


def test_numbers_are_those_of_the_hardest_baseline_and_the_least_limits() -> None:
    found = verdict(excess(), trials=7)
    assert found.baseline == "equal"
    assert found.excess_per_year == pytest.approx(math.expm1(0.05))
    assert (found.low, found.high) == pytest.approx((math.expm1(0.01), math.expm1(0.12)))
    assert found.equal_risk_excess == 0.03  # an arithmetic mean of returns, not a growth
    assert found.power == pytest.approx(math.expm1(2.8 * 0.02))
    assert (found.n_bars, found.trials, found.seeds) == (252, 7, 1)


def test_what_it_could_have_shown_against_the_baseline_that_is_told_apart_worst() -> None:
    """All must be beaten: 2.8 standard errors of the hardest, and of the widest where that is much wider."""
    unsure = {"low": np.array([-0.2, -0.01]), "p": np.array([0.3, 0.3])}
    wide = verdict(excess(**unsure, bars_error=np.array([0.10, 0.02]))).sentence
    assert "about 5.8 % a year or more over Equal weight and of about 32.3 % over Cash, so it is no proof" in wide
    alike = verdict(excess(**unsure, bars_error=np.array([0.029, 0.02]))).sentence
    assert "about 5.8 % a year or more over Equal weight, so it is no proof" in alike


def test_keys_are_those_of_the_contract() -> None:
    assert list(verdict(excess()).as_dict()) == [
        "code", "excess_per_year", "low", "high", "baseline", "equal_risk_excess", "power", "p", "years_needed",
        "seeds_needed", "years_against", "seeds_against", "seed_points", "n_bars", "trials", "seeds",
        "seen", "leak_gate", "sentence",
    ]  # fmt: skip


def test_few_bars_are_too_short_even_when_worse() -> None:
    found = verdict(excess(upper=np.array([-0.2, -0.1])), n_bars=125)
    assert found.code == "too_short" and "125 bars, and at least 126" in found.sentence


def test_few_blocks_are_too_short() -> None:
    found = verdict(excess(unclipped_block=26.0), n_bars=252)
    assert found.code == "too_short" and "hang together over 26 bars" in found.sentence


def test_worse_when_the_whole_interval_lies_below_zero() -> None:
    found = verdict(excess(theta=np.array([0.1, -0.05]), low=np.array([0.0, -0.1]), upper=np.array([0.2, -0.01])))
    assert found.code == "worse" and found.sentence.startswith("Worse: the excess of PPO policy over Equal weight")


def test_not_shown_says_what_could_have_been_shown() -> None:
    found = verdict(excess(low=np.array([0.02, -0.03])))
    assert found.code == "not_shown"
    assert "[" not in found.sentence
    assert (
        "excess of about 5.8 % a year or more over Equal weight, so it is no proof that there is none" in found.sentence
    )
    assert found.sentence.endswith(NOT_RUN)


def test_an_interval_above_zero_is_not_called_no_proof() -> None:
    """Nine seeds far above zero and one below it: chance is not what fails."""
    points = np.array([[0.3, 0.3]] * 9 + [[-0.01, -0.01]])
    several = {"by_seed": points, "seed_error": 0.03, "theta": points.mean(axis=0), "low": np.array([0.17, 0.17])}
    found = verdict(excess(**several))
    assert found.code == "not_shown" and "not every seed lies ahead of every baseline" in found.sentence
    assert "no proof" not in found.sentence and "could have shown" not in found.sentence


@pytest.mark.parametrize(("theta", "said"), [(0.0, "as good as"), (-0.02, "at a constant distance from")])
def test_a_curve_that_is_a_baselines_own_has_no_luck_to_be_told(theta: float, said: str) -> None:
    flat = {"theta": np.array([0.1, theta]), "low": np.array([0.02, theta]), "bars_error": np.array([0.03, 1e-12])}
    found = verdict(excess(**flat, upper=np.array([0.2, 0.0])))
    assert f"Bar for bar it is {said} Equal weight, so that no luck hides an excess over it." in found.sentence
    assert "0.00 %" not in found.sentence.split("Bar for bar")[1]


def test_figures_that_say_nothing_are_not_written_out() -> None:
    """Two seeds far apart: limits and power beyond all bounds, in logarithms that no float's exponent holds."""
    wild = {
        "low": np.array([-900.0, -900.0]), "upper": np.array([900.0, 900.0]), "seed_error": 60.0,
        "by_seed": np.array([[60.0, 60.0], [-60.0, -60.0]]), "theta": np.zeros(2),
    }  # fmt: skip
    found = verdict(excess(**wild))
    assert "runs from −100.0 % to more than +10,000 %" in found.sentence.replace("−100 %", "−100.0 %")
    assert "could have shown no excess below 10,000 % a year over Cash" in found.sentence
    assert all(math.isfinite(x) for x in (found.high, found.power, *found.seed_points) if x is not None)


def test_thousands_stand_apart_in_the_sentence() -> None:
    assert (signed(23.45), signed(-0.5), signed(0.0035)) == ("+2,345 %", "−50.0 %", "+0.35 %")


def test_the_interval_is_said_to_be_of_the_best_of_the_baselines() -> None:
    """Least lower limit from Cash, least upper from Equal weight: neither row's own interval, and no one says it is."""
    found = verdict(excess(low=np.array([-0.05, -0.03]), upper=np.array([0.3, 0.12])))
    assert (found.low, found.high) == pytest.approx((math.expm1(-0.05), math.expm1(0.12)))
    assert (
        "the excess of PPO policy over Equal weight, the best of 2 baselines, is +5.1 % a year after costs over 252 "
        "bars; the 95 % interval of the excess over the best of them, whichever it is, runs from −4.9 % to +12.7 %"
        in found.sentence
    )


def test_against_one_baseline_the_interval_is_its_own() -> None:
    one = {name: getattr(excess(), name)[1:] for name in ("theta", "low", "upper", "p", "bars_error", "equal_risk")}
    found = judge(
        excess(**one, dsr=(0.96,), by_seed=np.array([[0.05]])), ["equal"], LABELS, subject="PPO policy", n_bars=252,
        trials=1,
    )  # fmt: skip
    assert "over Equal weight, the only baseline, is +5.1 % a year (95 % interval +1.0 % to +12.7 %)" in found.sentence


def test_years_are_those_of_the_limit_that_binds() -> None:
    """Hardest: Equal weight, 0.05 − 0.06; but against Cash, 0.06 − 0.12 as a wide limit, four times the time is due."""
    found = verdict(excess(theta=np.array([0.06, 0.05]), low=np.array([-0.06, -0.01])))
    assert found.baseline == "equal" and found.years_against == "cash"
    assert found.years_needed == pytest.approx(3.0)  # (0.12/0.06)² − 1 years more than the one there is
    assert "about 3 more years would be needed to tell; the limit against Cash is the last to pass" in found.sentence


def test_a_negative_edge_is_promised_nothing() -> None:
    found = verdict(excess(theta=np.array([0.1, -0.02]), low=np.array([0.02, -0.1])))
    assert (found.years_needed, found.years_against, found.seeds_against) == (None, "equal", None)
    assert "At this edge" not in found.sentence
    assert "does not lie ahead of Equal weight: no number of years makes an edge that is not above" in found.sentence


def test_what_fails_beside_the_interval_is_named() -> None:
    found = verdict(excess(equal_risk=np.array([-0.01, 0.03]), dsr=(0.99, 0.901)), leaks=gate("passed"))
    assert found.code == "not_shown" and found.years_needed is None
    assert (
        "The interval lies above zero, but at equal risk it does not lie ahead of Cash and the deflated Sharpe of the "
        "excess is 0.90, and 0.95 is asked for." in found.sentence
    )


def test_shown_when_everything_holds_and_the_leak_gate_passed() -> None:
    found = verdict(excess(), leaks=gate("passed"))
    assert (found.code, found.leak_gate) == ("shown", "passed")
    assert found.sentence.startswith("Shown: the excess of PPO policy over Equal weight")
    assert found.sentence.endswith("and the leak gate found nothing.")


def test_never_shown_without_the_leak_gate() -> None:
    found = verdict(excess())
    assert (found.code, found.leak_gate) == ("not_shown", "not_run")
    assert "passed every test of chance" in found.sentence and found.sentence.endswith(NOT_RUN)


def test_a_leak_is_named_first_and_nothing_is_shown() -> None:
    leak = "features: log_return(1) of KO on 2020-02-03 is 1, and 2 when other bars follow; it knows later bars."
    worse = excess(upper=np.array([-0.2, -0.1]))
    cases = (
        (252, excess(), "not_shown"),
        (100, excess(), "too_short"),
        (252, worse, "worse"),
        (252, None, "not_shown"),
    )
    for n_bars, numbers, code in cases:
        found = verdict(numbers, n_bars=n_bars, leaks=gate("failed", leak))
        assert (found.code, found.leak_gate) == (code, "failed")
        assert found.sentence.startswith(f"Leak found, nothing can be shown: {leak} ")


def test_what_could_not_be_examined_keeps_the_word_back() -> None:
    why = "normaliser: the bars that it was fitted on are not in this dataset."
    found = verdict(excess(), leaks=gate("not_examined", why))
    assert (found.code, found.leak_gate) == ("not_shown", "incomplete") and found.sentence.endswith(why)


def test_seen_bars_are_never_shown() -> None:
    found = verdict(excess(), leaks=gate("passed"), seen=3)
    assert found.code == "not_shown" and found.sentence.startswith("No out-of-sample result: 3 of 252")


def test_not_shown_has_nothing_more_to_say_where_the_gate_passed() -> None:
    found = verdict(excess(low=np.array([0.02, -0.03])), leaks=gate("passed"))
    assert found.code == "not_shown" and found.sentence.endswith("is the last to pass zero.")


def test_baselines_that_were_left_out_keep_the_word_back() -> None:
    found = verdict(excess(), left_out=["Momentum"], leaks=gate("passed"))
    assert found.code == "not_shown" and "passed every test of chance" in found.sentence
    assert found.sentence.endswith("Momentum was left out, and without it nothing is called shown.")
    two = verdict(excess(), left_out=["Random", "Momentum"])
    assert "Random and Momentum were left out, and without them nothing is called shown." in two.sentence
    assert two.sentence.endswith(NOT_RUN)


@pytest.mark.parametrize(
    "change",
    [
        {"low": np.array([0.02, -0.001])},
        {"equal_risk": np.array([-0.001, 0.03])},
        {"dsr": (0.99, 0.949)},
        {"dsr": (0.99, None)},
    ],
)
def test_each_condition_of_shown_counts(change: dict[str, object]) -> None:
    assert not passes_every_test_of_chance(excess(**change))
    assert verdict(excess(**change), leaks=gate("passed")).code == "not_shown"


def test_without_a_baseline_nothing_is_judged() -> None:
    found = verdict(None)
    assert found.code == "not_shown" and found.baseline is None and "no baseline" in found.sentence


def test_percent_in_words() -> None:
    assert [signed(x) for x in (0.0213, -0.0035, 1.5, 0.0)] == ["+2.1 %", "−0.35 %", "+150 %", "+0.00 %"]


def judged(key: str, ledger: Ledger) -> Judged:
    market = prepare_market(make_bars(np.full(len(ledger.equity), 10.0)), SimulatorConfig())
    zeros = np.zeros(ledger.n_bars)
    trades = fifo(ledger)
    return Judged(spec_for(key), ledger, trades, compute(ledger, trades, market, zeros, zeros), returns_of(ledger))


def weighted(key: str, weights: np.ndarray, returns: np.ndarray) -> Judged:
    """A book with these weights (N+1, A) and returns (N,)."""
    equity = 100 * np.concatenate(([1.0], np.cumprod(1 + returns)))
    ledger = equity_ledger(equity)
    shares, zeros = weights * equity[:, None], np.zeros(len(equity))
    events = Events(np.arange(len(equity)), *[zeros] * 5, shares=shares)
    return judged(key, dataclasses.replace(ledger, events=events, marks=np.ones_like(shares)))


RETURNS = np.random.default_rng(0).normal(0, 0.01, 200)
MOVING = np.random.default_rng(1).dirichlet(np.ones(3), 201)


def test_degenerate_strategies_are_named() -> None:
    cash = weighted("policy", np.zeros((201, 3)), np.zeros(200))
    constant = weighted("policy", np.full((201, 3), 0.3), RETURNS)
    single = weighted("policy", np.eye(3)[np.arange(201) % 3], RETURNS)
    assert [text for text in degenerate(cash, [], 252) if "holds cash" in text]
    assert [text for text in degenerate(constant, [], 252) if "is constant" in text]
    assert [text for text in degenerate(single, [], 252) if "holds one asset" in text]


def test_an_ordinary_strategy_has_no_such_name() -> None:
    other = weighted("equal", MOVING, np.random.default_rng(5).normal(0, 0.01, 200))
    assert degenerate(weighted("policy", MOVING, RETURNS), [other], 252) == []


def test_a_baseline_in_disguise_is_named() -> None:
    twin = weighted("equal", MOVING, RETURNS + np.random.default_rng(5).normal(0, 1e-4, 200))
    assert degenerate(weighted("policy", MOVING, RETURNS), [twin], 252) == [
        "PPO policy is Equal weight in disguise: their returns can hardly be told apart."
    ]


def test_a_baseline_of_another_size_is_named() -> None:
    """Half in equal weight, half in cash; and the baseline that is most like it, where two are."""
    chance = np.random.default_rng(5)
    half = weighted("equal", MOVING, 2 * RETURNS + chance.normal(0, 1e-4, 200))
    other = weighted("inverse_vol", MOVING, 2 * RETURNS + chance.normal(0, 1e-3, 200))
    assert degenerate(weighted("policy", MOVING, RETURNS), [other, half], 252) == [
        "PPO policy is Equal weight at 0.50 of its size in disguise: scaled, their returns can hardly be told apart."
    ]


def test_the_opposite_of_a_baseline_is_no_likeness() -> None:
    assert degenerate(weighted("policy", MOVING, RETURNS), [weighted("equal", MOVING, -RETURNS)], 252) == []
