"""Faults of the founding system that must not come back (what is asked for): each was wrong there in the way told."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backtest.config import BacktestConfig
from runfiles import layout
from runs_app import places, services
from runs_app.models import Run
from tests.runs_app.test_start_backtest import trained

__all__ = ["trained"]  # a fixture


@pytest.mark.parametrize("policy", ["equal", "cash", "first_long"])
def test_trap_6_a_run_and_a_baseline_together_are_refused(owner: Any, trained: Run, policy: str) -> None:
    """There the run's policy was judged and called the baseline."""
    client = Client()
    client.force_login(owner)
    answer = client.post(
        "/api/stockbot/backtest", {"run_id": str(trained.id), "policy": policy}, content_type="application/json"
    )
    assert answer.status_code == 400
    said = json.dumps(answer.json()["errors"])
    assert "policy" in said and "run_id" in said and Run.objects.filter(kind="backtest").count() == 0


def test_trap_6_a_baseline_is_the_baseline(owner: Any, samples: Path, trained: Run) -> None:
    run = services.start_backtest(owner=owner, config=BacktestConfig(policy="equal"))
    assert (run.subject, run.source_run, run.policy) == ("equal", None, None)
    assert not (places.run_folder(run.id) / layout.JUDGED_POLICY).exists()


def test_trap_6_what_is_given_counts_as_given_though_it_is_the_default(owner: Any, trained: Run) -> None:
    """There symbols and dates that were equal to the template's were taken for none, and the run's were used."""
    default = BacktestConfig(policy="equal")
    assert trained.config["fees"]["taker_bps"] == 7.0 != default.fees.taker_bps
    asked = {"run_id": str(trained.id), "fees": {"taker_bps": default.fees.taker_bps}, "split": {"scheme": "last_year"}}
    run = services.start_backtest(owner=owner, config=BacktestConfig.model_validate(asked))
    assert run.config["fees"]["taker_bps"] == default.fees.taker_bps
    assert run.config["split"]["scheme"] == "last_year" != trained.config["split"]["scheme"]
