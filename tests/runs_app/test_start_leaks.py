"""Queueing a leak check: of a training's configuration, of a baseline, of a finished training's policy."""

import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backtest.config import BacktestConfig
from marketdata.config_base import ConfigFault
from rl.config import TrainConfig
from runfiles import layout, yamlio
from runs_app import executors, places, services
from runs_app.models import Artifact, Run
from runs_app.titles import run_title

ZIP = b"a policy of some bytes"
SHA = hashlib.sha256(ZIP).hexdigest()


@pytest.fixture
def trained(owner: Any, samples: Path) -> Run:
    config = TrainConfig.model_validate({"dataset": {"symbols": ["AAPL", "KO"]}, "features": {"lookback": 32},
                                         "training": {"seeds": [0]}})  # fmt: skip
    run = services.start_training(owner=owner, config=config)
    (places.run_folder(run.id) / layout.BEST_POLICY).write_bytes(ZIP)
    Artifact.objects.create(run=run, key="best_model", kind="model", bytes=len(ZIP), sha256=SHA)
    Run.objects.filter(pk=run.id).update(state="SUCCEEDED", ended=timezone.now())
    run.refresh_from_db()
    return run


def test_a_training_configuration(owner: Any, samples: Path) -> None:
    run = services.start_leaks(owner=owner, config=TrainConfig())
    assert (run.kind, run.subject, run.source_run) == ("leaks", "policy", None)
    assert run_title(run) == "Leak check of a PPO configuration on us20"
    kept = yamlio.load((places.run_folder(run.id) / layout.CONFIG).read_text())
    assert kept["training"]["n_envs"] == 64 and "policy" not in kept
    assert executors.command(run)[2:4] == ["-m", "backtest.leaks"]


def test_a_baseline(owner: Any, samples: Path) -> None:
    run = services.start_leaks(owner=owner, config=BacktestConfig(policy="equal"))
    assert (run.kind, run.subject) == ("leaks", "equal") and run_title(run) == "Leak check of Equal weight on us20"


def test_a_finished_training(owner: Any, trained: Run) -> None:
    run = services.start_leaks(owner=owner, config=BacktestConfig(run_id=str(trained.id)))
    assert (run.subject, run.source_run, run.config["policy_sha256"]) == ("policy", trained, SHA)
    assert (places.run_folder(run.id) / layout.JUDGED_POLICY).read_bytes() == ZIP


def test_anothers_training_is_a_missing_one(stranger: Any, trained: Run) -> None:
    told = []
    for run_id in (trained.id, uuid.uuid4()):
        with pytest.raises(ConfigFault) as fault:
            services.start_leaks(owner=stranger, config=BacktestConfig(run_id=str(run_id)))
        told.append(fault.value.errors)
    assert told[0] == told[1] and Run.objects.count() == 1


def test_the_form_of_a_policy_is_filled_from_its_training(owner: Any, stranger: Any, trained: Run) -> None:
    mine, theirs = Client(), Client()
    mine.force_login(owner)
    theirs.force_login(stranger)
    address = f"{reverse('runs:leaks-strategy')}?run_id={trained.id}"
    page = mine.get(address)
    assert page.status_code == 200 and f'value="{trained.id}" selected' in page.content.decode()
    assert theirs.get(address).status_code == 404
