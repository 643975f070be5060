"""Who chooses few baselines makes the verdict easy: what was left out is stamped and stands in the verdict."""

import json
from typing import Any

import pytest

from backtest.config import BacktestConfig
from backtest.lineup import left_out_of
from backtest.registry import DEFAULT, STRATEGIES
from backtest.run import run
from tests.backtest.conftest import MakeJob


def left_out(subject: str, baselines: tuple[str, ...], benchmark: str | None = None) -> list[str]:
    evaluation = {"baselines": baselines, "benchmark": benchmark}
    return list(left_out_of(subject, BacktestConfig.model_validate({"policy": "cash", "evaluation": evaluation})))


ALL = (
    "cash",
    "buy_hold",
    "equal",
    "inverse_vol",
    "momentum",
    "min_variance",
    "random",
)  # buy_hold stands for the benchmark


@pytest.mark.parametrize(
    ("subject", "baselines", "benchmark", "missing"),
    [
        ("policy", DEFAULT, None, []),
        ("policy", ALL, None, []),
        ("policy", ALL, "KO", ["benchmark"]),
        ("policy", (*ALL, "benchmark"), "KO", []),
        ("policy", ("cash", "benchmark", "equal", "inverse_vol", "momentum", "min_variance", "random"), None, []),
        ("policy", ("random", "cash"), None, ["buy_hold", "equal", "inverse_vol", "momentum", "min_variance"]),
        ("policy", ("cash", "first_long"), "KO",
         ["buy_hold", "equal", "inverse_vol", "momentum", "min_variance", "benchmark", "random"]),
        ("policy", (), None, ["buy_hold", "equal", "inverse_vol", "momentum", "min_variance", "random"]),  # cash is
        ("momentum", tuple(key for key in ALL if key != "momentum"), None, []),
        ("momentum", ALL, None, []),
        ("buy_hold", ("cash", "equal", "inverse_vol", "momentum", "min_variance", "random"), None, []),
        ("first_long", ("cash",), None, ["buy_hold", "equal", "inverse_vol", "momentum", "min_variance", "random"]),
    ],
)  # fmt: skip
def test_what_is_missing(subject: str, baselines: tuple[str, ...], benchmark: str | None, missing: list[str]) -> None:
    assert left_out(subject, baselines, benchmark) == missing


def test_it_is_stamped_and_told(make_job: MakeJob) -> None:
    job = make_job(
        policy="equal", dataset={"id": "sample/us20", "symbols": ["KO", "XOM"]}, start="2020-01-02", end="2020-12-31",
        evaluation={"baselines": ["cash", "inverse_vol", "min_variance", "random"], "bootstrap_paths": 1000},
    )  # fmt: skip
    run(job)
    summary: dict[str, Any] = json.loads((job.folder / "report/summary.json").read_text())
    names = [STRATEGIES[key].label for key in ("buy_hold", "momentum")]
    assert f"Left out of the verdict: {names[0]}, {names[1]}." in summary["stamps"]
    assert summary["verdict"]["code"] != "shown"
    if summary["verdict"]["code"] == "not_shown":
        assert "Buy and hold and Momentum were left out" in summary["verdict"]["sentence"]
