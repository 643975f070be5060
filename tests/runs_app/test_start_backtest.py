"""Queueing a backtest: of a baseline; of a finished training's policy, with that training's configuration below."""

import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from backtest.config import BacktestConfig
from marketdata.config_base import ConfigFault
from rl.config import TrainConfig
from runfiles import layout
from runs_app import places, services
from runs_app.models import Artifact, Policy, Run

ZIP = b"a policy of some bytes"
SHA = hashlib.sha256(ZIP).hexdigest()


@pytest.fixture
def trained(owner: Any, samples: Path) -> Run:
    config = {"dataset": {"symbols": ["AAPL", "KO", "XOM"]}, "split": {"scheme": "80_20"}, "features": {"lookback": 32},
              "fees": {"taker_bps": 7.0}, "margin": {"max_position_weight": 0.5},
              "training": {"seeds": [0]}}  # fmt: skip
    run = services.start_training(owner=owner, config=TrainConfig.model_validate(config))
    (places.run_folder(run.id) / layout.BEST_POLICY).write_bytes(ZIP)
    Artifact.objects.create(run=run, key="best_model", kind="model", bytes=len(ZIP), sha256=SHA)
    Run.objects.filter(pk=run.id).update(state="SUCCEEDED", ended=timezone.now())
    run.refresh_from_db()
    return run


def test_a_baseline(owner: Any, samples: Path) -> None:
    run = services.start_backtest(owner=owner, config=BacktestConfig(policy="equal"))
    assert (run.kind, run.subject, run.source_run, run.policy) == ("backtest", "equal", None, None)
    assert run.config["features"] is None
    assert not (places.run_folder(run.id) / layout.JUDGED_POLICY).exists()


def test_a_baseline_over_folds(owner: Any, samples: Path) -> None:
    folds: dict[str, Any] = {"scheme": "walk_forward", "n_folds": 3, "test_bars": 250, "validation_bars": 100}
    config = BacktestConfig.model_validate({"policy": "equal", "split": folds})
    run = services.start_backtest(owner=owner, config=config)
    assert run.config["split"] | folds == run.config["split"]
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(
            owner=owner, config=BacktestConfig.model_validate({"policy": "equal", "split": {**folds, "n_folds": 50}})
        )
    assert fault.value.errors == {
        "split.n_folds": [
            "Must be at most 33 with 250 test bars each; the data has 8,313 bars, 1990-01-02 to 2022-12-28."
        ]
    }


def test_too_few_sessions_for_the_scheme_names_each_way_out(owner: Any, samples: Path) -> None:
    short = {"policy": "equal", "dataset": {"id": "sample/us20", "start": "2021-08-02"}}
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=owner, config=BacktestConfig.model_validate(short))
    [sentence] = fault.value.errors.pop("split.scheme")
    assert not fault.value.errors and "more than two years of sessions" in sentence
    for said, way in (
        ("80_20", {"split": {"scheme": "80_20"}}), ("start and end", {"start": "2021-09-01", "end": "2022-12-28"}),
    ):  # fmt: skip
        assert said in sentence
        assert services.start_backtest(owner=owner, config=BacktestConfig.model_validate(short | way))


def test_what_is_left_out_is_as_in_the_training(owner: Any, trained: Run) -> None:
    asked = BacktestConfig.model_validate({"run_id": str(trained.id), "fees": {"borrow_fee_apr": 0.01}})
    run = services.start_backtest(owner=owner, config=asked)
    for group in ("dataset", "split", "features", "margin", "exec", "episode", "evaluation"):
        assert run.config[group] == trained.config[group], group
    assert run.config["fees"] == trained.config["fees"] | {"borrow_fee_apr": 0.01}
    assert (run.subject, run.source_run, run.config["policy_sha256"]) == ("policy", trained, SHA)
    assert (places.run_folder(run.id) / layout.JUDGED_POLICY).read_bytes() == ZIP


def test_no_symbols_are_those_of_the_training(owner: Any, trained: Run) -> None:
    asked = {"run_id": str(trained.id), "dataset": {"id": "sample/us20", "symbols": None}}
    run = services.start_backtest(owner=owner, config=BacktestConfig.model_validate(asked))
    assert run.config["dataset"]["symbols"] == ["AAPL", "KO", "XOM"]


def test_what_is_asked_for_is_what_runs(owner: Any, trained: Run) -> None:
    asked = {"run_id": str(trained.id), "dataset": {"start": "2000-01-03"}, "split": {"scheme": "last_year"}}
    run = services.start_backtest(owner=owner, config=BacktestConfig.model_validate(asked))
    assert run.config["dataset"] == trained.config["dataset"] | {"start": "2000-01-03"}
    assert run.config["split"]["scheme"] == "last_year"


def test_a_stored_policy_by_its_id(owner: Any, trained: Run, settings: Any) -> None:
    policy = Policy.objects.create(
        owner=owner, run=trained, which="best", sha256=SHA, bytes=len(ZIP), config=trained.config
    )
    places.policy_file(policy).write_bytes(ZIP)
    run = services.start_backtest(owner=owner, config=BacktestConfig(policy=str(policy.id)))
    assert (run.policy, run.source_run, run.config["policy_sha256"]) == (policy, trained, SHA)
    assert (places.run_folder(run.id) / layout.JUDGED_POLICY).read_bytes() == ZIP


def test_anothers_policy_is_a_missing_one(stranger: Any, trained: Run, owner: Any) -> None:
    policy = Policy.objects.create(
        owner=owner, run=trained, which="best", sha256=SHA, bytes=len(ZIP), config=trained.config
    )
    missing = uuid.uuid4()
    for field, mine, none in (("run_id", trained.id, missing), ("policy", policy.id, missing)):
        assert _errors(stranger, {field: str(mine)}) == _errors(stranger, {field: str(none)})


@pytest.mark.parametrize(("network", "taken"), [("asset_shared", False), ("set_attention", True)])
def test_other_symbols_are_for_a_policy_of_any_number(owner: Any, trained: Run, network: str, taken: bool) -> None:
    config = {**trained.config, "model": {**trained.config["model"], "policy": network}}
    Run.objects.filter(pk=trained.pk).update(config=config)
    asked = {"run_id": str(trained.id), "dataset": {"symbols": ["KO", "JPM"]}}
    if taken:
        run = services.start_backtest(owner=owner, config=BacktestConfig.model_validate(asked))
        assert run.config["dataset"]["symbols"] == ["KO", "JPM"]
    else:
        said = "The policy was trained with AAPL, KO, XOM, in this order; it can be judged with nothing else."
        assert _errors(owner, asked) == {"dataset.symbols": [said]}


def test_a_training_that_has_not_succeeded(owner: Any, samples: Path) -> None:
    run = services.start_training(owner=owner, config=TrainConfig())
    assert "queued" in _errors(owner, {"run_id": str(run.id)})["run_id"][0]


def test_a_file_that_is_not_the_one_of_our_row(owner: Any, trained: Run, settings: Any) -> None:
    (places.run_folder(trained.id) / layout.BEST_POLICY).write_bytes(b"another")
    assert "not the one" in _errors(owner, {"run_id": str(trained.id)})["run_id"][0]
    assert len(list(settings.RUNS_ROOT.iterdir())) == 1
    assert len(list(settings.CONTROL_ROOT.iterdir())) == 1


@pytest.mark.parametrize(("asked", "field"), [
    ({"features": {"lookback": 5}}, "features"),
    ({"policy_sha256": "0" * 64}, "policy_sha256"),
    ({"start": "1990-01-10", "end": "1991-01-02"}, "start"),
    ({"start": "2030-01-10", "end": "2031-01-02"}, "start"),
    ({"dataset": {"symbols": ["NOPE"]}}, "dataset.symbols"),
    ({"dataset": {"symbols": ["AAPL"]}}, "dataset.symbols"),
    ({"dataset": {"symbols": ["KO", "AAPL", "XOM"]}}, "dataset.symbols"),
    ({"dataset": {"id": "sample/us-indices"}}, "dataset.symbols"),
    ({"margin": {"allow_short": True}}, "margin.allow_short"),
    ({"episode": {"mapping_mode": "discrete"}}, "episode.mapping_mode"),
    ({"episode": {"logit_scale": 2.0}}, "episode.logit_scale"),
    ({"episode": {"max_step_change": 0.1}}, "episode.max_step_change"),
    ({"start": "2010-01-04", "end": "2011-01-03", "split": {"scheme": "80_20", "embargo_bars": 9}}, "split.scheme"),
])  # fmt: skip
def test_bad_input(owner: Any, trained: Run, asked: dict[str, Any], field: str) -> None:
    assert field in _errors(owner, {"run_id": str(trained.id), **asked})


@pytest.mark.parametrize(("asked", "field"), [
    ({"features": {"lookback": 5}}, "features"),
    ({"policy_sha256": "0" * 64}, "policy_sha256"),
    ({"evaluation": {"policy": "last"}}, "evaluation.policy"),
    ({"start": "2010-01-04", "end": "2011-01-03", "split": {"scheme": "80_20"}}, "split.scheme"),
    ({"policy": "nonsense", "policy_sha256": "0" * 64}, "policy"),
    ({"policy": "policy", "policy_sha256": "0" * 64, "features": {}}, "policy"),
])  # fmt: skip
def test_what_no_baseline_has(owner: Any, samples: Path, asked: dict[str, Any], field: str) -> None:
    assert list(_errors(owner, {"policy": "equal", **asked})) == [field]


def test_a_policy_by_its_id_is_the_one_it_is(owner: Any, trained: Run) -> None:
    policy = Policy.objects.create(
        owner=owner, run=trained, which="best", sha256=SHA, bytes=len(ZIP), config=trained.config
    )
    assert "evaluation.policy" in _errors(owner, {"policy": str(policy.id), "evaluation": {"policy": "last"}})


def test_an_unknown_key(owner: Any, samples: Path) -> None:
    assert "no strategy sixty_forty" in _errors(owner, {"policy": "sixty_forty"})["policy"][0]
    assert "no strategy policy" in _errors(owner, {"policy": "policy"})["policy"][0]


def _errors(owner: Any, asked: dict[str, Any]) -> dict[str, list[str]]:
    before = Run.objects.count()
    with pytest.raises(ConfigFault) as fault:
        services.start_backtest(owner=owner, config=BacktestConfig.model_validate(asked))
    assert Run.objects.count() == before
    return fault.value.errors
