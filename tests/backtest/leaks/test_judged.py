"""The gate in a judgement, from bars in a store to `summary.json`: a true edge is shown, a peek never is."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import judge, run
from backtest.baselines import Baseline, split_equally
from backtest.config import BacktestConfig
from backtest.feed import load_feed, read_config
from marketdata.store import Store
from runfiles.job import Job
from simulator.market import Market
from tests.backtest.conftest import MakeJob
from tests.marketdata.build import bars_of, meta

CONFIG: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": "test/trending"},
    "start": "2021-06-01",
    "end": "2023-05-31",
    "fees": {"taker_bps": 0.0},
    "exec": {"half_spread_bps": 0.5},
    "evaluation": {"bootstrap_paths": 1000},
}


@pytest.fixture(scope="module")
def trending(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose three symbols tend to go on as they went: a return is half the last one and half chance."""
    chance = np.random.default_rng(5)
    returns = np.zeros((1000, 3))
    for t in range(1, 1000):
        returns[t] = 0.6 * returns[t - 1] + 0.01 * chance.standard_normal(3)
    root = tmp_path_factory.mktemp("trending")
    close = 100 * np.exp(np.cumsum(returns - returns.mean(axis=0), axis=0))
    Store(root).put(bars_of(close), meta("test/trending"))
    return root


class Trend(Baseline):
    """In equal parts in what rose today; speaks as the policy does, so that it is a subject and no baseline."""

    key = "policy"
    ahead = 0

    def bars(self, market: Market, t0: int, t1: int) -> Any:
        return np.arange(t0, t1)

    def shares_of(self, market: Market, t: int) -> Any:
        now = min(t + self.ahead, market.n_bars - 1)
        return split_equally(market.mark[now] > market.mark[now - 1])


class Peek(Trend):
    """The same of tomorrow."""

    ahead = 1


def judged(make_job: MakeJob, root: Path, subject: type[Trend]) -> tuple[dict[str, Any], dict[str, Any], Job]:
    job = dataclasses.replace(make_job(subject.__name__, **CONFIG), datasets=root)
    config = read_config(job, BacktestConfig)
    feed = load_feed(job, config.dataset)
    judge.judge_and_write(job, config, feed, run.judged_range(config, feed), subject(config))
    found = (json.loads((job.folder / "report" / name).read_text()) for name in ("summary.json", "leaks.json"))
    return next(found), next(found), job


def test_a_true_edge_is_shown(make_job: MakeJob, trending: Path) -> None:
    summary, leaks, _ = judged(make_job, trending, Trend)
    assert (summary["verdict"]["code"], summary["verdict"]["leak_gate"]) == ("shown", "passed")
    assert summary["verdict"]["sentence"].startswith("Shown: the excess of PPO policy over ")
    assert leaks["state"] == "passed" and leaks["sentence"].startswith("No leak found")


def test_a_peek_is_never_shown(make_job: MakeJob, trending: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary, leaks, job = judged(make_job, trending, Peek)
    verdict = summary["verdict"]
    assert verdict["excess_per_year"] > 1  # chance alone would call it skill
    assert (verdict["code"], verdict["leak_gate"], leaks["state"]) == ("not_shown", "failed", "failed")
    assert verdict["sentence"].startswith(f"Leak found, nothing can be shown: {leaks['sentence']} ")
    assert "only the bar after" in leaks["checks"][5]["sentence"]
    assert f"leak gate: failed. {leaks['sentence']}" in capsys.readouterr().out
    page = (job.folder / "report/report.html").read_text()
    assert "Leak found, nothing can be shown" in page
