"""The report page shows what the report files say: verdict, metrics, curves, orders and trades."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backtest.registry import STRATEGIES
from runfiles.metric_keys import METRICS
from runs_app import places
from runs_app.models import Run
from tests.runs_app.finished_run import ORDERS, STAMPS, VERDICT, finished_training
from tests.runs_app.pages.reading import Reading


@pytest.fixture
def run(owner: Any) -> Run:
    return finished_training(owner)


def folder(run: Run) -> Path:
    return places.run_folder(run.id) / "report"


def test_verdict_comes_first_then_the_stamps(run: Run, person: Client) -> None:
    text = Reading(person.get(reverse("runs:report", args=[run.id])).content.decode()).text
    assert "+2.10 %/yr over the best baseline, Inverse volatility [−0.900, +5.20] · not shown to be skill" in text
    assert text.index(VERDICT["sentence"]) < text.index(STAMPS[0]) < text.index("Metrics")  # type: ignore[arg-type]
    for stamp in STAMPS:
        assert stamp in text


def test_only_a_verdict_on_unseen_bars_is_headed_out_of_sample(run: Run, person: Client) -> None:
    """`seen` counts the bars that the policy was trained or selected on."""
    path = folder(run) / "summary.json"
    summary = json.loads(path.read_text())
    for seen, headed in ((0, True), (200, False)):
        summary["verdict"] = {**VERDICT, "seen": seen}
        path.write_text(json.dumps(summary))
        page = Reading(person.get(reverse("runs:report", args=[run.id])).content.decode())
        assert ("out of sample" in page.text) == headed


def test_every_metric_of_every_strategy_with_its_definition(run: Run, person: Client) -> None:
    page = Reading(person.get(reverse("runs:report", args=[run.id])).content.decode())
    terms = [found for tag, found in page.tags if found.get("class") == "sb-term"]
    assert len(terms) == len(METRICS)
    assert {found["title"] for found in terms} == {spec.definition for spec in METRICS.values()}
    titles = [found.get("title") for _, found in page.tags]
    for key in STRATEGIES:
        path = folder(run) / "metrics.json" if key == "policy" else folder(run) / "baselines" / key / "metrics.json"
        kurtosis = json.loads(path.read_text())["kurtosis"]
        assert repr(kurtosis) in titles  # all digits on hover
        assert STRATEGIES[key].label in page.text


def test_an_undefined_metric_is_a_dash(run: Run, person: Client) -> None:
    page = Reading(person.get(reverse("runs:report", args=[run.id])).content.decode())
    assert "undefined" in [found.get("title") for _, found in page.tags]
    assert "nan" not in page.text.lower().split()
    assert "None" not in page.text


def test_the_subject_before_costs_is_its_equity_with_costs_and_financing_out(run: Run, person: Client) -> None:
    path = folder(run) / "equity.csv"
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    for bar, row in enumerate(rows):
        row["financing"] = str(-2.0 * bar)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    series = person.get(reverse("runs:report-data", args=[run.id])).json()["series"]
    start = float(rows[0]["equity"])
    known = [(float(row["equity"]) + 3.1 * bar + 2.0 * bar) / start for bar, row in enumerate(rows)]
    assert series[0]["before_costs"] == pytest.approx(known, abs=1e-6)
    assert all("before_costs" not in one for one in series[1:])


def test_curves_are_the_equity_files_from_one(run: Run, person: Client) -> None:
    data = person.get(reverse("runs:report-data", args=[run.id])).json()
    assert len(data["series"]) == len(STRATEGIES)
    assert data["series"][0]["subject"] is True
    assert [one["series"] for one in data["series"]] == [spec.series for spec in STRATEGIES.values()]
    with (folder(run) / "baselines" / "equal" / "equity.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    equal = next(one for one in data["series"] if one["key"] == "equal.equity")
    assert data["time"] == [row["time"][:10] for row in rows]
    assert equal["equity"][0] == 1
    assert equal["equity"][-1] == pytest.approx(float(rows[-1]["equity"]) / float(rows[0]["equity"]), abs=1e-6)
    assert equal["drawdown"] == pytest.approx([float(row["drawdown"]) for row in rows], abs=1e-6)


def test_several_bars_a_day_are_told_by_the_second(run: Run, person: Client) -> None:
    for path in folder(run).rglob("equity.csv"):
        head, *rows = path.read_text().splitlines()
        cells = [row.split(",", 1)[1] for row in rows]
        path.write_text("\n".join([head, *(f"2020-01-02T15:{m:02d}:00Z,{rest}" for m, rest in enumerate(cells[:50]))]))
    time = person.get(reverse("runs:report-data", args=[run.id])).json()["time"]
    assert time[:2] == [1577977200, 1577977260] and len(time) == 50


def test_curves_are_not_sent_twice(run: Run, person: Client) -> None:
    address = reverse("runs:report-data", args=[run.id])
    first = person.get(address)
    again = person.get(address, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    path = folder(run) / "equity.csv"
    path.write_text(path.read_text() + "\n")
    assert person.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_orders_come_page_by_page(run: Run, person: Client) -> None:
    address = reverse("runs:report-table", args=[run.id, "orders"])
    seen: list[str] = []
    for page in range(1, 7):
        text = Reading(person.get(f"{address}?page={page}").content.decode()).text
        assert f"{20 * page - 19}–{20 * page}" in text
        assert ("Later" in text) == (page < ORDERS / 20)
        seen.append(text)
    assert len(set(seen)) == 6
    assert "No orders on this page." in Reading(person.get(f"{address}?page=7").content.decode()).text


@pytest.mark.parametrize(
    "query",
    ["?page=0", "?page=-1", "?page=x", "?page=1e3", "?page=99999999999", "?page=" + "9" * 5000],
)
def test_a_page_that_is_no_page_is_not_found(query: str, run: Run, person: Client) -> None:
    assert person.get(reverse("runs:report-table", args=[run.id, "orders"]) + query).status_code == 404


@pytest.mark.parametrize("table", ["equity", "..", "job_log", "orders.csv"])
def test_only_orders_and_trades_are_tables(table: str, run: Run, person: Client) -> None:
    assert person.get(f"/runs/{run.id}/report/{table}").status_code == 404


def test_a_torn_report_still_gives_a_page(run: Run, person: Client) -> None:
    (folder(run) / "metrics.json").write_text('{"sharpe": 1.')
    (folder(run) / "orders.csv").unlink()
    answer = person.get(reverse("runs:report", args=[run.id]))
    assert answer.status_code == 200
    assert "left no report" in Reading(answer.content.decode()).text


def test_a_report_that_is_being_written_is_not_shown_yet(run: Run, person: Client) -> None:
    (folder(run) / "summary.json").unlink()
    Run.objects.filter(pk=run.pk).delete()
    run.state, run.ended, run.verdict = "RUNNING", None, {}
    run.save(force_insert=True)
    answer = person.get(reverse("runs:report", args=[run.id]))
    assert answer.status_code == 200
    text = Reading(answer.content.decode()).text
    assert "The report is written when the run has judged its policy. It is running now." in text
    assert "Equity" not in text


@pytest.mark.parametrize("odd", ["", "0.1", [], {}, True, None, 10**400], ids=lambda odd: repr(odd)[:9])
def test_what_is_no_number_is_a_dash(run: Run, person: Client, odd: Any) -> None:
    summary = json.loads((folder(run) / "summary.json").read_text())
    summary["verdict"] |= dict.fromkeys(("excess_per_year", "low", "high", "power", "n_bars", "trials"), odd)
    (folder(run) / "summary.json").write_text(json.dumps(summary))
    metrics = json.loads((folder(run) / "metrics.json").read_text())
    (folder(run) / "metrics.json").write_text(json.dumps(dict.fromkeys(metrics, odd)))
    answer = person.get(reverse("runs:report", args=[run.id]))
    assert answer.status_code == 200
    assert "Bars —" in " ".join(Reading(answer.content.decode()).text.split())


def test_a_running_run_says_when_there_will_be_a_report(owner: Any, person: Client) -> None:
    run = Run.objects.create(owner=owner, kind="train", config={}, config_hash="0" * 64, state="RUNNING")
    text = Reading(person.get(reverse("runs:report", args=[run.id])).content.decode()).text
    assert "The report is written when the run has judged its policy. It is running now." in text
