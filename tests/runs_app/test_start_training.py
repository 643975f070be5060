"""Queueing a training: what was left out is filled in and written down; bad input leaves nothing."""

from pathlib import Path
from typing import Any

import pytest

from marketdata.config_base import ConfigFault, config_hash
from rl.config import TrainConfig
from runfiles import layout, yamlio
from runs_app import places, services
from runs_app.models import Run, RunEvent


def one_seed(**fields: Any) -> TrainConfig:
    return TrainConfig.model_validate({"training": {"seeds": [0]}, **fields})


def test_the_configuration_is_resolved_and_written_down(owner: Any, samples: Path) -> None:
    run = services.start_training(owner=owner, config=one_seed(out_tag="mine"))
    folder = places.run_folder(run.id)
    written = yamlio.load((folder / layout.CONFIG).read_text())
    assert written.pop("schema_version") == layout.SCHEMA_VERSION
    assert written == run.config
    assert run.config_hash == config_hash(TrainConfig.model_validate(written))
    assert (run.state, run.kind, run.subject, run.out_tag) == ("QUEUED", "train", "policy", "mine")
    assert (run.config["training"]["n_envs"], run.config["training"]["threads"]) == (64, 1)
    assert run.dataset_version == run.config["dataset"]["version"]
    assert len(run.config["dataset"]["symbols"]) == 20
    assert run.config["dataset"]["start"] < "1991" and run.config["dataset"]["end"] > "2022"
    command = (folder / layout.COMMAND).read_text()
    assert f"-m rl.train_ppo media/runs/{run.id} --datasets media/datasets\n" in command
    assert str(folder.parent) not in command
    assert places.control_folder(run.id).is_dir()


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("dataset.id", {"dataset": {"id": "sample/none"}}, "no dataset"),
    ("dataset.symbols", {"dataset": {"symbols": ["AAPL", "NOPE"]}}, "NOPE is not in sample/us20"),
    ("dataset.start", {"dataset": {"start": "1950-01-01"}}, "1990-01-02"),
    ("features.lookback", {"dataset": {"start": "2019-01-02"}, "features": {"lookback": 1024}}, "at most"),
    ("features.indicators", {"features": {"indicators": ["atr(14)"]}}, "high"),
    ("exec.fill", {"exec": {"fill": "next_open"}}, "opening prices"),
    ("margin.cash_yield_column", {"margin": {"cash_yield_column": "bills"}}, "no rate column"),
    ("evaluation.baselines", {"evaluation": {"baselines": ["equal", "sixty_forty"]}}, "sixty_forty"),
    ("evaluation.benchmark", {"evaluation": {"benchmark": "SPY"}}, "SPY"),
    ("evaluation.fixed_weights", {"evaluation": {"baselines": ["fixed_weights"], "fixed_weights": {"SPY": 1.0}}},
     "SPY"),
    ("split.fold", {"split": {"scheme": "walk_forward", "n_folds": 2, "test_bars": 60, "validation_bars": 60}},
     "walk_forward has many training ranges"),
    ("split.custom_ranges", {"split": {"scheme": "custom_ranges", "custom_ranges": [
        {"start": "1980-01-01", "end": "1985-01-01"}, {"start": "1986-01-01", "end": "1987-01-01"},
        {"start": "1988-01-01", "end": "1989-01-01"}]}}, "1980-01-01"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "config", "words"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_input_is_a_sentence_at_its_field_and_leaves_nothing(
    owner: Any, samples: Path, settings: Any, field: str, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigFault) as fault:
        services.start_training(owner=owner, config=TrainConfig.model_validate(config))
    assert field in fault.value.errors
    assert words in fault.value.errors[field][0]
    assert not Run.objects.exists() and not RunEvent.objects.exists()
    assert list(settings.RUNS_ROOT.iterdir()) == list(settings.CONTROL_ROOT.iterdir()) == []


def test_the_same_key_at_once_gives_one_run(owner: Any, stranger: Any, samples: Path, settings: Any) -> None:
    first = services.start_training(owner=owner, config=one_seed(), idempotency_key="once")
    with pytest.raises(services.AlreadyStarted) as again:
        services.start_training(owner=owner, config=one_seed(), idempotency_key="once")
    other = services.start_training(owner=stranger, config=one_seed(), idempotency_key="once")
    assert first == again.value.run != other
    assert len(list(settings.RUNS_ROOT.iterdir())) == 2


def test_cancel_is_a_wish_told_once(owner: Any, samples: Path) -> None:
    run = services.start_training(owner=owner, config=one_seed())
    assert services.cancel_run(run=run)
    assert not services.cancel_run(run=run)
    assert run.state == "QUEUED" and run.cancel_requested
    assert [event.kind for event in run.events.all()] == ["cancel"]
