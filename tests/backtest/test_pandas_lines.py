"""The lines that open a report in pandas run in its folder, and give the years of its own table."""

import contextlib
import csv
import io
import os
from pathlib import Path

import pytest

from backtest import run
from runfiles.report_rows import PANDAS
from tests.backtest.conftest import MakeJob


def years(folder: Path) -> dict[str, float]:
    """What they print, by year."""
    told, here = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(told):
            exec(PANDAS, {})
    finally:
        os.chdir(here)
    rows = [line.split() for line in told.getvalue().splitlines() if line[:2] == "20"]
    return {row[0][:4]: float(row[-1]) for row in rows}


def test_on_paper_the_first_year_begins_with_the_first_point(tmp_path: Path) -> None:
    rows = ["2019-12-31,90", "2020-06-30,100", "2020-12-31,99", "2021-12-31,110"]
    (tmp_path / "equity.csv").write_text("time,equity\n" + "\n".join(rows) + "\n")
    assert years(tmp_path) == {"2020": pytest.approx(0.1), "2021": pytest.approx(110 / 99 - 1, rel=1e-5)}


def test_they_agree_with_the_report(make_job: MakeJob) -> None:
    job = make_job(
        policy="equal", dataset={"id": "sample/us20"}, start="2019-06-03", end="2021-03-31",
        evaluation={"baselines": ["cash"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 100,
                    "stress_windows": [], "cost_multipliers": [], "capacity_multipliers": []},
    )  # fmt: skip
    run.run(job)
    with (job.folder / "report/periods.csv").open(newline="") as stream:
        own = {row["period"]: float(row["return"]) for row in csv.DictReader(stream) if len(row["period"]) == 4}
    assert years(job.folder / "report") == {year: pytest.approx(change, abs=1e-5) for year, change in own.items()}
