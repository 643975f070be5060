"""Crises as books of their own: run again from cash, told where they cannot be, the same by name and by days."""

import json
from pathlib import Path
from typing import Any

import pytest

from backtest import run
from backtest.baselines import Equal
from backtest.config import BacktestConfig
from backtest.contest import Contest
from backtest.crises import CRISES, window
from backtest.stress import stress
from simulator.market import prepare_market
from tests.backtest.conftest import MakeJob
from tests.backtest.test_judge import CONFIG
from tests.simulator.markets import random_bars


def rows_of(make_job: MakeJob, name: str, windows: list[str], **changes: Any) -> list[dict[str, Any]]:
    evaluation = {**CONFIG["evaluation"], "baselines": ["cash", "buy_hold"], "stress_windows": windows}
    job = make_job(name, **{**CONFIG, "evaluation": evaluation, **changes})
    run.run(job)
    found: list[dict[str, Any]] = json.loads((job.folder / "report/stress.json").read_text())["rows"]
    return found


def test_a_window_is_the_backtest_of_its_days(make_job: MakeJob) -> None:
    """Not a slice: the same as judging those days by themselves, from cash, with the buying paid."""
    row = rows_of(make_job, "run", ["covid_2020"])[0]
    alone = make_job("alone", **{**CONFIG, "start": "2020-02-19", "end": "2020-03-23"})
    run.run(alone)
    summary = json.loads((alone.folder / "report/summary.json").read_text())
    own = row["strategies"][0]
    assert (row["start"], row["end"], row["n_bars"]) == tuple(summary["range"].values())
    for key in ("total_return", "max_drawdown", "volatility", "turnover", "n_orders"):
        assert own[key] == pytest.approx(summary["metrics"][key]), key
    assert own["n_orders"] > 0 and own["max_drawdown"] < -0.1
    held = next(one for one in row["strategies"] if one["strategy"] == row["baseline"])
    assert row["excess"] == pytest.approx((1 + own["total_return"]) / (1 + held["total_return"]) - 1)


def test_days_of_ones_own_are_run_like_a_name(make_job: MakeJob) -> None:
    name, days = rows_of(make_job, "run", ["covid_2020", "2020-02-19..2020-03-23"])
    assert days["strategies"] == name["strategies"] and days["label"] == "2020-02-19 to 2020-03-23"


def test_what_cannot_be_run_is_told(make_job: MakeJob) -> None:
    rows = rows_of(make_job, "run", ["black_monday_1987", "banks_2023", "2020-01-03..2020-01-05"])
    assert [row["status"] for row in rows] == ["left_out"] * 3
    assert rows[0]["note"] == rows[1]["note"] == "The data reach from 1990-01-02 to 2022-12-28 only."
    assert rows[2]["note"].startswith("Fewer than")
    assert all(row["strategies"] == [] and row["excess"] is None for row in rows)


def test_a_window_before_a_policys_warm_up_is_told() -> None:
    config = BacktestConfig.model_validate({
        "policy": "equal", "evaluation": {"baselines": ["cash"], "stress_windows": ["2020-01-20..2020-02-10"]},
    })  # fmt: skip
    market = prepare_market(random_bars(0), config)
    contest = Contest(config, Equal(config))
    early, late = (stress(contest, market, ("cash",), needed, lambda: None)[0] for needed in (13, 12))
    assert early.status == "left_out"
    assert early.note == "It begins too early: the policy needs 13 bars before its first decision."
    assert late.status == "run" and late.start == "2020-01-20"


def test_the_library_is_well_formed() -> None:
    assert len(CRISES) >= 12
    for key, crisis in CRISES.items():
        assert key == crisis.key and crisis.start < crisis.end and crisis.source and crisis.label
        for day in (crisis.start, crisis.end):
            assert day.weekday() < 5, key


@pytest.mark.parametrize("text", ["nothing", "2020-01-01..", "2020-13-01..2021-01-01", "2020-02-01..2020-01-01", ""])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError, match=r"which|whose"):
        window(text)


def test_no_windows_no_rows(make_job: MakeJob, tmp_path: Path) -> None:
    rows_of(make_job, "run", [])
    assert json.loads((tmp_path / "run/report/stress.json").read_text()) == {"rows": []}
