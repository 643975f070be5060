"""`python -m backtest.run` as a real process, and its refusals."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import run
from marketdata.catalog import Catalog
from marketdata.store import EntryMeta, Store
from runfiles import layout, yamlio
from runfiles.job import JobRefused
from tests.backtest.conftest import MakeJob

SMALL: dict[str, Any] = {
    "policy": "buy_hold",
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"]},
    "start": "2020-01-02",
    "end": "2020-12-31",
    "evaluation": {"baselines": ["cash", "equal"], "bootstrap_paths": 1000},
}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)


def test_by_hand_from_a_file(tmp_path: Path, datasets: Path) -> None:
    config, out = tmp_path / "mine.yaml", tmp_path / "out"
    config.write_text(yamlio.dump(SMALL), encoding="utf-8")
    done = python("-m", "backtest.run", "--config", str(config), "--out", str(out), "--datasets", str(datasets))
    assert done.returncode == 0, done.stderr
    summary = json.loads((out / "report/summary.json").read_text())
    last = done.stdout.strip().splitlines()
    assert last[-1] == f"VERDICT: {summary['verdict']['sentence']}"
    own = next(line for line in last if line.startswith("buy_hold ")).split()
    assert float(own[1]) == pytest.approx(summary["metrics"]["total_return"], rel=1e-5)
    assert json.loads((out / layout.MANIFEST).read_text())
    again = python("-m", "backtest.run", "--config", str(config), "--out", str(out), "--datasets", str(datasets))
    assert again.returncode == 2 and "is not empty" in again.stderr


def test_a_run_directory(make_job: MakeJob) -> None:
    job = make_job(**SMALL)
    done = python("-m", "backtest.run", str(job.folder), "--datasets", str(job.datasets))
    assert done.returncode == 0, done.stderr
    note = json.loads((job.folder / layout.DATASET).read_text())
    assert note["symbols"] == ["KO", "XOM"] and note["survivorship"] == "biased" and note["quality"]["level"] != "red"


def test_a_baseline_loads_nothing_that_it_does_not_use(make_job: MakeJob) -> None:
    heavy = ("torch", "django", "pandas", "skfolio", "rl", "numpy.ma", "marketdata.features")
    job = make_job(**SMALL)
    code = (
        "import sys, backtest.run as r;"
        f"code = r.main([{str(job.folder)!r}, '--datasets', {str(job.datasets)!r}]);"
        f"print(code, [m for m in {heavy} if m in sys.modules])"
    )
    done = python("-c", code)
    assert done.stdout.strip().splitlines()[-1] == "0 []", done.stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"policy": "hold_and_pray"}, "policy: hold_and_pray is no baseline"),
        ({"policy": "policy"}, "no policy file was given"),
        ({"dataset": {"id": "sample/us20", "symbols": ["NOPE"]}}, "dataset.symbols: NOPE is not in sample/us20"),
        ({"dataset": {"id": "sample/none"}}, "dataset.id: There is no dataset sample/none"),
        ({"dataset": {"id": "sample/us20", "version": "0" * 64}}, "dataset.version"),
        ({"start": "2021-01-04", "end": "2020-01-02"}, "start"),
        ({"start": "1980-01-02"}, "start: Must lie within the data"),
        ({"evaluation": {"baselines": ["nobody"]}}, "evaluation.baselines: nobody is no baseline"),
        ({"evaluation": {"benchmark": "AAPL", "baselines": ["benchmark"]}}, "evaluation.benchmark: AAPL is not among"),
        ({"exec": {"fill": "next_open"}}, "exec.fill"),
        ({"fees": {"taker_bps": -1}}, "fees.taker_bps: Must be at least 0"),
        ({"surprise": 1}, "surprise: Unknown field"),
        ({"run_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, "give exactly one"),
    ],
)
def test_bad_input_is_one_sentence_that_names_the_field(
    make_job: MakeJob, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(JobRefused) as refused:
        run.run(make_job(**{**SMALL, **change}))
    assert sentence.lower() in str(refused.value).lower()


def test_red_data_is_refused_by_name(tmp_path: Path, datasets: Path, make_job: MakeJob) -> None:
    store = Store(tmp_path / "store")
    entry = Catalog(datasets).find("sample/us20")
    bars = Catalog(datasets).store.load(entry.version).select(["KO", "XOM"])
    close = bars.close.copy()
    close[100, 0] = -5.0
    bad = dataclasses.replace(bars, close=np.ascontiguousarray(close))
    store.put(bad, EntryMeta("test/bad", "Bad", "unknown", "2024-01-01", "hand", "none"))
    job = dataclasses.replace(make_job(**{**SMALL, "dataset": {"id": "test/bad"}}), datasets=tmp_path / "store")
    with pytest.raises(JobRefused, match=r"cannot be used.*KO"):
        run.run(job)
    assert json.loads((job.folder / layout.DATASET).read_text())["quality"]["level"] == "red"
    assert not (job.folder / layout.REPORT).exists()
