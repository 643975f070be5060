"""A whole backtest in process: files, columns, identities, the same bytes twice."""

import csv
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import escape

from backtest import judge, run
from backtest.config import BacktestConfig
from backtest.feed import load_feed, read_config
from backtest.judged_hash import judged_hash
from runfiles import layout
from runfiles.events import read_events
from runfiles.job import Job
from runfiles.metric_keys import METRICS
from tests.backtest.conftest import MakeJob

COLUMNS = {
    "equity": "time,equity,cash,gross,net,drawdown,financing,costs",
    "orders": "id,decided,filled,symbol,side,qty_target,qty_filled,price_ref,price_fill,"
    "commission,spread,impact,reason",
    "trades": "id,symbol,side,qty,entry_time,entry_price,exit_time,exit_price,pnl_gross,fees,slippage,"
    "pnl_net,bars,open",
    "weights": "time,AAPL,KO,XOM",
    "symbols": "symbol,pnl_gross,fees,slippage,dividends,financing,pnl_net",
    "metrics_csv": "metric,label,unit,value",
}
CONFIG: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": "sample/us20", "symbols": ["AAPL", "KO", "XOM"]},
    "start": "2019-01-02",
    "end": "2019-12-31",
    "margin": {"cash_yield_apr": 0.02},
    "evaluation": {"baselines": ["cash", "buy_hold", "equal", "random"], "bootstrap_paths": 1000},
}


@pytest.fixture
def finished(make_job: MakeJob) -> Job:
    job = make_job(**CONFIG)
    run.run(job)
    return job


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def column(path: Path, name: str) -> np.ndarray:
    return np.array([float(row[name] or "nan") for row in table(path)])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_file_with_the_columns_of_the_contract(finished: Job) -> None:
    report = finished.folder / layout.REPORT
    assert (report / layout.REPORT_HTML).is_file()
    for folder in (report, *(report / "baselines" / key for key in ("cash", "buy_hold", "random"))):
        assert {path.name for path in folder.iterdir() if path.is_file()} >= {
            n for n, _, _ in layout.REPORT_FILES.values()
        }
        for key, header in COLUMNS.items():
            with (folder / layout.REPORT_FILES[key][0]).open(encoding="utf-8") as stream:
                assert stream.readline().rstrip("\n") == header
    assert not (report / "baselines" / "equal").exists()


def test_the_tables_account_for_the_last_cent(finished: Job) -> None:
    """E_N − E_0 = Σ net by symbol with interest = Σ trades and open lots + financing; costs are those of the orders."""
    for folder in (finished.folder / "report", finished.folder / "report" / "baselines" / "random"):
        equity, costs = column(folder / "equity.csv", "equity"), column(folder / "equity.csv", "costs")
        gain, near = equity[-1] - equity[0], 1e-9 * equity[0]
        financing = column(folder / "equity.csv", "financing")[-1]
        orders = sum(np.nansum(column(folder / "orders.csv", name)) for name in ("commission", "spread", "impact"))
        assert column(folder / "symbols.csv", "pnl_net").sum() == pytest.approx(gain, abs=near)
        assert column(folder / "trades.csv", "pnl_net").sum() + financing == pytest.approx(gain, abs=near)
        assert orders == pytest.approx(costs[-1], abs=near)
        weights = sum(column(folder / "weights.csv", symbol) for symbol in ("AAPL", "KO", "XOM"))
        assert weights == pytest.approx(column(folder / "equity.csv", "net"), abs=1e-12)


def test_cash_earns_its_yield_and_is_the_riskless_rate(finished: Job) -> None:
    cash = json.loads((finished.folder / "report/baselines/cash/summary.json").read_text())
    assert cash["metrics"]["total_return"] == pytest.approx(0.02 * 363 / 365, rel=0.02)
    assert cash["metrics"]["sharpe"] is None and cash["metrics"]["n_orders"] == 0


def test_the_summary_is_that_of_the_contract(finished: Job) -> None:
    summary = json.loads((finished.folder / "report/summary.json").read_text())
    assert {"strategy", "range", "metrics", "verdict", "stamps", "config_hash", "dataset_sha256"} <= set(summary)
    assert summary["strategy"] == "equal"
    assert summary["range"] == {"start": "2019-01-02", "end": "2019-12-31", "n_bars": 251}
    assert list(summary["metrics"]) == list(METRICS)
    assert summary["metrics"] == json.loads((finished.folder / "report/metrics.json").read_text())
    assert [one["baseline"] for one in summary["excesses"]] == ["cash", "buy_hold", "random"]
    assert summary["strategies"][:2] == [
        {"key": "equal", "label": "Equal weight", "series": 4}, {"key": "cash", "label": "Cash", "series": 2},
    ]  # fmt: skip
    assert json.loads((finished.folder / "report/baselines/cash/summary.json").read_text())["strategies"] == []
    assert summary["verdict"]["code"] in ("not_shown", "worse") and summary["verdict"]["n_bars"] == 251
    assert any("Survivors only" in text for text in summary["stamps"])
    assert not any("Cash earns nothing" in text for text in summary["stamps"])


def test_metrics_agree_with_the_equity_they_stand_beside(finished: Job) -> None:
    equity = column(finished.folder / "report/equity.csv", "equity")
    cash = column(finished.folder / "report/baselines/cash/equity.csv", "equity")
    metrics = json.loads((finished.folder / "report/metrics.json").read_text())
    above = equity[1:] / equity[:-1] - cash[1:] / cash[:-1]
    assert metrics["sharpe"] == pytest.approx(above.mean() / above.std(ddof=1) * 252**0.5)
    assert metrics["total_return"] == pytest.approx(equity[-1] / equity[0] - 1)


def test_at_equal_risk_against_cash_is_the_plain_mean_a_year(finished: Job) -> None:
    """Cash has no risk of its own, so nothing is scaled: P·mean(r − rf), and no e^x − 1 of it."""
    equity = column(finished.folder / "report/equity.csv", "equity")
    cash = column(finished.folder / "report/baselines/cash/equity.csv", "equity")
    above = equity[1:] / equity[:-1] - cash[1:] / cash[:-1]
    summary = json.loads((finished.folder / "report/summary.json").read_text())
    assert summary["excesses"][0]["baseline"] == "cash"
    assert summary["excesses"][0]["equal_risk_excess"] == pytest.approx(252 * above.mean(), rel=1e-9)


def test_the_same_again_gives_the_same_bytes(make_job: MakeJob, finished: Job) -> None:
    """Another folder, another label, another day: nothing below report/ may show it."""
    again = make_job("another-run", **CONFIG, out_tag="second try")
    run.run(again)
    assert contents(again.folder / "report") == contents(finished.folder / "report")


def test_nothing_in_the_report_points_outside_or_at_the_run(finished: Job) -> None:
    page = (finished.folder / "report/report.html").read_text()
    assert "<script" not in page and "http" not in page and "url(" not in page and " src=" not in page
    assert str(finished.folder) not in page and finished.folder.name + "/" not in page


def test_the_page_begins_with_the_verdict_and_explains_each_figure(finished: Job) -> None:
    page = (finished.folder / "report/report.html").read_text()
    summary = json.loads((finished.folder / "report/summary.json").read_text())
    body = page[page.index("<body>") :]
    assert str(escape(summary["verdict"]["sentence"])) in body
    assert body.index("verdict") < body.index("<h2>")
    for spec in METRICS.values():
        assert str(escape(spec.definition)) in body, spec.key
    for text in summary["stamps"]:
        assert str(escape(text)) in body
    # equity of four strategies and of the subject before costs on two scales, drawdown of the four, and three rolling
    # figures of the subject
    assert body.count("<polyline") == (4 + 1) * 2 + 4 + 3
    assert not {"nan", "inf", "None"} & set(re.sub(r"<[^>]*>", " ", body).split())


def test_events_go_through_the_phases(finished: Job) -> None:
    events, _ = read_events(finished.folder / layout.EVENTS, 0)
    assert [event["phase"] for event in events if event["kind"] == "phase"] == ["data", "judge", "report"]
    last = [event for event in events if event["kind"] == "progress"][-1]
    assert last["step"] == last["total"]
    assert next(event for event in events if event["kind"] == "metric")["data"]["cagr"] is not None


def test_text_from_a_dataset_is_escaped(make_job: MakeJob) -> None:
    job = make_job("hostile", **CONFIG)
    config = read_config(job, BacktestConfig)
    feed = load_feed(job, config.dataset)
    feed = dataclasses.replace(feed, entry=dataclasses.replace(feed.entry, title="<img src=x onerror=alert(1)>"))
    judge.judge_and_write(job, config, feed, run.judged_range(config, feed), run.subject_of(job, config))
    page = (job.folder / "report/report.html").read_text()
    assert "<img" not in page and "&lt;img src=x" in page


def test_a_setting_that_is_judged_changes_the_hash_and_a_label_does_not(make_job: MakeJob) -> None:
    def digest(name: str, **changes: Any) -> str:
        job = make_job(name, **{**CONFIG, **changes})
        config = read_config(job, BacktestConfig)
        feed = load_feed(job, config.dataset)
        return judged_hash(config, feed, run.judged_range(config, feed), config.features)

    base = digest("a")
    assert digest("b", out_tag="x") == base
    policy = {"policy": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}  # a baseline is given no length of an episode
    assert digest("c", **policy, episode={"max_steps": 99}) == digest("p", **policy)
    for name, change in {
        "fees": {"taker_bps": 3.0}, "episode": {"start_cash": 5.0}, "evaluation": {"seed": 1}, "end": "2019-12-30",
        "dataset": {"id": "sample/us20", "symbols": ["KO", "AAPL", "XOM"]},
    }.items():  # fmt: skip
        assert digest(name, **{name: change}) != base, name


def test_interest_earned_is_told_as_earned(finished: Job) -> None:
    """2 % a year on cash alone: 200 bps of mean equity less what compounding does, and no cost of −200."""
    metrics = json.loads((finished.folder / "report/baselines/cash/summary.json").read_text())["metrics"]
    assert metrics["cost_drag_bps"] == pytest.approx(-200, rel=0.02)
    page = (finished.folder / "report/report.html").read_text()
    assert re.search(r">(19|20)\d earned<", page) and ">Interest earned<" in page


def test_cuts_of_a_fund_are_told_as_those_of_its_books(make_job: MakeJob) -> None:
    """Three symbols and a cap of 30 %: each book's largest weight is above it at each of 12 or 13 decisions."""
    job = make_job(**{**CONFIG, "margin": {"max_position_weight": 0.3}})
    run.run(job)
    stamps = json.loads((job.folder / "report/summary.json").read_text())["stamps"]
    found = next(text for text in stamps if text.startswith("The mandate's caps cut decisions of baselines"))
    told = re.search(r"Random (\d+)× \(in all of its 20 books\)", found)
    equal = next(text for text in stamps if "decisions of Equal weight" in text)
    assert told and int(told[1]) == 20 * int(re.findall(r"cut (\d+) decisions", equal)[0])
