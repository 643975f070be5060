"""A subject that was made from the bars it is judged on: counted, stamped, and told before all else."""

import json
from pathlib import Path
from typing import Any

import pytest

from backtest import judge, run
from backtest.baselines import Equal
from backtest.config import BacktestConfig
from backtest.feed import load_feed, read_config
from simulator.market import Market
from tests.backtest.conftest import MakeJob

CONFIG: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"]},
    "start": "2019-01-02",
    "end": "2019-12-31",
    "evaluation": {"baselines": ["cash", "buy_hold"], "bootstrap_paths": 1000},
}


class Learned(Equal):
    """Equal weights that claim to have seen 200 bars of the range that is judged, and all of the crisis of 2020."""

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        first = str(market.bars.session[t0])
        if first == "2019-01-02":
            assert t1 - t0 == 251
            return 200
        return t1 - t0 if first == "2020-02-19" else 0


def summary_of(make_job: MakeJob, name: str, subject: type[Equal]) -> dict[str, Any]:
    job = make_job(name, **CONFIG)
    config = read_config(job, BacktestConfig)
    feed = load_feed(job, config.dataset)
    judge.judge_and_write(job, config, feed, run.judged_range(config, feed), subject(config))
    told: dict[str, Any] = json.loads((job.folder / "report/summary.json").read_text())
    return told


@pytest.fixture
def plain(make_job: MakeJob) -> dict[str, Any]:
    return summary_of(make_job, "plain", Equal)


@pytest.fixture
def learned(make_job: MakeJob) -> dict[str, Any]:
    return summary_of(make_job, "learned", Learned)


def test_the_verdict_begins_with_what_was_seen(plain: dict[str, Any], learned: dict[str, Any]) -> None:
    before, after = plain["verdict"], learned["verdict"]
    clause = "No out-of-sample result: 200 of 251 bars were trained or selected on. "
    assert after["sentence"] == clause + before["sentence"]
    assert (before["seen"], after["seen"]) == (0, 200)
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"seen", "sentence"} and after["code"] != "shown"


def test_a_crisis_that_was_seen_is_marked(make_job: MakeJob, learned: dict[str, Any], tmp_path: Path) -> None:
    rows = json.loads((tmp_path / "learned/report/stress.json").read_text())["rows"]
    marked = {row["window"]: (row["seen"], row["note"]) for row in rows if row["seen"]}
    assert marked == {"covid_2020": (23, "In training: the policy was made from bars of this window.")}


def test_a_stamp_that_stands_first_says_so(plain: dict[str, Any], learned: dict[str, Any]) -> None:
    stamp = "200 of 251 bars were trained or selected on: this is no out-of-sample result."
    new = [text for text in learned["stamps"] if text not in plain["stamps"]]
    assert new == [stamp] == learned["stamps"][:1]
    assert not [text for text in plain["stamps"] if "out-of-sample" in text]
