"""The files of re-runs do not wait for another writer to make their folder."""

import json
from pathlib import Path

from backtest.evidence import Evidence
from backtest.report_files import write_reruns
from backtest.rerun import Capacity, Sweep
from runfiles import layout


def test_they_make_their_own_folder(tmp_path: Path) -> None:
    write_reruns(tmp_path, Evidence((), 10, Sweep((), None), Capacity(False, "", ()), ()))
    for key in ("sensitivity", "stress", "capacity"):
        assert "rows" in json.loads((tmp_path / layout.FILES[key].path).read_text())
