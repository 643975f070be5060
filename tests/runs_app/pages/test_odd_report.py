"""Report files that hold anything at all still give pages, and JSON that is JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runs_app import harvest, places
from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading

LONE = "\ud800"
ODD = ["text", [1], {"a": 1}, 5, True, None, 10**400, float("nan"), float("inf"), LONE, [LONE], {LONE: LONE}]


@pytest.fixture
def run(owner: Any) -> Run:
    return finished_training(owner)


def report(run: Run) -> Path:
    return places.run_folder(run.id) / "report"


def set_summary(run: Run, **changes: Any) -> None:
    path = report(run) / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def looks_well(run: Run, person: Client) -> str:
    answer = person.get(reverse("runs:report", args=[run.id]))
    assert answer.status_code == 200
    return Reading(answer.content.decode()).text


def test_parts_of_the_summary_of_another_kind(run: Run, person: Client) -> None:
    for odd in ODD:
        set_summary(run, verdict=odd, stamps=odd, range=odd, metrics=odd)
        looks_well(run, person)


def test_every_entry_of_the_verdict_of_another_kind(run: Run, person: Client) -> None:
    verdict = json.loads((report(run) / "summary.json").read_text())["verdict"]
    for odd in ODD:
        set_summary(run, verdict=dict.fromkeys(verdict, odd), stamps=[odd, "kept"])
        assert "kept" in looks_well(run, person)


def test_metrics_of_another_kind(run: Run, person: Client) -> None:
    path = report(run) / "metrics.json"
    names = json.loads(path.read_text())
    for odd in ODD:
        for content in (dict.fromkeys(names, odd), odd):
            path.write_text(json.dumps(content))
            looks_well(run, person)


def test_what_is_harvested_can_be_stored_and_shown(run: Run, person: Client) -> None:
    whole = json.loads((report(run) / "summary.json").read_text())
    for odd in ODD:
        verdict, metrics = (dict.fromkeys(whole[key], odd) for key in ("verdict", "metrics"))
        set_summary(run, verdict=verdict, metrics=metrics)
        found = harvest.gather(run.id, ended_well=False)
        run.metrics, run.verdict, run.baselines = found.metrics, found.verdict, found.baselines
        json.dumps([run.metrics, run.verdict], allow_nan=False, ensure_ascii=False).encode()
        run.save(update_fields=["metrics", "verdict", "baselines"])
        for name, arguments in (("runs:list", []), ("runs:detail", [run.id]), ("runs:report", [run.id])):
            assert person.get(reverse(name, args=arguments)).status_code == 200


HEAD = "time,equity,drawdown\n2022-12-27T21:00:00Z,100,0\n"


TORN = [
    "", HEAD + "2022-12-28", HEAD + "2022-12-28T21:00:00Z,1", HEAD + "2022-12-28T21:00:00Z,x,0",
    HEAD + "2022-12-28T21:00:00Z,nan,0", HEAD + "2022-12-28T21:00:00Z,100,inf", HEAD + "yesterday,100,0",
    HEAD.replace("100", "0"), HEAD.replace("100", "-5"), HEAD.replace("100", "1e-320") + "2022-12-28T21:00:00Z,1e300,0",
    "a,b\n1,2\n", HEAD + "2022-12-28T21:00:00Z,100," + "1" * 200_000,
]  # fmt: skip


def test_a_torn_curve_is_left_out_and_the_others_are_shown(run: Run, person: Client) -> None:
    """The subject's own as well as a baseline's: whichever comes first gives the days."""
    for content in TORN:
        for place in (report(run), report(run) / "baselines" / "equal"):
            whole = (place / "equity.csv").read_text()
            (place / "equity.csv").write_text(content)
            answer = person.get(reverse("runs:report-data", args=[run.id]))
            (place / "equity.csv").write_text(whole)
            assert answer.status_code == 200
            keys = {one["key"] for one in answer.json()["series"]}
            torn = "equity" if place == report(run) else "equal.equity"
            assert torn not in keys and {"equity", "equal.equity", "cash.equity"} - {torn} <= keys
            assert b"NaN" not in answer.content and b"Infinity" not in answer.content


@pytest.mark.parametrize("table", ["orders", "trades"])
def test_a_cell_that_is_no_finite_number_shows_its_text(run: Run, person: Client, table: str) -> None:
    path = report(run) / f"{table}.csv"
    head = path.read_text().splitlines()[0]
    for odd in ("nan", "inf", "-inf", "1e999"):
        path.write_text(head + "\n" + ",".join([odd] * len(head.split(","))) + "\n")
        answer = person.get(reverse("runs:report-table", args=[run.id, table]))
        assert answer.status_code == 200
        assert f'<td class="n">{odd}</td>' in answer.content.decode()
