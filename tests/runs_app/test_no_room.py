"""A training for which there is no room is refused before anything exists, with numbers and the setting that helps."""

from pathlib import Path
from typing import Any

import pytest

from marketdata.config_base import ConfigFault
from rl.config import CvConfig, TrainConfig
from rl.needs import Needs
from runfiles import machine
from runfiles.machine import Limit
from runs_app import places, services
from runs_app.models import Run

MIB = 1 << 20
LARGE = {
    "model": {"net_arch": [1024] * 6, "features_dim": 512, "batch_size": 262_144, "n_steps": 1024},
    "training": {"n_envs": 1024, "seeds": [0]},
}


def refused(owner: Any, config: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(ConfigFault) as fault:
        services.start_training(owner=owner, config=TrainConfig.model_validate(config))
    assert not Run.objects.exists()
    assert not list(places.settings.RUNS_ROOT.iterdir())
    return dict(fault.value.errors)


def test_far_more_than_there_is(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """262,144 samples of 20 symbols, 4 bytes each of (2 · 512 + 6 · 1,024 kept and 3 · 1,024 in motion): 200 GiB."""
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(64 << 30, "this process's control group allows"))
    ((field, sentences),) = refused(owner, LARGE).items()
    assert field == "model.batch_size"
    needed = float(sentences[0].split("needs about ")[1].split(" GiB")[0])
    assert needed > 262_144 * 20 * 4 * 10_240 / 2**30 == 200
    assert "of memory, and this process's control group allows 64.0 GiB; " in sentences[0]
    assert "of it are the gradient step. With model.batch_size 65,536 it would need " in sentences[0]


def test_a_little_more_than_there_is(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(900 * MIB, "this machine has"))
    config: dict[str, Any] = {"training": {"seeds": [0], "n_envs": 1024}, "model": {"batch_size": 8192}}
    ((field, sentences),) = refused(owner, config).items()
    assert field == "model.batch_size"
    value = int(sentences[0].split("With model.batch_size ")[1].split()[0].replace(",", ""))
    config["model"]["batch_size"] = value
    run = services.start_training(owner=owner, config=TrainConfig.model_validate(config))
    assert run.state == "QUEUED"


def test_the_disk_is_asked_too(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "disk_free", lambda folder: 5 * MIB)
    ((field, sentences),) = refused(owner, {"training": {"seeds": [0]}}).items()
    assert field == "model.net_arch"
    assert " and 5 MiB of the disk are free" in sentences[0]


def test_a_leak_check_trains_nothing(owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(64 << 30, "this machine has"))
    assert services.start_leaks(owner=owner, config=TrainConfig.model_validate(LARGE)).state == "QUEUED"


def test_a_walk_forward_needs_what_the_largest_of_its_folds_does(
    owner: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folds are trained like trainings of their own on the same bars, not all at once."""
    folds = {"split": {"n_folds": 2, "test_bars": 250}}
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(64 << 30, "this machine has"))
    with pytest.raises(ConfigFault) as fault:
        services.start_walk_forward(owner=owner, config=CvConfig.model_validate(LARGE | folds))
    assert list(fault.value.errors) == ["model.batch_size"]
    assert "This training needs about " in fault.value.errors["model.batch_size"][0]
    assert not Run.objects.exists() and not list(places.settings.RUNS_ROOT.iterdir())

    small = CvConfig.model_validate({"training": {"seeds": [0]}, **folds})
    fold = small.of_member(2, 0)
    held: list[Limit] = []

    def require(self: Needs, limit: Limit, _: int = 0) -> None:
        held.append(Limit(self.peak, ""))

    monkeypatch.setattr(Needs, "require_memory", require)
    services.start_walk_forward(owner=owner, config=small)
    services.start_training(owner=owner, config=fold)
    assert held[0] == held[1]
