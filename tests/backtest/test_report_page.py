"""`report.html` by itself: small, sealed, printable, with the rows of the files beside it and a snippet that runs."""

import csv
import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from backtest import run
from marketdata.catalog import Catalog, provenance
from runfiles import report_rows, report_tables
from tests.backtest.conftest import MakeJob

CONFIG: dict[str, Any] = {
    "policy": "momentum",
    "dataset": {"id": "sample/us-indices"},
    "split": {"scheme": "walk_forward", "n_folds": 4, "test_bars": 880, "validation_bars": 100},
    "evaluation": {
        "baselines": ["cash", "buy_hold", "equal", "benchmark"], "benchmark": "SP500", "bootstrap_paths": 1000,
        "metric_bootstrap_paths": 200,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def report(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from runfiles import layout, yamlio
    from runfiles.events import EventWriter
    from runfiles.job import Job

    folder = tmp_path_factory.mktemp("run")
    stored = Catalog(datasets).find("sample/us-indices")
    config = {**CONFIG, "dataset": {"id": "sample/us-indices", "version": stored.version}}
    told = {**provenance(stored), "indices": []}  # as if they were shares, so that capacity is judged
    (folder / layout.PROVENANCE).write_text(json.dumps(told), encoding="utf-8")
    (folder / layout.CONFIG).write_text(yamlio.dump(config), encoding="utf-8")
    run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), config))
    return folder / "report"


@pytest.fixture(scope="module")
def page(report: Path) -> str:
    return (report / "report.html").read_text(encoding="utf-8")


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def section(page: str, title: str) -> str:
    """From a heading to the end of its section."""
    start = page.index(f"<h2>{title} ")
    return page[start : page.index("</section>", start)]


def test_no_address_no_script_no_frame(page: str) -> None:
    assert not re.search(r"https?:|//[a-z]|<script|<iframe|<link|@import|url\(| src=| href=| on[a-z]+=", page)


def test_it_prints(page: str) -> None:
    assert "@media print" in page and "break-inside:avoid" in page and "print-color-adjust:exact" in page


def test_dark_and_light(page: str) -> None:
    """Dark is for screens alone: paper is white, whatever the reader's machine prefers."""
    assert 'content="light dark"' in page and "@media screen and (prefers-color-scheme:dark)" in page


def test_equity_on_two_scales_without_a_script(page: str) -> None:
    equity = page[page.index("Equity, as a multiple") :]
    assert 'id="scale-log" checked' in equity and 'id="scale-linear"' in equity
    log, linear = equity.split('<div class="log">')[1].split('<div class="linear">')
    first = [re.findall(r'points="([^"]+)"', part)[0] for part in (log, linear)]
    assert first[0] != first[1]


def test_equity_before_costs_on_both_scales(report: Path, page: str) -> None:
    """The last point of the dotted line lies where equity + costs - financing of equity.csv ends."""
    with (report / "equity.csv").open(newline="") as stream:
        first, *_, last = list(csv.DictReader(stream))
    net = float(last["equity"]) / float(first["equity"])
    gross = (float(last["equity"]) + float(last["costs"]) - float(last["financing"])) / float(first["equity"])
    assert gross > net + 0.001
    assert report_rows.BEFORE_COSTS_MEANS in unescape(page) and page.count(">Momentum before costs<") == 3
    linear = page[page.index('<div class="linear">') :]
    linear = linear[: linear.index("</svg>")]
    ticks = {
        float(text): float(y) for y, text in re.findall(r'y="([0-9.]+)" text-anchor="end"[^>]*>([0-9.]+)<', linear)
    }
    (v0, y0), *_, (v1, y1) = ticks.items()
    for mark, value in (("dot", gross), ("own", net)):
        points = re.search(rf'class="curve s[0-9]+ {mark}" points="([^"]+)"', linear).group(1)  # type: ignore[union-attr]
        y = float(points.split(",")[-1])
        assert v0 + (y - y0) / (y1 - y0) * (v1 - v0) == pytest.approx(value, abs=0.01)


OF_POLICIES = {"learned"}
"""Tables of a walk-forward's policies alone: tests/rl/test_walk_forward.py."""


@pytest.mark.parametrize(
    "spec", [spec for spec in report_tables.TABLES if spec.key not in OF_POLICIES], ids=lambda spec: spec.key
)
def test_every_table_with_its_definitions(page: str, spec: report_tables.TableSpec) -> None:
    part = unescape(section(page, spec.title))
    assert spec.note in part
    for column in spec.columns:
        assert f'title="{column.definition}"' in part and column.heading in part


def test_rows_are_those_of_the_files(report: Path, page: str) -> None:
    for key in ("costs", "sides"):
        spec = next(one for one in report_tables.TABLES if one.key == key)
        with (report / f"{key}.csv").open(newline="") as stream:
            rows = [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(stream)]
        told = words(section(page, spec.title))
        for row in report_tables.cells(spec, report_rows.named(rows, spec.columns[0].key)):
            assert " ".join(one.text for one in row) in told
    sweep = json.loads((report / "sensitivity.json").read_text())
    labels = {"cash": "Cash", "buy_hold": "Buy and hold", "equal": "Equal weight", "benchmark": "Benchmark"}
    told = words(section(page, report_tables.SWEEP.title))
    assert report_rows.break_even_words(sweep["break_even"]) in told
    for row in report_tables.cells(report_tables.SWEEP, report_rows.rerun_rows(sweep["rows"], labels)):
        assert " ".join(one.text for one in row) in told


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def test_every_month_and_year(report: Path, page: str) -> None:
    with (report / "periods.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = section(page, "Months")
    for row in rows:
        assert f'title="{row["return"]}"' in told or f'title="{float(row["return"])!r}"' in told, row["period"]


def test_what_is_left_out_says_why(page: str) -> None:
    told = words(section(page, report_tables.STRESS.title))
    assert "Covid: The data reach from 1999-01-04 to 2018-12-31 only." in told


def test_every_strategy_tables_say_what_their_figure_is(page: str) -> None:
    for text in report_rows.RETURN_MEANS.values():
        assert text in unescape(page)


def test_words_are_explained(page: str) -> None:
    body = unescape(page)
    for name, text in report_rows.GLOSSARY:
        assert f"<dt>{name}</dt><dd>{text}</dd>" in body


def test_the_snippet_runs_where_the_files_are(report: Path, page: str) -> None:
    code = unescape(re.search(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL).group(1))  # type: ignore[union-attr]
    assert len(code.splitlines()) == 3
    out = subprocess.run([sys.executable, "-c", code], cwd=report, capture_output=True, text=True, check=True).stdout
    with (report / "periods.csv").open(newline="") as stream:
        years = {row["period"]: float(row["return"]) for row in csv.DictReader(stream) if row["kind"] == "year"}
    assert f"{years['2018']:.4f}"[:6] in out


def test_numbers_are_never_nan(page: str) -> None:
    assert not {"nan", "inf", "None", "NaN"} & set(words(page).split())


@pytest.mark.slow
def test_thirty_years_of_every_baseline_stay_below_a_megabyte(make_job: MakeJob) -> None:
    job = make_job(policy="equal", dataset={"id": "sample/us20"}, start="1990-01-02", end="2022-12-28")
    run.run(job)
    assert (job.folder / "report/report.html").stat().st_size < 1_000_000


def test_a_spike_is_drawn(page: str) -> None:
    """A fall of one bar among thousands is within what is drawn, to its depth."""
    import numpy as np

    from backtest.report_charts import Series, line_chart

    values = np.ones(8313)
    values[4321] = 0.25
    days = np.arange("1990-01-01", "2012-10-05", dtype="datetime64[D]")[:8313]
    chart = line_chart("x", [Series("x", 1, True, False, values)], days)
    heights = [float(point.split(",")[1]) for point in chart.lines[0].points.split()]
    assert len(heights) < 900 and max(heights) - min(heights) > 240
