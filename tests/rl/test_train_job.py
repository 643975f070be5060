"""`python -m rl.train_ppo` as a real process: what it leaves, that it can be repeated, what it refuses."""

import datetime as dt
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import backtest.run
from marketdata.config import FeaturesConfig
from marketdata.setup_samples import put_samples
from marketdata.store import Store
from rl import training
from rl.config import TrainConfig
from rl.train_ppo import prepare, run
from rl.training import train
from runfiles import layout, yamlio
from runfiles.events import EventWriter, read_events
from runfiles.job import Job, JobDiverged, JobRefused
from runfiles.outcome import CODE_REFUSED

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {
    "dataset": {"id": "sample/us20", "symbols": ["AAPL", "KO", "XOM"], "start": "2014-01-02"},
    "features": {"feature_set": ["ohlcv"], "indicators": ["volatility(20)"], "lookback": 6},
    "evaluation": {"baselines": ["cash", "buy_hold", "equal"], "bootstrap_paths": 1000},
    "model": {"n_steps": 16, "batch_size": 64},
    "training": {"total_timesteps": 512, "n_envs": 8, "eval_every": 256, "seeds": [0]},
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


def test_what_the_policy_does_not_see_is_told_and_stamped(trained: tuple[Path, Any]) -> None:
    missing = "Left out of what the policy sees, as the dataset lacks their columns: gap, body, high_low"
    events = read_events(trained[0] / layout.EVENTS, 0, limit=1 << 24)[0]
    summary = json.loads((trained[0] / layout.REPORT / "summary.json").read_text())
    warned = [event["data"]["sentence"] for event in events if event["kind"] == "warning"]

    assert [text.startswith(missing) for text in warned].count(True) == 1
    assert [text.startswith(missing) for text in summary["stamps"]].count(True) == 1


def test_the_log_ends_with_the_numbers_of_the_summary(trained: tuple[Path, Any]) -> None:
    folder, done = trained
    lines = done.stdout.strip().splitlines()
    summary = json.loads((folder / layout.REPORT / "summary.json").read_text())

    assert lines[-1] == f"VERDICT: {summary['verdict']['sentence']}"
    policy = next(line for line in lines if line.startswith("policy ")).split()
    assert float(policy[1]) == pytest.approx(summary["metrics"]["total_return"], rel=1e-5)


def test_the_report_says_what_it_saw_and_how_it_was_trained(trained: tuple[Path, Any]) -> None:
    summary = json.loads((trained[0] / layout.REPORT / "summary.json").read_text())
    told = {(one["group"], one["name"]): one["text"] for one in summary["rules"]}

    assert told["What the policy sees", "Lookback"] == "6 bars"
    assert told["What the policy sees", "Single features and formulas"] == "volatility(20)"
    assert told["How the policy was trained", "Steps"] == "512 steps"
    assert told["How the policy was trained", "Rollout"] == "16 steps"
    assert told["How the policy was trained", "Regimes"] == "no"
    assert told["Data", "Symbols"] == "3 of 20: AAPL, KO, XOM"


def test_dataset_json_names_the_features(trained: tuple[Path, Any]) -> None:
    note = json.loads((trained[0] / layout.DATASET).read_text())

    assert note["symbols"] == ["AAPL", "KO", "XOM"] and "volatility(20)" in note["features"]["names"]


def test_the_same_seed_leaves_the_same_bytes(trained: tuple[Path, Any], datasets: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert start("rl.train_ppo", again, datasets).returncode == 0

    for name in (layout.LAST_POLICY, layout.BEST_POLICY):
        assert (again / name).read_bytes() == (trained[0] / name).read_bytes()
    assert report_of(again) == report_of(trained[0])


def backtest_of(trained: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    """A run directory that judges the best policy of a training; its configuration."""
    folder.mkdir()
    shutil.copy(trained / layout.BEST_POLICY, folder / layout.JUDGED_POLICY)
    sha256 = hashlib.sha256((folder / layout.JUDGED_POLICY).read_bytes()).hexdigest()
    config = {key: SMALL[key] for key in ("dataset", "features", "evaluation")}
    chosen = {"run_id": "00000000-0000-4000-8000-000000000000", "policy_sha256": sha256}
    asked: dict[str, Any] = {**config, **chosen, **changes}
    (folder / layout.CONFIG).write_text(yamlio.dump({"schema_version": 1, **asked}))
    return asked


def test_a_backtest_of_the_policy_leaves_the_same_report(
    trained: tuple[Path, Any], datasets: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backtest"
    backtest_of(trained[0], folder)

    command = [sys.executable, "-m", "backtest.run", str(folder), "--datasets", str(datasets)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr
    assert report_of(folder) == report_of(trained[0])


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("lookback", 9, "features.lookback: This policy was trained on {}, not 9."),
        ("indicators", ["rsi(14)"], "features.indicators: This policy was trained on {}, not rsi(14)."),
        ("feature_set", ["ohlcv_ta_rich"], "features.feature_set: This policy was trained on {}, not ohlcv_ta_rich."),
    ],
)
def test_features_that_are_not_the_policys_are_refused(
    trained: tuple[Path, Any], datasets: Path, tmp_path: Path, name: str, value: Any, sentence: str
) -> None:
    folder = tmp_path / "backtest"
    asked = backtest_of(trained[0], folder, features=SMALL["features"] | {name: value})
    was = FeaturesConfig.model_validate(SMALL["features"])
    words = str(was.lookback) if name == "lookback" else ", ".join(getattr(was, name)) or "none"
    with pytest.raises(JobRefused) as refused:
        backtest.run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), asked))
    assert str(refused.value) == sentence.format(words)


def test_without_features_it_sees_those_of_its_training(
    trained: tuple[Path, Any], datasets: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backtest"
    asked = backtest_of(trained[0], folder)
    del asked["features"]
    backtest.run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), asked))
    assert report_of(folder) == report_of(trained[0])


def days_of(log: str, name: str) -> tuple[dt.date, dt.date]:
    """First and last day of a range as the training's log tells them."""
    words = next(line for line in log.splitlines() if line.startswith(f"{name}: ")).replace(",", "").split()
    return dt.date.fromisoformat(words[1]), dt.date.fromisoformat(words[3])


@pytest.mark.parametrize(
    "asked",
    [
        {"split": {"scheme": "80_20"}},  # a preset of the form: its test range begins a year before the training's
        {"start": "2018-01-02", "end": "2018-12-31"},
        {"start": "2021-03-01", "end": "2022-12-28"},
    ],
)
def test_a_backtest_on_bars_that_were_learned_from_says_so(
    trained: tuple[Path, subprocess.CompletedProcess[str]], datasets: Path, tmp_path: Path, asked: dict[str, Any]
) -> None:
    folder = tmp_path / "backtest"
    config = backtest_of(trained[0], folder, **asked)
    backtest.run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), config))

    summary = json.loads((folder / layout.REPORT / "summary.json").read_text())
    with (folder / layout.REPORT / "equity.csv").open() as stream:
        days = [dt.date.fromisoformat(line[:10]) for line in stream.readlines()[2:]]  # header and first decision
    learned = [days_of(trained[1].stdout, name) for name in ("train", "validation")]
    seen = sum(any(first <= day <= last for first, last in learned) for day in days)
    clause = f"{seen} of {len(days)} bars were trained or selected on"
    assert 0 < seen <= len(days) == summary["range"]["n_bars"] and summary["verdict"]["seen"] == seen
    assert summary["verdict"]["sentence"].startswith(f"No out-of-sample result: {clause}. ")
    assert summary["stamps"][0] == f"{clause}: this is no out-of-sample result."


def test_the_leak_gate_passed_in_training_with_its_normaliser_examined(trained: tuple[Path, Any]) -> None:
    leaks = json.loads((trained[0] / layout.REPORT / "leaks.json").read_text())
    verdict = json.loads((trained[0] / layout.REPORT / "summary.json").read_text())["verdict"]
    states = {check["key"]: check["state"] for check in leaks["checks"]}

    assert set(states.values()) == {"passed"} and leaks["state"] == verdict["leak_gate"] == "passed"
    assert "leak gate" not in verdict["sentence"].lower()


def test_a_backtest_on_other_days_runs_the_gate_anew(trained: tuple[Path, Any], datasets: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backtest"
    config = backtest_of(trained[0], folder, start="2021-01-04", end="2021-12-31")
    backtest.run.run(Job(folder, datasets, EventWriter(folder / layout.EVENTS), config))

    leaks = json.loads((folder / layout.REPORT / "leaks.json").read_text())
    assert leaks["state"] == "passed" and leaks["range"] == {"start": "2021-01-04", "end": "2021-12-31"}


def test_the_range_that_was_left_for_the_test_has_no_such_bar(trained: tuple[Path, Any]) -> None:
    summary = json.loads((trained[0] / layout.REPORT / "summary.json").read_text())

    assert summary["verdict"]["seen"] == 0 and "out-of-sample" not in json.dumps(summary)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"features": {"lookback": 1000}, "dataset": {"start": "2019-01-02"}}, "features.lookback: Must be at most"),
    ({"features": {"indicators": ["atr(14)"]}}, "features.indicators: atr"),
    ({"evaluation": {"benchmark": "TSLA"}}, "evaluation.benchmark: TSLA is not among the run's symbols."),
    ({"dataset": {"symbols": ["AAPL", "NONE"]}}, "dataset.symbols: NONE is not in sample/us20"),
    (
        {"model": {"policy": "window_cnn"}},
        "features.lookback: features.lookback must be at least 29 for 3 convolutions of 5 bars, or set fewer",
    ),
    ({"model": {"policy_net": 3}}, "model.policy_net: Unknown field"),
    ({"training": {"seeds": [1, 1]}}, "training.seeds: "),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_bad_input_is_refused_in_one_sentence(
    datasets: Path, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    job = Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), changed(changes))

    with pytest.raises(JobRefused) as caught:
        run(job)

    assert str(caught.value).startswith(sentence) and "\n" not in str(caught.value)


def test_a_long_lookback_that_leaves_little_to_validate_on_is_told_before_it_trains(
    datasets: Path, tmp_path: Path
) -> None:
    config = changed({"features": {"lookback": 240}})
    job = Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), config)

    prepared = prepare(job, TrainConfig.model_validate(config))

    events, _ = read_events(tmp_path / layout.EVENTS, 0)
    told = [event["data"]["sentence"] for event in events if event["kind"] == "warning"]
    assert 2 <= prepared.ranges.validation.n_bars < 20
    assert f"Only {prepared.ranges.validation.n_bars} bars were left to validate on" in "".join(told)


@pytest.mark.parametrize(("which", "name"), [("best", layout.BEST_POLICY), ("last", layout.LAST_POLICY)])
def test_another_file_in_the_policys_place_is_not_judged(
    datasets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str, name: str
) -> None:
    def train_and_lose(*arguments: Any) -> Any:
        trained = train(*arguments)
        path = tmp_path / name
        path.write_bytes(path.read_bytes() + b" ")
        return trained

    monkeypatch.setattr("rl.train_ppo.train", train_and_lose)
    config = changed({"training": {"total_timesteps": 256}, "evaluation": {"policy": which}})
    with pytest.raises(JobRefused, match=rf"{name} is not the one that was kept: its sha256 differs"):
        run(Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), config))


def test_a_training_that_diverges_ends_as_one(datasets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a word of its own, by which the site knows that going on would come to the same end."""
    true = training.make_model

    def broken(*arguments: Any) -> Any:
        model = true(*arguments)
        model.policy.log_std.data.fill_(float("nan"))
        return model

    monkeypatch.setattr(training, "make_model", broken)
    job = Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), changed({}))
    with pytest.raises(JobDiverged, match=r"smaller model\.learning_rate helps\.") as ended:
        run(job)
    assert ended.value.end == "diverged"


def test_a_missing_device_is_refused(datasets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    done = start("rl.train_ppo", tmp_path / "run", datasets, training={"device": "cuda"})

    assert done.returncode == CODE_REFUSED
    assert done.stderr.strip().splitlines()[-1].startswith("training.device cuda needs a CUDA device")
    assert not (tmp_path / "run" / layout.REPORT).exists()
