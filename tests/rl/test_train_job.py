"""`python -m rl.train_ppo` as a real process: what it leaves, that it can be repeated, what it refuses."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from marketdata.setup_samples import put_samples
from marketdata.store import Store
from rl.train_ppo import run
from runfiles import layout, yamlio
from runfiles.events import EventWriter, read_events
from runfiles.job import Job, JobRefused
from runfiles.outcome import CODE_REFUSED

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {
    "dataset": {"id": "sample/us20", "symbols": ["AAPL", "KO", "XOM"], "start": "2014-01-02"},
    "features": {"feature_set": ["ohlcv"], "indicators": ["volatility(20)"], "lookback": 6},
    "evaluation": {"baselines": ["cash", "buy_hold", "equal"], "bootstrap_paths": 1000},
    "model": {"n_steps": 16, "batch_size": 64},
    "training": {"total_timesteps": 512, "n_envs": 8, "eval_every": 256},
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("datasets")
    put_samples(Store(root))
    return root


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    return SMALL | {group: SMALL.get(group, {}) | fields for group, fields in changes.items()}


def start(module: str, folder: Path, datasets: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **changed(changes)}))
    command = [sys.executable, "-m", module, str(folder), "--datasets", str(datasets)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def trained(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("runs") / "first"
    done = start("rl.train_ppo", folder, datasets)
    assert done.returncode == 0, done.stderr
    return folder, done


def report_of(folder: Path) -> dict[str, bytes]:
    report = folder / layout.REPORT
    return {str(path.relative_to(report)): path.read_bytes() for path in report.rglob("*") if path.is_file()}


def test_its_news_go_through_the_phases(trained: tuple[Path, Any]) -> None:
    events = read_events(trained[0] / layout.EVENTS, 0, limit=1 << 24)[0]

    assert [event["phase"] for event in events if event["kind"] == "phase"] == [
        "data", "train", "validate", "judge", "report"
    ]  # fmt: skip
    scores = [event["data"]["validation_score"] for event in events if "validation_score" in event["data"]]
    assert len(scores) == 3  # two looks, and what the validation phase says of them


def test_the_log_ends_with_the_numbers_of_the_summary(trained: tuple[Path, Any]) -> None:
    folder, done = trained
    lines = done.stdout.strip().splitlines()
    summary = json.loads((folder / layout.REPORT / "summary.json").read_text())

    assert lines[-1] == f"VERDICT: {summary['verdict']['sentence']}"
    policy = next(line for line in lines if line.startswith("policy ")).split()
    assert float(policy[1]) == pytest.approx(summary["metrics"]["total_return"], rel=1e-5)


def test_dataset_json_names_the_features(trained: tuple[Path, Any]) -> None:
    note = json.loads((trained[0] / layout.DATASET).read_text())

    assert note["symbols"] == ["AAPL", "KO", "XOM"] and "volatility(20)" in note["features"]["names"]


def test_the_same_seed_leaves_the_same_bytes(trained: tuple[Path, Any], datasets: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert start("rl.train_ppo", again, datasets).returncode == 0

    for name in (layout.LAST_POLICY, layout.BEST_POLICY):
        assert (again / name).read_bytes() == (trained[0] / name).read_bytes()
    assert report_of(again) == report_of(trained[0])


def test_a_backtest_of_the_policy_leaves_the_same_report(
    trained: tuple[Path, Any], datasets: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backtest"
    folder.mkdir()
    shutil.copy(trained[0] / layout.BEST_POLICY, folder / layout.JUDGED_POLICY)
    sha256 = hashlib.sha256((folder / layout.JUDGED_POLICY).read_bytes()).hexdigest()
    config = {key: SMALL[key] for key in ("dataset", "features", "evaluation")}
    chosen = {"run_id": "00000000-0000-4000-8000-000000000000", "policy_sha256": sha256}
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **config, **chosen}))

    command = [sys.executable, "-m", "backtest.run", str(folder), "--datasets", str(datasets)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr
    assert report_of(folder) == report_of(trained[0])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"features": {"lookback": 1000}, "dataset": {"start": "2019-01-02"}}, "features.lookback: Must be at most"),
    ({"features": {"indicators": ["atr(14)"]}}, "features.indicators: atr"),
    ({"evaluation": {"benchmark": "TSLA"}}, "evaluation.benchmark: TSLA is not among the run's symbols."),
    ({"dataset": {"symbols": ["AAPL", "NONE"]}}, "dataset.symbols: NONE is not in sample/us20"),
    ({"model": {"policy": "window_cnn"}}, "model.policy: Must be one of"),
    ({"model": {"policy_net": 3}}, "model.policy_net: Unknown field"),
    ({"training": {"seeds": [1, 2]}}, "training.seeds: "),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_bad_input_is_refused_in_one_sentence(
    datasets: Path, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    job = Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), changed(changes))

    with pytest.raises(JobRefused) as caught:
        run(job)

    assert str(caught.value).startswith(sentence) and "\n" not in str(caught.value)


def test_a_missing_device_is_refused(datasets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = start("rl.train_ppo", tmp_path / "run", datasets, training={"device": "cuda"})

    assert done.returncode == CODE_REFUSED
    assert done.stderr.strip().splitlines()[-1].startswith("training.device cuda needs a CUDA device")
    assert not (tmp_path / "run" / layout.REPORT).exists()
