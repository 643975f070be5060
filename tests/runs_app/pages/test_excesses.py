"""The report page shows the excess over each baseline, how to read it, and which columns are only shown."""

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from backtest.registry import BASELINES, STRATEGIES
from runfiles import excess_words
from runs_app import places
from runs_app.excess_table import COLUMNS, excess_rows, shown_only
from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading

FILE = "backtest/templates/report.html"
MOMENTUM = {
    "baseline": "momentum", "excess_per_year": -0.1626, "low": -0.449, "high": 0.273, "p": 0.7976,
    "equal_risk_excess": -0.0842, "equal_risk_low": -0.2223, "equal_risk_high": 0.0882, "dsr": None,
}  # fmt: skip


def read(run: Run, person: Client, excesses: Any) -> Reading:
    path = places.run_folder(run.id) / "report" / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "excesses": excesses}))
    return Reading(person.get(reverse("runs:report", args=[run.id])).content.decode())


def test_a_row_for_each_baseline_that_counts(owner: Any, person: Client) -> None:
    text = read(finished_training(owner), person, [MOMENTUM]).text
    table = text[text.index("Against each baseline") :]
    assert "Momentum −16.3 −44.9 +27.3 0.798 −8.42 −22.2 +8.82 —" in table
    assert excess_words.RATIO in table and excess_words.LIMITS in table


def test_columns_that_do_not_count_are_marked(owner: Any, person: Client) -> None:
    counted = [{**MOMENTUM, "baseline": key} for key in BASELINES if key not in ("benchmark", "first_long")]
    text = read(finished_training(owner), person, counted).text
    for key in BASELINES:
        marked = f"{STRATEGIES[key].label} {excess_words.SHOWN_ONLY}" in text
        assert marked == (key in ("benchmark", "first_long")), key
    assert f"{STRATEGIES['policy'].label} {excess_words.SHOWN_ONLY}" not in text


def test_without_excesses_there_is_no_table_and_no_mark(owner: Any, person: Client) -> None:
    text = read(finished_training(owner), person, None).text
    assert "Against each baseline" not in text and excess_words.SHOWN_ONLY not in text


@pytest.mark.parametrize("odd", [{}, "x", [1], [{}], [{"baseline": []}], [{"baseline": "own", "p": "x", "low": True}]])
def test_whatever_the_file_holds_it_is_read(odd: Any) -> None:
    rows = excess_rows({"excesses": odd}, {})
    assert all({cell.text for cell in row.cells} == {"—"} and len(row.cells) == len(COLUMNS) for row in rows)
    assert shown_only({"excesses": odd}, ["own"]) <= {"own"}


def test_report_and_page_use_the_same_words_for_the_verdicts_facts() -> None:
    page, file = ((settings.BASE_DIR / name).read_text() for name in ("templates/runs/report.html", FILE))
    heads = re.findall(r"<dt>([^<{]+)</dt>", page)
    assert heads == re.findall(r"<dt>([^<{]+)</dt>", file)
    assert "Deflated Sharpe (DSR)" in heads and "Could show from, % a year" in heads and "Seeds" in heads
