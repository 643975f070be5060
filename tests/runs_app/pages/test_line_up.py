"""A report names its strategies as they were called when it was written, whatever the registry says today."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backtest.registry import STRATEGIES
from runfiles import layout
from runs_app import places
from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading

LINE_UP = [
    {"key": "policy", "label": "The agent", "series": 1},
    {"key": "cash", "label": "Idle money", "series": 2},
    {"key": "old_mix", "label": "A mix of old", "series": 12},
]
EXCESS = {"baseline": "old_mix", "excess_per_year": -0.1, "low": -0.4, "high": 0.2, "p": 0.8, "equal_risk_excess": 0.0,
          "equal_risk_low": -0.1, "equal_risk_high": 0.1, "dsr": None}  # fmt: skip


def report_folder(run: Run) -> Path:
    return places.run_folder(run.id) / layout.REPORT


def tell(run: Run, **changes: Any) -> None:
    path = report_folder(run) / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def run(owner: Any) -> Run:
    """A training against cash and a baseline that is no longer in the registry, which was the hardest."""
    found = finished_training(owner)
    shutil.copytree(report_folder(found) / "baselines" / "cash", report_folder(found) / "baselines" / "old_mix")
    verdict = {**found.verdict, "baseline": "old_mix"}
    Run.objects.filter(pk=found.pk).update(verdict=verdict)
    tell(found, strategies=LINE_UP, verdict=verdict, excesses=[EXCESS])
    return found


def text_of(person: Client, name: str, run: Run) -> str:
    return Reading(person.get(reverse(name, args=[run.id])).content.decode()).text


def test_the_report_shows_who_was_judged_by_the_names_of_then(run: Run, person: Client) -> None:
    page = text_of(person, "runs:report", run)
    assert "over the best baseline, A mix of old" in page
    assert "A mix of old −10.0 −40.0 +20.0" in page
    assert "The agent" in page and "Idle money" in page
    assert STRATEGIES["equal"].label not in page and STRATEGIES["momentum"].label not in page


def test_the_curves_are_theirs(run: Run, person: Client) -> None:
    series = person.get(reverse("runs:report-data", args=[run.id])).json()["series"]
    assert [(one["label"], one["series"]) for one in series] == [(one["label"], one["series"]) for one in LINE_UP]


def test_the_runs_page_too(run: Run, person: Client) -> None:
    assert "over the best baseline, A mix of old" in text_of(person, "runs:detail", run)


def test_a_report_older_than_the_list_has_the_registrys(owner: Any, person: Client) -> None:
    page = text_of(person, "runs:report", finished_training(owner))
    assert all(spec.label in page for spec in STRATEGIES.values())


ODD = [None, 3, {}, [], [1], [{}], [{"key": "cash"}], [{"key": ["cash"], "label": 1, "series": "x"}]]


@pytest.mark.parametrize("odd", ODD)
def test_a_list_that_is_anything_is_passed_over(owner: Any, person: Client, odd: Any) -> None:
    run = finished_training(owner)
    tell(run, strategies=odd)
    assert STRATEGIES["cash"].label in text_of(person, "runs:report", run)
