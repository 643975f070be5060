"""`python -m backtest.leaks` as a real process: a table, an exit code, one sentence for bad input; and as a job."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backtest.leaks import by_hand
from backtest.leaks.run import run
from backtest.registry import STRATEGIES
from runfiles import layout, yamlio
from runfiles.events import read_events
from tests.backtest.conftest import MakeJob

SMALL: dict[str, Any] = {
    "policy": "momentum",
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"]},
    "start": "2020-01-02",
    "end": "2020-12-31",
}
TRAINING: dict[str, Any] = {
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM"], "start": "2015-01-02"},
    "features": {"feature_set": ["ohlcv"], "lookback": 8},
}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)


def written(tmp_path: Path, config: dict[str, Any]) -> str:
    path = tmp_path / "asked" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(yamlio.dump(config), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("config", "subject"), [(SMALL, "momentum"), (TRAINING, "policy")])
def test_a_clean_configuration_ends_with_0(
    tmp_path: Path, datasets: Path, config: dict[str, Any], subject: str
) -> None:
    done = python("-m", "backtest.leaks", written(tmp_path, config), "--datasets", str(datasets))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{subject}, ") and lines[-1].startswith("LEAKS: passed. No leak found")
    assert sum(" cases" in line for line in lines) == 9
    assert [path.name for path in (tmp_path / "asked").iterdir()] == ["mine.yaml"]  # nothing is left beside it


def test_a_baseline_loads_neither_torch_nor_django_nor_pandas(tmp_path: Path, datasets: Path) -> None:
    code = (
        "import sys; from backtest.leaks import by_hand;"
        f"code = by_hand.main([{written(tmp_path, SMALL)!r}, '--datasets', {str(datasets)!r}]);"
        "print(code, [m for m in ('torch', 'django', 'pandas', 'skfolio', 'rl') if m in sys.modules])"
    )
    done = python("-c", code)
    assert done.stdout.strip().splitlines()[-1] == "0 []", done.stderr


def test_a_leak_ends_with_1(
    tmp_path: Path, datasets: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(STRATEGIES, "momentum", STRATEGIES["momentum"].__class__(
        "momentum", "Peek", "tests.backtest.leaks.test_judged:Peek", 6, True, ""
    ))  # fmt: skip
    assert by_hand.main([written(tmp_path, SMALL), "--datasets", str(datasets)]) == 1
    assert "\nLEAKS: failed. " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({**SMALL, "policy": "nobody"}, "policy: nobody is no baseline"),
        ({**SMALL, "policy": "policy"}, "no policy file was given"),
        ({**SMALL, "surprise": 1}, "surprise: Unknown field"),
        ({**SMALL, "dataset": {"id": "sample/none"}}, "dataset.id: There is no dataset sample/none"),
        ({**SMALL, "start": "1980-01-02"}, "start: Must lie within the data"),
        ({**TRAINING, "evaluation": {"benchmark": "AAPL"}}, "evaluation.benchmark: AAPL is not among"),
        ({**TRAINING, "features": {"lookback": 1024}}, "features.lookback: Must be at most"),
        ({**TRAINING, "exec": {"fill": "next_open"}}, "exec.fill"),
    ],
)
def test_bad_input_ends_with_2_and_a_sentence(
    tmp_path: Path, datasets: Path, capsys: pytest.CaptureFixture[str], config: dict[str, Any], sentence: str
) -> None:
    assert by_hand.main([written(tmp_path, config), "--datasets", str(datasets)]) == 2
    told = capsys.readouterr()
    assert sentence in told.err and told.err.count("\n") == 1 and told.out == ""


@pytest.mark.parametrize("text", [None, "a: [", "a: 1\na: 2\n", "- 1\n"])
def test_a_file_that_is_none(
    tmp_path: Path, datasets: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    assert by_hand.main([str(path), "--datasets", str(datasets)]) == 2
    assert "mine.yaml" in capsys.readouterr().err


def test_a_run_directory_is_a_job(make_job: MakeJob) -> None:
    job = make_job(**SMALL)
    done = python("-m", "backtest.leaks", str(job.folder), "--datasets", str(job.datasets))
    assert done.returncode == 0, done.stderr
    found = json.loads((job.folder / "report/leaks.json").read_text())
    assert found["state"] == "passed" and found["subject"] == "momentum"
    keys = {entry["key"] for entry in json.loads((job.folder / layout.MANIFEST).read_text())["files"]}
    assert {"config", "dataset", "leaks", "versions"} <= keys
    events = read_events(job.folder / layout.EVENTS, 0, limit=1 << 24)[0]
    assert [event["phase"] for event in events if event["kind"] == "phase"] == ["data", "judge", "report"]
    assert any(event["kind"] == "progress" and event["step"] == event["total"] for event in events)


def test_the_same_bytes_twice(make_job: MakeJob) -> None:
    jobs = [make_job(name, **SMALL) for name in ("one", "two")]
    for job in jobs:
        run(job)
    first, second = ((job.folder / "report/leaks.json").read_bytes() for job in jobs)
    assert first == second and os.fsencode(str(jobs[0].folder)) not in first
