"""`report.html` says which strategies are only shown, what an excess is, and what stands for the benchmark."""

import re
from typing import Any

import pytest
from markupsafe import escape

from backtest import run
from runfiles import excess_words, report_rows
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


def test_who_finds_no_fill_in_a_row_is_named_with_the_worst_of_them() -> None:
    """Under a delay a limit may never be touched: a yardstick that is left in cash is no yardstick."""

    def row(bars: int, **filled: float | None) -> dict[str, Any]:
        others = [{"strategy": key, "filled": share} for key, share in filled.items()]
        return {"bars": bars, "strategies": [{"strategy": "policy", "filled": 0.1}, *others]}

    labels = {"policy": "PPO policy", "buy_hold": "Buy and hold", "equal": "Equal weight", "cash": "Cash"}
    rows = [row(0, buy_hold=0.98, equal=0.995, cash=None), row(1, buy_hold=0.4, equal=1.0), row(3, buy_hold=0.0)]
    said = report_rows.cut_words(rows, labels, report_rows.late_name)
    assert "at the least: Buy and hold 0 % with decisions 3 bars later." in said and "Equal" not in said
    assert report_rows.cut_words(rows[:1], labels, report_rows.late_name).count("as configured") == 1
    assert report_rows.cut_words([row(0, equal=1.0), "no row", {}], labels, report_rows.late_name) == ""
    assert report_rows.cost_name({"multiplier": 2.0}) == "at 2 × the costs"
    assert report_rows.money_name({"multiplier": 20}) == "at 20 × the money"
