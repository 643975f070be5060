"""The report names the split: scheme, ranges with dates and bars, what lies between, and each fold with its excess."""

import datetime as dt
import itertools
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest import judge, run
from backtest.baselines import Equal
from backtest.config import BacktestConfig
from backtest.feed import load_feed, read_config
from runfiles import report_rows
from runfiles.job import Job
from tests.backtest.conftest import MakeJob

SYMBOLS = {"id": "sample/us20", "symbols": ["AAPL", "KO", "XOM"]}
FEW: dict[str, Any] = {"baselines": ["cash", "buy_hold", "momentum"], "bootstrap_paths": 1000, "stress_windows": []}
WALK = {"scheme": "walk_forward", "n_folds": 3, "test_bars": 200, "validation_bars": 100, "embargo_bars": 7}


def split_in(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((job.folder / "report/summary.json").read_text())["split"]
    return found


def growth(job: Job, folder: str) -> pd.Series:
    table = pd.read_csv(job.folder / "report" / folder / "equity.csv", index_col="time", parse_dates=True)["equity"]
    return table.set_axis(table.index.strftime("%Y-%m-%d"))


@pytest.fixture
def walked(make_job: MakeJob) -> Job:
    job = make_job(policy="equal", dataset=SYMBOLS, split=WALK, evaluation=FEW)
    run.run(job)
    return job


def test_each_fold_is_told_with_its_excess(walked: Job) -> None:
    split = split_in(walked)
    assert (split["scheme"], split["lookback"], split["embargo"]) == ("walk_forward", 0, 7)
    folds = split["folds"]
    own = growth(walked, "")
    others = {key: growth(walked, f"baselines/{key}") for key in ("cash", "buy_hold", "momentum")}
    assert [fold["n_bars"] for fold in folds] == [200, 200, 200]
    for earlier, later in itertools.pairwise(folds):
        assert earlier["end"] == later["start"]  # they adjoin: one book
    assert folds[-1]["end"] == "2022-12-28"
    for fold in folds:
        made = own[fold["end"]] / own[fold["start"]]
        beside = {key: one[fold["end"]] / one[fold["start"]] for key, one in others.items()}
        assert fold["total_return"] == pytest.approx(made - 1)
        assert fold["baseline"] == max(beside, key=lambda key: beside[key])
        assert fold["excess"] == pytest.approx(made / max(beside.values()) - 1)
    whole = float(np.prod([1 + fold["total_return"] for fold in folds]))
    assert whole == pytest.approx(own.iloc[-1] / own.iloc[0])


def test_what_may_be_learned_ends_the_embargo_before_each_fold(walked: Job) -> None:
    days = list(growth(walked, "").index)
    folds = split_in(walked)["folds"]
    for fold in folds[1:]:  # the first one's lies before the judged range
        assert days.index(fold["start"]) - days.index(fold["learned_until"]) == 7


def test_the_page_has_words_ranges_and_folds(walked: Job) -> None:
    page = (walked.folder / "report/report.html").read_text()
    assert "Split walk_forward: test folds that adjoin and end at the last bar." in page
    assert "at least 7 bars are left out: 0 of lookback (the purge) and 7 of embargo." in page
    assert "A subject without training has learned from nothing." in page
    assert page.count('<th scope="row">3</th>') == 1 and "What each fold learned from" not in page


def test_days_that_were_given_are_no_split(make_job: MakeJob) -> None:
    job = make_job(policy="equal", dataset=SYMBOLS, start="2019-01-02", end="2019-12-31", evaluation=FEW)
    run.run(job)
    split = split_in(job)
    assert (split["scheme"], split["lookback"], split["embargo"], split["folds"]) == ("dates", None, None, [])
    assert split["ranges"] == [{"role": "test", "start": "2019-01-02", "end": "2019-12-31", "n_bars": 251, "gap": None}]


class Trained(Equal):
    """Equal weights with the memory of a policy."""

    def learned_spans(self) -> tuple[tuple[str, dt.date, dt.date], ...]:
        return (
            ("train", dt.date(2017, 1, 3), dt.date(2017, 12, 29)),
            ("validation", dt.date(2018, 1, 10), dt.date(2018, 12, 20)),
        )


def test_what_a_policy_learned_from_stands_before_the_test(make_job: MakeJob) -> None:
    job = make_job(policy="equal", dataset=SYMBOLS, start="2019-01-02", end="2019-12-31", evaluation=FEW)
    config = read_config(job, BacktestConfig)
    feed = load_feed(job, config.dataset)
    judge.judge_and_write(job, config, feed, run.judged_range(config, feed), Trained(config))
    ranges = split_in(job)["ranges"]
    assert [row["role"] for row in ranges] == ["train", "validation", "test"]
    open_days = np.array([str(day) for day in feed.bars.session])

    def between(first: str, last: str) -> int:
        return int(((open_days > first) & (open_days <= last)).sum())

    assert [row["n_bars"] for row in ranges[:2]] == [
        between("2017-01-03", "2017-12-29"), between("2018-01-10", "2018-12-20"),
    ]  # fmt: skip
    assert [row["gap"] for row in ranges] == [
        None, between("2017-12-29", "2018-01-10"), between("2018-12-20", "2019-01-02"),
    ]  # fmt: skip
    page = (job.folder / "report/report.html").read_text()
    assert "has learned from nothing" not in page and "2017-12-29" in page


class HardlyValidated(Equal):
    """Chosen on nine days."""

    def learned_spans(self) -> tuple[tuple[str, dt.date, dt.date], ...]:
        return (
            ("train", dt.date(2017, 1, 3), dt.date(2017, 12, 29)),
            ("validation", dt.date(2018, 12, 10), dt.date(2018, 12, 21)),
        )


@pytest.mark.parametrize(("subject", "told"), [(Trained, False), (HardlyValidated, True)])
def test_a_choice_that_few_bars_made_is_stamped(make_job: MakeJob, subject: type[Equal], told: bool) -> None:
    job = make_job(policy="equal", dataset=SYMBOLS, start="2019-01-02", end="2019-12-31", evaluation=FEW)
    config = read_config(job, BacktestConfig)
    feed = load_feed(job, config.dataset)
    summary = judge.judge_and_write(job, config, feed, run.judged_range(config, feed), subject(config))
    stamp = "Only 9 bars were left to validate on, 2018-12-10 to 2018-12-21: which step"
    assert any(text.startswith(stamp) for text in summary["stamps"]) is told


def test_a_torn_file_gives_no_words() -> None:
    for split in ({}, {"scheme": 3}, {"scheme": "x", "ranges": "y"}):
        assert report_rows.split_words(split) == ""
        assert report_rows.range_rows(split) == report_rows.fold_rows(split, {}) == []
