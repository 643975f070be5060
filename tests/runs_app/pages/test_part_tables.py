"""The tables behind a verdict on the report page: the words of `report.html`, whatever the files hold."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backtest import run as backtest_run
from runfiles import layout, report_rows, report_tables, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job
from runs_app import places, report_parts, report_reader
from runs_app.models import Run
from tests.runs_app.finished_run import finished_training
from tests.runs_app.pages.reading import Reading

CONFIG: dict[str, Any] = {
    "policy": "momentum", "dataset": {"id": "sample/us-indices"},
    "split": {"scheme": "walk_forward", "n_folds": 3, "test_bars": 250, "validation_bars": 100},
    "evaluation": {"baselines": ["cash", "equal"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 100},
}  # fmt: skip
NEW = ("sensitivity", "stress", "capacity", "drawdowns", "intervals", "costs", "sides", "symbols", "periods")
TOLD = ("split", "rules", "diagnosis", "strategies")
ODD = ["", "{}", "[]", '{"rows": 5}', '{"rows": [1, {}, {"strategies": []}, {"strategies": [1]}]}', "a,b\n1,2\n",
       "metric,kind\ncagr,interval\n", '{"rows": [{"strategies": [{}], "status": "left_out"}], "break_even": [1]}',
       "period,return\n20,x\n2019-13,1\n2019,nan\n", '"' + "x" * 200_000]  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a real backtest."""
    from marketdata.setup_samples import put_samples
    from marketdata.store import Store

    datasets, folder = tmp_path_factory.mktemp("datasets"), tmp_path_factory.mktemp("run")
    put_samples(Store(datasets))
    (folder / layout.CONFIG).write_text(yamlio.dump(CONFIG), encoding="utf-8")
    backtest_run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), CONFIG))
    return folder / "report"


@pytest.fixture
def run(owner: Any, judged: Path) -> Run:
    found = finished_training(owner)
    for key in NEW:
        shutil.copyfile(judged / layout.FILES[key].filename, target(found, key))
    shutil.copyfile(judged / "metrics.json", target(found, "metrics"))
    summaries = [json.loads(path.read_text()) for path in (target(found, "summary"), judged / "summary.json")]
    target(found, "summary").write_text(json.dumps(summaries[0] | {key: summaries[1][key] for key in TOLD}))
    return found


def target(run: Run, key: str) -> Path:
    return places.run_folder(run.id) / layout.FILES[key].path


def labels_of(run: Run) -> dict[str, str]:
    return report_reader.labels(run, report_reader.read_summary(run))


def text_of(run: Run, person: Client) -> str:
    answer = person.get(reverse("runs:report", args=[run.id]))
    assert answer.status_code == 200
    return Reading(answer.content.decode()).text


def test_each_table_reads_as_in_the_file(run: Run, person: Client, judged: Path) -> None:
    page = text_of(run, person)
    file = Reading((judged / "report.html").read_text()).text
    split = report_parts.read_json(run, "summary")["split"]
    tables = report_parts.part_tables(run, report_parts.read_json(run, "metrics"), split, labels_of(run))
    assert {part.spec.key for part in tables} == {spec.key for spec in report_tables.TABLES} - {
        "learned"
    }  # of a policy
    for part in tables:
        assert part.spec.title in page and part.spec.note in page and part.spec.note in file
        assert part.text in page and part.text in file
        for row in part.rows:
            line = " ".join(" ".join(one.text for one in row).split())
            assert line in page and line in file, (part.spec.key, line)
        if part.matrix is not None:
            assert part.matrix.title in page and part.matrix.title in file
            assert part.matrix.definition in page and part.matrix.definition in file
            for label, row in part.matrix.rows:
                line = " ".join([label, *(one.text for one in row)])
                assert line in page and line in file, (part.spec.key, line)
        for told in part.left_out:
            assert told in page and told in file


def test_every_strategy_of_every_rerun_is_shown(run: Run, judged: Path) -> None:
    """Read off the files by hand: three strategies, four costs, each window that was run."""
    split = report_parts.read_json(run, "summary")["split"]
    parts = {part.spec.key: part for part in report_parts.part_tables(run, {}, split, labels_of(run))}
    for key, figure in (("sensitivity", "cagr"), ("stress", "total_return")):
        rows = [row for row in json.loads((judged / f"{key}.json").read_text())["rows"] if row["strategies"]]
        matrix = parts[key].matrix
        assert matrix is not None and matrix.heads == ("Momentum", "Cash", "Equal weight")
        assert [[one.exact for one in row] for _, row in matrix.rows] == [
            [repr(float(one[figure])) for one in row["strategies"]] for row in rows
        ]
    assert [label for label, _ in parts["sensitivity"].matrix.rows] == ["0 ×", "1 ×", "2 ×", "5 ×"]


def test_rolling_figures_come_with_the_curves(run: Run, person: Client, judged: Path) -> None:
    for key in ("equity", "rolling"):
        shutil.copyfile(judged / layout.FILES[key].filename, target(run, key))
    found = person.get(reverse("runs:report-data", args=[run.id])).json()
    subject = next(one for one in found["series"] if one["subject"])
    with (judged / "rolling.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    before = len(found["time"]) - len(rows)
    assert before == 126 and found["time"][before] == rows[0]["time"][:10]
    for name in ("sharpe", "volatility", "beta"):
        assert subject[name][:before] == [None] * before
        told = [round(float(row[name]), 6) if row[name] else None for row in rows]
        assert subject[name][before:] == told
    assert all("sharpe" not in one for one in found["series"] if not one["subject"] and not one["benchmark"])


@pytest.mark.parametrize("content", ["", "time,sharpe\n2018-01-02,1\n", "a,b\n", "time,sharpe,volatility,beta\nx,y\n"])
def test_a_torn_rolling_file_leaves_the_curves(run: Run, person: Client, content: str) -> None:
    target(run, "rolling").write_text(content)
    found = person.get(reverse("runs:report-data", args=[run.id])).json()
    assert found["series"] and all("sharpe" not in one for one in found["series"])


def test_rules_read_as_in_the_file(run: Run, person: Client, judged: Path) -> None:
    page, file = text_of(run, person), Reading((judged / "report.html").read_text()).text
    rules = json.loads((judged / "summary.json").read_text())["rules"]
    assert len(rules) > 13
    for one in rules:
        line = f"{one['name']} {one['text']}"
        assert line in page and line in file


def test_diagnosis_reads_as_in_the_file(run: Run, person: Client, judged: Path) -> None:
    page, file = text_of(run, person), Reading((judged / "report.html").read_text()).text
    told = json.loads((judged / "summary.json").read_text())["diagnosis"]
    assert told
    for one in told:
        line = f"{one['issue']} {one['advice']}"
        assert line in page and line in file


def test_months_read_as_in_the_file(run: Run, person: Client, judged: Path) -> None:
    page, file = text_of(run, person), Reading((judged / "report.html").read_text()).text
    for year in report_parts.calendar(run):
        line = " ".join([year.name, *(one.text for one in year.months if one), year.whole.text])
        assert line in page and line in file


def test_words_and_snippet_are_the_same(run: Run, person: Client) -> None:
    page = text_of(run, person)
    for name, text in report_rows.GLOSSARY:
        assert f"{name} {text}" in page
    assert " ".join(report_rows.PANDAS.split()) in page


@pytest.mark.parametrize("content", ODD)
def test_a_file_that_holds_anything_still_gives_a_page(run: Run, person: Client, content: str) -> None:
    for key in NEW:
        whole = target(run, key).read_bytes()
        target(run, key).write_text(content)
        assert "Trades" in text_of(run, person)
        target(run, key).write_bytes(whole)


def test_a_report_without_these_files_has_no_tables(owner: Any, person: Client) -> None:
    page = text_of(finished_training(owner), person)
    assert report_tables.SWEEP.title not in page and "Trades" in page


def test_another_persons_tables_are_missing(run: Run, other_person: Client) -> None:
    assert other_person.get(reverse("runs:report", args=[run.id])).status_code == 404
    for key in NEW:
        assert other_person.get(f"/api/stockbot/runs/{run.id}/files/{key}").status_code == 404


@pytest.mark.parametrize("split", [3, [], {"scheme": []}, {"scheme": "80_20", "ranges": [1, {}], "folds": {"a": 1}}])
def test_a_split_that_is_anything_still_gives_a_page(run: Run, person: Client, split: Any) -> None:
    summary = json.loads(target(run, "summary").read_text())
    target(run, "summary").write_text(json.dumps(summary | {"split": split}))
    assert "Trades" in text_of(run, person)
