"""`report.html` says which strategies are only shown, what an excess is, and what stands for the benchmark."""

import re
from typing import Any

import pytest
from markupsafe import escape

from backtest import run
from runfiles import excess_words
from tests.backtest.conftest import MakeJob
from tests.backtest.test_judge import CONFIG


def page_of(make_job: MakeJob, benchmark: str | None) -> str:
    baselines: dict[str, Any] = {"baselines": ["cash", "buy_hold", "benchmark", "first_long"], "benchmark": benchmark}
    job = make_job(**{**CONFIG, "evaluation": {**baselines, "bootstrap_paths": 1000}})
    run.run(job)
    return (job.folder / "report/report.html").read_text()


@pytest.mark.parametrize(
    ("benchmark", "only_shown", "note"),
    [
        (None, ["Benchmark", "First symbol"], "Buy and hold stands for it: no symbol is named."),
        ("KO", ["First symbol"], "KO bought and held."),
    ],
)
def test_what_is_only_shown_is_marked(
    make_job: MakeJob, benchmark: str | None, only_shown: list[str], note: str
) -> None:
    page = page_of(make_job, benchmark)
    figures = page[page.index("<h2>Figures</h2>") :]
    head = figures[figures.index("<thead>") : figures.index("</thead>")]
    marked = re.findall(rf"</span>([A-Za-z ]+)<span[^>]*>{excess_words.SHOWN_ONLY}<", head)
    assert marked == only_shown
    assert f"<dt>Benchmark</dt><dd>{note}</dd>" in page


def test_the_table_of_excesses_says_how_to_read_it(make_job: MakeJob) -> None:
    page = page_of(make_job, None)
    table = page[page.index("Against each baseline") : page.index("All other figures")]
    assert str(escape(excess_words.RATIO)) in table
    assert str(escape(excess_words.LIMITS)) in table
