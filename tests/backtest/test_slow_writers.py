"""The files of re-runs do not wait for another writer to make their folder."""

import threading
from pathlib import Path
from typing import Any

import pytest

from backtest import report_files, run
from backtest.strategy_tables import Written
from runfiles import layout
from tests.backtest.conftest import MakeJob

CONFIG: dict[str, Any] = {
    "policy": "equal",
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"]},
    "start": "2019-01-02",
    "end": "2019-12-31",
    "evaluation": {"baselines": ["cash"], "stress_windows": [], "bootstrap_paths": 1000},
}


def test_writers_that_start_late_find_everything_else_written(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write_strategy, write_reruns = threading.Event(), report_files.write_strategy, report_files.write_reruns

    def late(folder: Path, of: Written) -> None:
        assert written.wait(60)
        write_strategy(folder, of)

    def reruns(*given: Any) -> None:
        try:
            write_reruns(*given)
        finally:
            written.set()

    monkeypatch.setattr(report_files, "write_strategy", late)
    monkeypatch.setattr(report_files, "write_reruns", reruns)
    job = make_job(**CONFIG)
    run.run(job)
    assert (job.folder / layout.FILES["sensitivity"].path).is_file()
