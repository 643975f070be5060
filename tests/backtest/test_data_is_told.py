"""What the quality report holds against the data, and what a policy could not see, reach run page and report."""

import json
from typing import Any

import pytest

from backtest import judge
from backtest.config import BacktestConfig
from backtest.feed import load_feed
from backtest.registry import load
from backtest.run import judged_range, run
from marketdata.config import FeaturesConfig
from runfiles import layout
from runfiles.events import read_events
from runfiles.job import Job
from tests.backtest.conftest import MakeJob

OPEN = "SP500's open repeats the close before it on "
FEW: dict[str, Any] = {"policy": "equal", "evaluation": {"baselines": ["cash"], "bootstrap_paths": 1000}}


def warnings(job: Job) -> list[str]:
    events, _ = read_events(job.folder / layout.EVENTS, 0)
    return [event["data"]["sentence"] for event in events if event["kind"] == "warning"]


def stamps(job: Job) -> list[str]:
    found: list[str] = json.loads((job.folder / "report/summary.json").read_text())["stamps"]
    return found


@pytest.mark.parametrize(("fill", "stamped"), [("auto", True), ("next_open", True), ("next_close", False)])
def test_opens_that_were_filled_in_are_stamped_where_orders_fill_there(
    make_job: MakeJob, fill: str, stamped: bool
) -> None:
    days = {"start": "2004-01-02", "end": "2004-12-31"}
    job = make_job(**FEW, dataset={"id": "sample/us-indices"}, exec={"fill": fill}, **days)
    run(job)

    assert any(OPEN in text for text in warnings(job))
    assert any(text.startswith(OPEN) for text in stamps(job)) is stamped
    assert ("open repeats the close before it" in (job.folder / "report/report.html").read_text()) is stamped


def test_opens_of_other_years_are_not(make_job: MakeJob) -> None:
    """Those of the last year were not filled in; its one bar without volume is told, and not that of 2015."""
    job = make_job(**FEW, dataset={"id": "sample/us-indices"})
    run(job)

    assert any(OPEN in text for text in warnings(job)) and not any("open repeats" in text for text in stamps(job))
    assert any("NASDAQ has a volume of 0 on 2 bars" in text for text in warnings(job))
    assert any("NASDAQ has a volume of 0 on 1 bar, 2018-01-09 first" in text for text in stamps(job))


def test_the_like_of_several_symbols_is_one_sentence(make_job: MakeJob) -> None:
    job = make_job(**FEW, dataset={"id": "sample/us20"}, start="2021-01-04", end="2021-12-31")
    run(job)

    coarse = [text for text in warnings(job) if "rounded to 0.001" in text]
    assert len(coarse) == 1 and coarse[0].startswith("MSFT's close") and coarse[0].endswith("So too UNH, BBY, AAPL.")


def test_a_stamp_is_of_what_was_judged_or_read_for_it(make_job: MakeJob) -> None:
    """The prices of 1990 are rounded; those of 2021 are not, nor those of the year that is read before it."""
    late = make_job(**FEW, dataset={"id": "sample/us20"}, start="2021-01-04", end="2021-12-31")
    run(late)
    faults = ("rounded to 0.001", "bars in a row from 1990", "1990-04-10")
    assert all(any(fault in text for text in warnings(late)) for fault in faults)
    assert not [text for text in stamps(late) if any(fault in text for fault in faults) or "199" in text]
    early = make_job("early", **FEW, dataset={"id": "sample/us20"}, start="1991-01-04", end="1991-12-31")
    run(early)
    assert all(any(fault in text for text in stamps(early)) for fault in faults)


def test_clean_data_is_not_spoken_of(make_job: MakeJob) -> None:
    days = {"start": "2015-01-02", "end": "2021-12-31"}
    job = make_job(**FEW, dataset={"id": "sample/us20", "symbols": ["KO", "XOM"], **days})
    run(job)

    assert warnings(job) == []
    assert all("KO" not in text for text in stamps(job))


def test_features_that_the_data_cannot_give_are_stamped(make_job: MakeJob) -> None:
    """us20 has closes alone: of this set only the return of a bar is left."""
    job = make_job(**FEW, dataset={"id": "sample/us20", "symbols": ["KO", "XOM"]})
    config = BacktestConfig.model_validate(job.config)
    feed = load_feed(job, config.dataset)
    features = FeaturesConfig(feature_set=("ohlcv",))
    judge.judge_and_write(job, config, feed, judged_range(config, feed), load("equal")(config), features)

    missing = "gap, body, high_low, close_location, volume_z(20)"
    assert f"Left out of what the policy sees, as the dataset lacks their columns: {missing}." in stamps(job)


def test_indices_cannot_be_bought_and_have_no_capacity(make_job: MakeJob) -> None:
    job = make_job(**FEW, dataset={"id": "sample/us-indices"}, start="2015-01-02", end="2015-12-31")
    run(job)

    said = (
        "SP500, NASDAQ are indices: nobody can buy them at these levels, and dividends are left out. Market impact and "
        "the participation cap rest on the volume of the members' shares and say nothing."
    )
    assert said in stamps(job)
    assert json.loads((job.folder / layout.DATASET).read_text())["indices"] == ["SP500", "NASDAQ"]
    capacity = json.loads((job.folder / "report/capacity.json").read_text())
    assert capacity == {"modelled": False, "reason": "index", "rows": []}
    assert "Left out: the run holds an index." in (job.folder / "report/report.html").read_text()


def test_stocks_are_no_indices(make_job: MakeJob) -> None:
    job = make_job(**FEW, dataset={"id": "sample/us20", "symbols": ["KO"]}, start="2021-01-04", end="2021-12-31")
    run(job)

    assert all("nobody can buy" not in text for text in stamps(job))
    assert json.loads((job.folder / "report/capacity.json").read_text())["reason"] == "no_volume"
