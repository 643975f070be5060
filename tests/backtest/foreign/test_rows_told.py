"""Which rows were judged is told as it is: a return is of its own day, and the start is no row of a file of returns."""

import re

import pytest

from backtest.foreign import run
from runfiles import layout
from runfiles.job import JobRefused
from tests.backtest.foreign.conftest import Import

LIGHT = {"bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "baselines": ["cash"]}


@pytest.mark.parametrize(("holds", "value"), [("equity", "100"), ("returns", "0.001"), ("returns_percent", "0.1")])
def test_the_rows_of_a_file(importing: Import, days: list[str], holds: str, value: str) -> None:
    content = "date,it\n" + "".join(f"{day},{value}\n" for day in days[10:22])
    job = importing(content, result={"holds": holds, "value": "it"}, evaluation=LIGHT)
    run.run(job)
    page = (job.folder / "report/report.html").read_text()
    told = re.search(r"Rows judged.*?(\d+, [-\d]+ to [-\d]+)", page, re.S)
    assert told and told[1] == f"12, {days[10]} to {days[21]}"


def test_a_file_that_was_emptied_is_another_file(importing: Import, days: list[str]) -> None:
    job = importing("date,equity\n" + "".join(f"{day},1\n" for day in days[:9]))
    (job.folder / layout.RESULT).write_bytes(b"")
    with pytest.raises(JobRefused, match=r"^file_sha256: the file in the run directory is not the one that was taken"):
        run.run(job)


def test_a_file_without_a_hash_is_not_read(importing: Import, days: list[str]) -> None:
    job = importing("date,equity\n" + "".join(f"{day},1\n" for day in days[:9]))
    del job.config["file_sha256"]
    with pytest.raises(JobRefused, match=r"^result: no file lies in the run directory; give one"):
        run.run(job)
