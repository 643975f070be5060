"""`python -m rl.calibrate` as a real process on stored bars: what it leaves, that it repeats, what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketdata.features import build_features, plan_of
from rl.calibrate import run as job_of
from rl.calibrate.run import run, with_signal
from rl.calibrate.world import SIGNAL
from runfiles import layout, manifest
from runfiles.events import EventWriter, read_events
from runfiles.job import Job, JobCancelled, JobRefused
from tests.rl.test_train_job import datasets, start
from tests.simulator.markets import random_bars

__all__ = ("datasets",)
pytestmark = pytest.mark.slow
BASELINES = {"baselines": ["cash", "buy_hold", "equal", "inverse_vol", "momentum", "min_variance", "random"]}
ASKED: dict[str, Any] = {
    "evaluation": BASELINES,
    "training": {"seeds": [0, 5]},
    "calibration": {"planted_worlds": 1, "null_worlds": 1, "strengths": [0.9]},
}


@pytest.fixture(scope="module")
def calibrated(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "first"
    done = start("rl.calibrate", folder, datasets, **ASKED)
    assert done.returncode == 0, done.stderr
    assert "CALIBRATION: This set-up" in done.stdout and "expected: 4 trainings" in done.stdout
    return folder


def found_in(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / layout.FILES["calibration"].path).read_text())
    return read


def test_it_leaves_every_world_with_every_seed(calibrated: Path) -> None:
    found = found_in(calibrated)
    assert found["complete"] and found["seeds"] == [0, 5] and found["range"]["n_bars"] == 251
    planted, null = found["worlds"]
    assert (planted["kappa"], null["kappa"]) == (0.9, 0.0)
    assert all(len(world["growth"]) == 2 for world in (planted, null))
    assert planted["oracle"] > 50e-4 and null["oracle"] is None and null["capture"] is None
    assert planted["capture"] == pytest.approx([growth / planted["oracle"] for growth in planted["growth"]])
    keys = {item["key"] for item in manifest.read(calibrated)}
    assert {"calibration", "config", "dataset"} <= keys and not {"model", "summary"} & keys


def test_its_news(calibrated: Path) -> None:
    events = read_events(calibrated / layout.EVENTS, 0, limit=1 << 24)[0]
    phases = [event["phase"] for event in events if event["kind"] == "phase"]
    assert phases == ["data", "train", "report"]
    steps = [event["step"] for event in events if event["kind"] == "progress"]
    assert steps == sorted(steps) and {event["total"] for event in events if event["kind"] == "progress"} <= {4 * 512}
    told = [event["data"]["worlds"] for event in events if event["kind"] == "metric" and "worlds" in event["data"]]
    assert told == [1, 2]


def test_it_repeats_to_the_byte(calibrated: Path, datasets: Path, tmp_path: Path) -> None:
    assert start("rl.calibrate", tmp_path, datasets, **ASKED).returncode == 0
    path = layout.FILES["calibration"].path
    assert (tmp_path / path).read_bytes() == (calibrated / path).read_bytes()


def asked(**changes: Any) -> dict[str, Any]:
    from tests.rl.test_train_job import changed

    return changed({name: ASKED.get(name, {}) | changes.get(name, {}) for name in {**ASKED, **changes}})


def test_one_that_is_stopped_leaves_the_worlds_so_far(
    calibrated: Path, datasets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, calls = job_of.attempt, []

    def stopped(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise JobCancelled
        return true(*given)

    monkeypatch.setattr(job_of, "attempt", stopped)
    with pytest.raises(JobCancelled):
        run(Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), asked()))
    left = found_in(tmp_path)
    assert not left["complete"] and left["worlds"] == found_in(calibrated)["worlds"][:1]
    assert "So far 1 of 2 worlds" in left["sentence"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evaluation": {"baselines": ["cash", "equal"]}}, "evaluation.baselines: Without Buy and hold"),
        ({"calibration": {"planted_worlds": 0, "null_worlds": 0}}, "planted_worlds and null_worlds must not both be 0"),
        ({"split": {"scheme": "custom_ranges", "custom_ranges": [
            {"start": "2014-06-02", "end": "2019-12-31"}, {"start": "2020-01-02", "end": "2021-06-30"},
            {"start": "2021-07-01", "end": "2021-10-29"}]}}, "split.scheme: The test range has 84 bars"),
        ({"features": {"lookback": 1024, "feature_set": ["ohlcv"]}, "dataset": {"start": "2020-01-02"}}, "lookback"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(changes: Any, words: str, datasets: Path, tmp_path: Path) -> None:
    with pytest.raises(JobRefused) as fault:
        run(Job(tmp_path, datasets, EventWriter(tmp_path / layout.EVENTS), asked(**changes)))
    assert words in str(fault.value) and str(fault.value).endswith(".")


def test_nothing_but_the_signal_is_added_to_what_is_seen() -> None:
    from rl.config import CalibrateConfig

    bars = random_bars(1, n_bars=120, n_assets=2)
    plan = plan_of(CalibrateConfig().features, bars)
    signal = np.random.default_rng(0).standard_normal((120, 2))
    table, plain = with_signal(bars, plan, signal), build_features(bars, plan)
    assert table.names == (*plain.names, SIGNAL)
    assert np.array_equal(table.values[:, :, :-1], plain.values, equal_nan=True)
    assert np.array_equal(table.values[:, :, -1], signal)
