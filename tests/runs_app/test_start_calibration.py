"""Queueing a calibration: one job, no children; what could measure nothing is refused before anything exists."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from marketdata.config_base import ConfigFault
from rl.config import UNREAD, CalibrateConfig
from runfiles import layout, machine, yamlio
from runfiles.machine import Limit
from runs_app import executors, places, queueing, services
from runs_app.models import Run
from runs_app.titles import run_title


def start(owner: Any, **groups: Any) -> Run:
    return services.start_calibration(owner=owner, config=CalibrateConfig.model_validate(groups))


def test_it_is_one_job(owner: Any, samples: Path) -> None:
    run = start(owner, calibration={"null_worlds": 4}, out_tag="mine")
    assert (run.kind, run.state, run.subject, run.is_parent, run.out_tag) == (
        "calibrate", "QUEUED", "policy", False, "mine",
    )  # fmt: skip
    assert not run.trains and run.seeds == () and not run.children.exists()
    assert [run_id for run_id, _ in queueing.in_turn()] == [run.id]
    kept = yamlio.load((places.run_folder(run.id) / layout.CONFIG).read_text())
    assert kept["calibration"]["null_worlds"] == 4 and kept["training"]["n_envs"] == 64
    assert len(kept["dataset"]["symbols"]) == 20 and kept["dataset"]["version"]
    assert executors.command(run)[2:4] == ["-m", "rl.calibrate"]
    assert run_title(run) == "Calibration of PPO on us20"


@pytest.mark.parametrize(
    ("groups", "field", "words"),
    [
        ({"evaluation": {"baselines": ["cash"]}}, "evaluation.baselines", "nothing to measure"),
        ({"split": {"scheme": "walk_forward", "n_folds": 2, "validation_bars": 100, "test_bars": 100}}, "split.fold",
         "say which"),
        ({"split": {"scheme": "walk_forward", "n_folds": 2, "validation_bars": 100, "test_bars": 100, "fold": 1}},
         "split.scheme", "has 100 bars"),
        ({"dataset": {"symbols": ["NOPE"]}}, "dataset.symbols", "NOPE"),
    ],
)  # fmt: skip
def test_what_could_measure_nothing_is_refused(
    owner: Any, samples: Path, groups: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ConfigFault) as fault:
        start(owner, **groups)
    assert list(fault.value.errors) == [field] and words in fault.value.errors[field][0]
    assert not Run.objects.exists()


def test_it_needs_room_for_one_training(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(300 << 20, "this machine has"))
    with pytest.raises(ConfigFault, match="This training needs about"):
        start(owner)


@pytest.mark.parametrize("path", UNREAD)
def test_what_it_would_not_follow_is_refused_by_name(path: str) -> None:
    group, _, name = path.partition(".")
    other: dict[str, Any] = {
        "cost_multipliers": [0, 3], "delays": [1, 5], "stress_windows": ["covid_2020"], "metric_bootstrap_paths": 500,
        "matched_random_draws": 200, "waterfall": True, "capacity_multipliers": [1, 5], "rolling_window": 60,
        "checkpoint_every": 5000,
    }  # fmt: skip
    with pytest.raises(ValidationError, match=f"{path} cannot be followed: a calibration makes no report"):
        CalibrateConfig.model_validate({group: {name: other[name]}})
