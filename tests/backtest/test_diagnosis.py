"""The diagnosis: each rule fires on its own number, says it, and says nothing of a healthy result."""

import csv
import dataclasses
import datetime as dt
import itertools
import json
from typing import Any

import pytest

from backtest import run
from backtest.diagnosis import RULES, findings
from backtest.diagnosis_facts import Facts
from tests.backtest.conftest import MakeJob

HEALTHY = Facts(
    n_bars=504, bars_a_year=252.0, n_trades=120, n_orders=400, equity_moves=0.3, gain=20_000.0,
    gain_before_costs=24_000.0, costs=4_000.0, break_even=4.0, delay=1, excess_now=0.09, excess_late=0.05,
    top_symbol="AAPL", top_symbol_share=0.2,
    top_month="2021-03", top_month_share=0.2, top_trade_share=0.1, best_bars_share=0.5, exposure=1.0, mean_gross=0.9,
    guards=0, calls=0, cut=0.01, unfillable=0.0, stale=0.0, at_cap=0.1, spreads=True, moves=0.1, rho=0.02,
    rho_score=0.5, trials=1, excess=0.09, power=0.06, seen=0, max_drawdown=-0.2, sharpe=0.8, trained_sharpe=1.5,
    trained_years=10.0,
)  # fmt: skip
SICK: dict[str, tuple[dict[str, Any], str]] = {
    "seen": ({"seen": 37}, "37 of 504 bars"),
    "overfit": ({"trained_sharpe": 2.5}, "was 2.50 on the training bars, and is 0.800 here"),
    "flat": ({"equity_moves": 0.00005}, "0.00500 %"),
    "few_trades": ({"n_trades": 29}, "29 closed trades"),
    "costs_eat_gain": ({"gain_before_costs": 3_000.0, "gain": -1_000.0}, "4,000"),
    "break_even": ({"break_even": 1.5}, "1.50 ×"),
    "delay": ({"excess_late": -0.0125}, "1 bar later the excess over the hardest baseline is −1.25 % a year"),
    "one_symbol": ({"top_symbol_share": 0.75}, "AAPL made 75.0 %"),
    "one_month": ({"top_month_share": 0.75}, "2021-03 made 75.0 %"),
    "one_trade": ({"top_trade_share": 0.75}, "One trade made 75.0 %"),
    "few_days": ({"best_bars_share": 1.25}, "5 bars made 125 %"),
    "idle": ({"exposure": 0.04}, "4.00 % of bars"),
    "guards": ({"guards": 1}, "on 1 bar."),
    "margin_calls": ({"calls": 3}, "on 3 bars."),
    "orders_cut": ({"cut": 0.25}, "25.0 %"),
    "unfillable": ({"unfillable": 0.06}, "6.00 %"),
    "stale_marks": ({"stale": 0.02}, "2.00 %"),
    "at_cap": ({"at_cap": 0.8}, "80.0 %"),
    "constant": ({"moves": 0.0005}, "0.0500 %"),
    "dependent": ({"rho": 0.2, "rho_score": 4.5}, "0.200"),
    "short_range": ({"n_bars": 126}, "126 bars"),
    "many_trials": ({"trials": 10}, "10 configurations"),
    "weak_test": ({"excess": 0.03}, "3.00 % a year"),
    "deep_fall": ({"max_drawdown": -0.6}, "60.0 %"),
}


def test_a_healthy_result_has_no_finding() -> None:
    assert findings(HEALTHY) == []


def test_every_rule_has_a_case() -> None:
    assert [rule.key for rule in RULES] == list(SICK) and len(RULES) >= 12


@pytest.mark.parametrize("key", SICK)
def test_each_rule_fires_alone_with_its_number(key: str) -> None:
    changes, number = SICK[key]
    found = findings(dataclasses.replace(HEALTHY, **changes))
    assert [one.key for one in found] == [key]
    assert number in found[0].issue and found[0].issue.endswith(".") and found[0].advice.endswith(".")


def test_advice_hangs_on_the_facts() -> None:
    """Without an excess at no costs at all, costs are not why; only a softmax has a scale to lower."""

    def advice(**changes: Any) -> str:
        return findings(dataclasses.replace(HEALTHY, **changes))[0].advice

    assert "trade less" in advice(break_even=1.5) and "trade less" not in advice(break_even=0.0)
    assert advice(break_even=0.0).startswith("Costs are not why")
    late = advice(excess_late=-0.01, delay=3)
    assert advice(excess_late=-0.01).startswith("The edge needs the very bar") and "very bar" not in late
    assert "does not live for 3 bars, the shortest delay that was run" in late
    assert "logit_scale" in advice(at_cap=0.8) and "logit_scale" not in advice(at_cap=0.8, spreads=False)


@pytest.mark.parametrize(
    ("margin", "episode", "part"),
    [
        ({}, {}, 0.0),  # all in one asset at a limit of 1: by choice
        ({"max_position_weight": 0.5}, {"invest_max": 0.5}, 0.0),
        ({"max_position_weight": 0.5}, {}, 1.0),
        ({"max_gross_leverage": 2.0, "max_net_leverage": 2.0}, {"invest_max": 2.0}, 1.0),
        ({"max_gross_leverage": 2.0, "max_net_leverage": 2.0, "max_position_weight": 2.0}, {"invest_max": 2.0}, 0.0),
    ],
)
def test_a_limit_cuts_only_where_it_is_narrower_than_all_that_may_be_invested(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, margin: dict[str, Any], episode: dict[str, Any], part: float
) -> None:
    """One symbol, bought daily to equal weights without costs, lies at whatever stops it."""
    from backtest import diagnosis

    kept: list[Facts] = []
    monkeypatch.setattr(diagnosis, "findings", lambda facts: kept.append(facts) or [])
    run.run(make_job(
        policy="equal_daily", dataset={"id": "sample/us20", "symbols": ["KO"]}, start="2021-01-04", end="2021-06-30",
        margin=margin, episode=episode, fees={"taker_bps": 0.0}, exec={"half_spread_bps": 0.0},
        evaluation={"baselines": ["cash"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 100,
                    "stress_windows": [], "cost_multipliers": [], "capacity_multipliers": []},
    ))  # fmt: skip
    assert kept[0].at_cap == pytest.approx(part, abs=0.9 * part)
    assert not kept[0].spreads


def test_of_a_real_run_it_stands_in_the_summary_and_on_the_page(make_job: MakeJob) -> None:
    """Buy and hold of two indices for half a year: no closed trade, a short range."""
    job = make_job(
        policy="buy_hold", dataset={"id": "sample/us-indices"}, start="2018-06-29", end="2018-12-31",
        evaluation={"baselines": ["cash"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "trials": 12,
                    "stress_windows": [], "cost_multipliers": [], "capacity_multipliers": []},
    )  # fmt: skip
    run.run(job)
    told = json.loads((job.folder / "report/summary.json").read_text())["diagnosis"]
    keys = [one["key"] for one in told]
    assert {"few_trades", "short_range", "many_trials"} <= set(keys) and "seen" not in keys
    page = (job.folder / "report/report.html").read_text()
    for one in told:
        assert one["issue"] in page and one["advice"] in page
    assert f"Diagnosis ({len(told)})" in page


def test_facts_are_those_of_the_files(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal weights at their limit: shares of the gain and orders that were cut, from the CSV files."""
    from backtest import diagnosis

    kept: list[Facts] = []
    monkeypatch.setattr(diagnosis, "findings", lambda facts: kept.append(facts) or [])
    job = make_job(
        policy="equal", dataset={"id": "sample/us20"}, start="2021-01-04", end="2021-12-31",
        margin={"max_position_weight": 0.05},
        evaluation={"baselines": ["cash"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 100,
                    "stress_windows": [], "cost_multipliers": [], "capacity_multipliers": []},
    )  # fmt: skip
    run.run(job)

    def rows(name: str) -> list[dict[str, str]]:
        with (job.folder / "report" / name).open(newline="") as stream:
            return list(csv.DictReader(stream))

    facts, equity = kept[0], [float(row["equity"]) for row in rows("equity.csv")]
    gain = equity[-1] - equity[0]
    assert facts.gain == pytest.approx(gain) and gain > 0
    last = rows("equity.csv")[-1]
    assert facts.gain_before_costs == pytest.approx(gain + float(last["costs"]) - float(last["financing"]))
    best = max(rows("symbols.csv"), key=lambda row: float(row["pnl_net"]))
    assert (facts.top_symbol, facts.top_symbol_share) == (best["symbol"], pytest.approx(float(best["pnl_net"]) / gain))
    orders = rows("orders.csv")
    held = [[abs(float(text)) for name, text in row.items() if name != "time"] for row in rows("weights.csv")][1:]
    assert facts.at_cap == pytest.approx(sum(max(row) >= 0.05 * 0.999 for row in held) / len(held))
    assert facts.cut == pytest.approx(
        sum(
            row["reason"] in ("participation", "funding")
            and abs(float(row["qty_filled"])) < 0.99 * abs(float(row["qty_target"]))
            for row in orders
        )
        / len(orders)
    )
    steps = sorted(b - a for a, b in itertools.pairwise(equity))[-5:]
    assert facts.best_bars_share == pytest.approx(sum(steps) / gain)
    made: dict[str, float] = {}
    times = [row["time"] for row in rows("equity.csv")]
    for before, after, time in zip(equity, equity[1:], times[1:], strict=False):
        month = f"{dt.datetime.fromisoformat(time):%Y-%m}"
        made[month] = made.get(month, 0.0) + after - before
    assert (facts.top_month, facts.top_month_share) == (
        max(made, key=made.__getitem__), pytest.approx(max(made.values()) / gain)
    )  # fmt: skip
