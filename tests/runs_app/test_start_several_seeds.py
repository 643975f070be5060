"""Queueing a training with several seeds: a parent and a run a seed, all or nothing; backtests of them."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from backtest.config import BacktestConfig
from marketdata.config_base import ConfigFault, config_hash
from rl.config import TrainConfig
from runfiles import layout, yamlio
from runfiles.policy_list import PolicyList
from runs_app import places, queueing, services
from runs_app.models import Artifact, Run


def start(owner: Any, **more: Any) -> Run:
    config = {"training": {"seeds": [7, 3, 5]}, "features": {"lookback": 32}, "out_tag": "mine"}
    return services.start_training(owner=owner, config=TrainConfig.model_validate(config), **more)


def trained(owner: Any) -> Run:
    """As the reconciler leaves it, each child with a policy of its own."""
    run = start(owner)
    for child in run.trainings:
        content = f"policy of seed {child.seeds[0]}".encode()
        (places.run_folder(child.id) / layout.BEST_POLICY).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        Artifact.objects.create(run=child, key="best_model", kind="model", bytes=len(content), sha256=sha256)
    Run.objects.update(state="SUCCEEDED", ended=timezone.now())
    run.refresh_from_db()
    return run


def test_three_is_the_default(owner: Any, samples: Path) -> None:
    run = services.start_training(owner=owner, config=TrainConfig())
    assert run.seeds == (0, 1, 2) and run.children.count() == 3


def test_each_seed_is_a_training_of_its_own(owner: Any, samples: Path) -> None:
    run = start(owner)
    assert (run.state, run.queued, run.is_parent) == ("QUEUED", None, True)
    assert [child.seeds for child in run.trainings] == [(7,), (3,), (5,)]
    for child in run.trainings:
        assert (child.owner, child.kind, child.state, child.out_tag) == (owner, "train", "QUEUED", "mine")
        written = yamlio.load((places.run_folder(child.id) / layout.CONFIG).read_text())
        assert written.pop("schema_version") == layout.SCHEMA_VERSION
        assert written == child.config
        others = [seed for seed in run.seeds if seed not in child.seeds]
        alone = {"seeds": list(child.seeds), "siblings": others}
        assert child.config == run.config | {"training": run.config["training"] | alone}
        assert child.config_hash == config_hash(TrainConfig.model_validate(written)) != run.config_hash
    waiting = [run_id for run_id, _ in queueing.in_turn()]
    assert waiting == [child.id for child in run.trainings]


def test_one_seed_has_no_parent(owner: Any, samples: Path) -> None:
    run = services.start_training(owner=owner, config=TrainConfig.model_validate({"training": {"seeds": [4]}}))
    assert run.queued is not None and not run.children.exists() and run.parent is None


def test_the_same_key_gives_one_family(owner: Any, samples: Path, settings: Any) -> None:
    first = start(owner, idempotency_key="once")
    with pytest.raises(services.AlreadyStarted) as again:
        start(owner, idempotency_key="once")
    assert first == again.value.run
    assert Run.objects.count() == len(list(settings.RUNS_ROOT.iterdir())) == 4


def test_all_of_them_or_none(owner: Any, samples: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[Run] = []
    real = Run.save

    def save(run: Run, **options: Any) -> None:
        if len(saved) == 2:
            raise IntegrityError("the third row")
        saved.append(run)
        real(run, **options)

    monkeypatch.setattr(Run, "save", save)
    with pytest.raises(IntegrityError):
        start(owner)
    assert not Run.objects.exists()
    assert list(settings.RUNS_ROOT.iterdir()) == list(settings.CONTROL_ROOT.iterdir()) == []


def test_cancel_is_told_to_all_of_them_at_once(owner: Any, samples: Path) -> None:
    run = start(owner)
    assert services.cancel_run(run=run)
    assert all(child.cancel_requested for child in run.trainings)
    assert [[event.kind for event in child.events.all()] for child in run.trainings] == [["cancel"]] * 3


def test_a_backtest_of_it_judges_every_seed(owner: Any, samples: Path) -> None:
    source = trained(owner)
    run = services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(source.id)))
    folder = places.run_folder(run.id)
    listed = PolicyList.read(folder, run.config["policy_sha256"])
    files = {one.seed: one.sha256 for one in listed.policies}
    assert list(files) == [7, 3, 5] and run.source_run == source and run.policy is None
    for seed, sha256 in files.items():
        assert (folder / layout.member_policy(seed)).read_bytes() == f"policy of seed {seed}".encode()
        assert hashlib.sha256((folder / layout.member_policy(seed)).read_bytes()).hexdigest() == sha256
    assert not (folder / layout.JUDGED_POLICY).exists()


def test_a_backtest_of_a_child_judges_that_seed(owner: Any, samples: Path) -> None:
    child = trained(owner).trainings[1]
    run = services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(child.id)))
    folder = places.run_folder(run.id)
    assert (folder / layout.JUDGED_POLICY).read_bytes() == b"policy of seed 3"
    assert not (folder / layout.MEMBERS_LIST).exists()


def test_a_backtest_of_seeds_whose_file_is_another(owner: Any, samples: Path, settings: Any) -> None:
    source = trained(owner)
    (places.run_folder(source.trainings[2].id) / layout.BEST_POLICY).write_bytes(b"another")
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(source.id)))
    assert "not the one" in fault.value.errors["run_id"][0]
    assert len(list(settings.RUNS_ROOT.iterdir())) == 4


@pytest.mark.parametrize("which", ["parent", "child"])
def test_anothers_seeds_are_missing_ones(owner: Any, stranger: Any, samples: Path, which: str) -> None:
    source = trained(owner)
    run = source if which == "parent" else source.trainings[0]
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=stranger, config=BacktestConfig(run_id=str(run.id)))
    assert fault.value.errors == {"run_id": ["There is no such training run."]}


def test_a_waterfall_of_several_seeds(owner: Any, samples: Path) -> None:
    asked = BacktestConfig.model_validate({"run_id": str(trained(owner).id), "evaluation": {"waterfall": True}})
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=owner, config=asked)
    assert list(fault.value.errors) == ["evaluation.waterfall"]
