"""Each setting of the evidence changes the file that it is about, and leaves the book itself as it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from backtest import run
from marketdata.catalog import Catalog, provenance
from runfiles import layout
from tests.backtest.conftest import MakeJob

CONFIG: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": "sample/us-indices"},
    "start": "2016-01-04",
    "end": "2018-12-31",
    "evaluation": {"baselines": ["cash", "buy_hold"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 100},
}
CASES = {
    "cost_multipliers": ([0, 3], "sensitivity"),
    "delays": ([3], "sensitivity"),
    "stress_windows": (["fourth_quarter_2018"], "stress"),
    "capacity_multipliers": ([1, 7], "capacity"),
    "metric_bootstrap_paths": (300, "intervals"),
    "rolling_window": (60, "rolling"),
    "bootstrap_paths": (2000, "summary"),
    "seed": (1, "intervals"),
}


def report_of(make_job: MakeJob, name: str, **changes: Any) -> Path:
    """Told as shares, because an index has no capacity."""
    job = make_job(name, **{**CONFIG, "evaluation": {**CONFIG["evaluation"], **changes}})
    stored = Catalog(job.datasets).find("sample/us-indices")
    job.config["dataset"] = {"id": stored.id, "version": stored.version}
    (job.folder / layout.PROVENANCE).write_text(json.dumps({**provenance(stored), "indices": []}), encoding="utf-8")
    run.run(job)
    return job.folder


@pytest.mark.parametrize("field", CASES)
def test_a_setting_changes_its_file(make_job: MakeJob, field: str) -> None:
    value, key = CASES[field]
    base, changed = report_of(make_job, "base"), report_of(make_job, "changed", **{field: value})
    path = layout.FILES[key].path
    assert (base / path).read_bytes() != (changed / path).read_bytes()
    for kept in ("equity", "orders"):
        assert (base / layout.FILES[kept].path).read_bytes() == (changed / layout.FILES[kept].path).read_bytes()


def test_the_variance_of_trials_makes_several_of_them_harder_to_believe(make_job: MakeJob) -> None:
    near, far = (
        report_of(make_job, name, trials=20, trials_variance=variance) / layout.FILES["metrics"].path
        for name, variance in (("near", None), ("far", 0.01))
    )
    assert near.read_bytes() != far.read_bytes()


def test_nothing_asked_for_is_told_as_left_out(make_job: MakeJob) -> None:
    nothing = {"cost_multipliers": [], "delays": [], "stress_windows": [], "capacity_multipliers": []}
    page = (report_of(make_job, "bare", **nothing) / "report/report.html").read_text()
    assert "evaluation.cost_multipliers is empty" in page and "evaluation.capacity_multipliers is empty" in page
    assert "evaluation.delays is empty" in page
    assert "No window lies within the data." in page
