"""Queueing a walk-forward: a parent and a training of each fold and seed, all or nothing; backtests of them."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backtest.config import BacktestConfig
from marketdata import catalog
from marketdata.config_base import ConfigFault, config_hash
from rl.config import CvConfig, TrainConfig
from runfiles import layout, yamlio
from runfiles.policy_list import PolicyList
from runs_app import datasets, executors, places, queueing, services
from runs_app.models import Artifact, Dataset, Run
from runs_app.payload import run_detail
from runs_app.titles import run_title

SPLIT = {"n_folds": 3, "test_bars": 250, "validation_bars": 200}
MEMBERS = [(fold, seed) for fold in (1, 2, 3) for seed in (7, 3)]


def start(owner: Any, **more: Any) -> Run:
    config = {"split": SPLIT, "training": {"seeds": [7, 3]}, "features": {"lookback": 32}, "out_tag": "mine"}
    return services.start_walk_forward(owner=owner, config=CvConfig.model_validate(config), **more)


def trained(owner: Any) -> Run:
    """As the reconciler leaves it, each child with a policy of its own."""
    run = start(owner)
    for child in run.trainings:
        content = child.member_name.encode()
        (places.run_folder(child.id) / layout.BEST_POLICY).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        Artifact.objects.create(run=child, key="best_model", kind="model", bytes=len(content), sha256=sha256)
    Run.objects.update(state="SUCCEEDED", ended=timezone.now())
    run.refresh_from_db()
    return run


def test_each_fold_and_seed_is_a_training_of_its_own(owner: Any, samples: Path) -> None:
    run = start(owner)
    assert (run.kind, run.state, run.queued, run.is_parent) == ("cv", "QUEUED", None, True)
    assert [(child.fold, *child.seeds) for child in run.trainings] == MEMBERS
    for child, (fold, seed) in zip(run.trainings, MEMBERS, strict=True):
        assert (child.owner, child.kind, child.state, child.out_tag) == (owner, "train", "QUEUED", "mine")
        written = yamlio.load((places.run_folder(child.id) / layout.CONFIG).read_text())
        assert written.pop("schema_version") == layout.SCHEMA_VERSION
        assert written == child.config
        changed = {
            "training": run.config["training"] | {"seeds": [seed], "siblings": [10 - seed]},
            "split": run.config["split"] | {"fold": fold},
        }
        assert child.config == run.config | changed
        assert child.config_hash == config_hash(TrainConfig.model_validate(written)) != run.config_hash
    assert [run_id for run_id, _ in queueing.in_turn()] == [child.id for child in run.trainings]
    assert run_detail(run)["children"] == [str(child.id) for child in run.trainings]
    assert "-m rl.walk_forward" in executors.command_text(run)


def test_what_they_are_called(owner: Any, samples: Path) -> None:
    run = start(owner)
    assert run_title(run) == "PPO us20 3 folds seeds 7, 3"
    assert run_title(run.trainings[3]) == "PPO us20 fold 2 seed 3"
    assert run.trainings[3].member_name == "Fold 2, seed 3"


def test_one_fold_and_one_seed_have_a_parent_too(owner: Any, samples: Path) -> None:
    config = CvConfig.model_validate({"split": {"n_folds": 1}, "training": {"seeds": [4]}})
    run = services.start_walk_forward(owner=owner, config=config)
    assert run.queued is None and [(child.fold, child.seeds) for child in run.trainings] == [(1, (4,))]


def test_the_same_key_gives_one_family(owner: Any, samples: Path, settings: Any) -> None:
    first = start(owner, idempotency_key="once")
    with pytest.raises(services.AlreadyStarted) as again:
        start(owner, idempotency_key="once")
    assert first.id == again.value.run.id
    assert Run.objects.count() == len(list(settings.RUNS_ROOT.iterdir())) == 7


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("split.n_folds", {"split": {"n_folds": 40}}, "Must be at most 3"),
    ("split.validation_bars", {"split": {"validation_bars": 9_000}}, "Must be at most"),
    ("split.train_bars", {"split": {"train_window": "rolling", "train_bars": 9_000}}, "Must be at most"),
    ("regime.n_states", {"regime": {"enabled": True, "n_states": 6},
                         "split": {"train_window": "rolling", "train_bars": 100}}, "training bars"),
    ("dataset.symbols", {"dataset": {"symbols": ["AAPL", "NOPE"]}}, "NOPE"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "config", "words"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_input_is_a_sentence_at_its_field_and_leaves_nothing(
    owner: Any, samples: Path, settings: Any, field: str, config: dict[str, Any], words: str
) -> None:
    one = {"training": {"seeds": [0]}}
    with pytest.raises(ConfigFault) as fault:
        services.start_walk_forward(owner=owner, config=CvConfig.model_validate({**one, **config}))
    assert list(fault.value.errors) == [field] and words in fault.value.errors[field][0]
    assert not Run.objects.exists() and not list(settings.RUNS_ROOT.iterdir())


def test_cancel_is_told_to_all_of_them_at_once(owner: Any, samples: Path) -> None:
    run = start(owner)
    assert services.cancel_run(run=run)
    assert all(child.cancel_requested for child in run.trainings)


def test_a_backtest_of_it_hands_the_book_on_at_the_same_closes(owner: Any, samples: Path) -> None:
    source = trained(owner)
    run = services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(source.id)))
    folder = places.run_folder(run.id)
    listed = PolicyList.read(folder, run.config["policy_sha256"])
    assert [(one.fold, one.seed) for one in listed.policies] == MEMBERS
    assert run.config["split"] == source.config["split"] and run.source_run == source
    for one in listed.policies:
        content = (folder / one.path).read_bytes()
        assert content == f"Fold {one.fold}, seed {one.seed}".encode()
        assert hashlib.sha256(content).hexdigest() == one.sha256
    days = catalog.sessions(datasets.find(owner, "sample/us20", None))
    begins = [len(days) - 1 - 750, len(days) - 1 - 500, len(days) - 1 - 250]
    assert [(one.fold, str(one.day), one.bar) for one in listed.folds] == [
        (k, str(days[bar]), 0) for k, bar in enumerate(begins, start=1)
    ]
    on_days = BacktestConfig.model_validate({"run_id": str(source.id), "start": "2015-01-02", "end": "2016-12-30"})
    other = services.start_backtest(owner=owner, config=on_days)
    assert other.config["policy_sha256"] == run.config["policy_sha256"]


def test_a_backtest_of_a_child_judges_its_fold(owner: Any, samples: Path) -> None:
    child = trained(owner).trainings[3]
    run = services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(child.id)))
    folder = places.run_folder(run.id)
    assert (folder / layout.JUDGED_POLICY).read_bytes() == b"Fold 2, seed 3"
    assert run.config["split"]["fold"] == 2 and not (folder / layout.MEMBERS_LIST).exists()


def test_a_backtest_of_a_file_that_is_another(owner: Any, samples: Path, settings: Any) -> None:
    source = trained(owner)
    (places.run_folder(source.trainings[4].id) / layout.BEST_POLICY).write_bytes(b"another")
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(source.id)))
    assert "not the one" in fault.value.errors["run_id"][0]
    assert len(list(settings.RUNS_ROOT.iterdir())) == 7


@pytest.mark.parametrize("which", ["parent", "child"])
def test_anothers_folds_are_missing_ones(owner: Any, stranger: Any, samples: Path, which: str) -> None:
    source = trained(owner)
    run = source if which == "parent" else source.trainings[0]
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=stranger, config=BacktestConfig(run_id=str(run.id)))
    assert fault.value.errors == {"run_id": ["There is no such training run."]}


def test_a_backtest_without_its_data_is_a_sentence(owner: Any, samples: Path) -> None:
    source = trained(owner)
    Dataset.objects.filter(name="sample/us20").delete()
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=owner, config=BacktestConfig(run_id=str(source.id)))
    assert list(fault.value.errors) == ["run_id"] and "sample/us20" in fault.value.errors["run_id"][0]


@pytest.mark.parametrize(("seeds", "refused"), [([7], False), ([7, 3], True)])
def test_a_waterfall_is_of_one_book(owner: Any, samples: Path, seeds: list[int], refused: bool) -> None:
    source = trained(owner)
    if len(seeds) == 1:
        for child in source.trainings[1::2]:
            child.delete()
        source.config["training"]["seeds"] = seeds
        source.save(update_fields=["config"])
    asked = BacktestConfig.model_validate({"run_id": str(source.id), "evaluation": {"waterfall": True}})
    if not refused:
        assert services.start_backtest(owner=owner, config=asked).config["evaluation"]["waterfall"]
        return
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=owner, config=asked)
    assert list(fault.value.errors) == ["evaluation.waterfall"]
