"""A walk-forward: what its parent does when its folds end well, fail, are killed or cancelled."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rl.config import CvConfig
from runfiles import layout
from runfiles.policy_list import PolicyList
from runs_app import places, queueing, services
from runs_app.models import Dataset, Run
from runs_app.payload import run_payload
from tests.runs_app.yard import Yard


def family(yard: Yard, *switches: tuple[str, ...]) -> tuple[Run, list[Run]]:
    """A parent and the training of each fold, each with the switches of its stub job."""
    config = CvConfig.model_validate({"split": {"n_folds": len(switches)}, "training": {"seeds": [0], "threads": 1}})
    parent = services.start_walk_forward(owner=yard.owner, config=config)
    children = parent.trainings
    yard.switches[parent.id] = ("--report",)
    yard.switches.update({child.id: own for child, own in zip(children, switches, strict=True)})
    return parent, children


def states(*runs: Run) -> list[str]:
    for run in runs:
        run.refresh_from_db()
    return [run.state for run in runs]


def test_it_waits_without_a_slot_and_then_judges_every_fold(yard: Yard, samples: Path, settings: Any) -> None:
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 1
    parent, children = family(yard, ("--report",), ("--report",), ("--report",))
    assert list(queueing.positions().values()) == [1, 2, 3] and parent.id not in queueing.positions()
    yard.step_until(children[0], "SUCCEEDED", within_s=20)
    yard.reconciler.turn()
    parent.refresh_from_db()
    shown = run_payload(parent)
    assert (shown["state"], shown["phase"], shown["queue_position"]) == ("RUNNING", "train", None)
    yard.step_until(parent, "SUCCEEDED", within_s=30)

    assert states(parent, *children) == ["SUCCEEDED"] * 4
    folder = places.run_folder(parent.id)
    listed = PolicyList.read(folder)
    assert [(one.fold, one.seed) for one in listed.policies] == [(1, 0), (2, 0), (3, 0)]
    assert all((folder / one.path).read_bytes() == b"weights" for one in listed.policies)
    assert len(listed.folds) == 3 and parent.metrics["sharpe"] == 1.5
    assert not parent.policies.exists() and all(child.policies.count() == 2 for child in children)
    told = [event.data.get("sentence") for event in parent.events.filter(kind="state")]
    assert told[0] == "All 3 trainings are done; their policies are judged next."


def test_a_fold_that_fails_fails_its_parent_and_the_others_are_kept(yard: Yard, samples: Path) -> None:
    parent, children = family(yard, ("--report",), ("--job", "--memory-error"), ("--report",))
    yard.step_until(parent, "FAILED", within_s=30)
    assert states(parent, *children) == ["FAILED", "SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert parent.reason == "folds"
    assert parent.sentence.startswith("Fold 2, seed 0 failed: The job ran out of memory")
    assert parent.sentence.endswith(" What the others left is kept.")
    assert not (places.run_folder(parent.id) / layout.MEMBERS_LIST).exists()
    for child in (children[0], children[2]):
        assert (places.run_folder(child.id) / layout.BEST_POLICY).read_bytes() == b"weights"
        assert child.policies.count() == 2 and child.metrics


def test_a_fold_that_is_killed_interrupts_nobody_else(yard: Yard, samples: Path) -> None:
    parent, children = family(yard, ("--report",), ("--seconds", "60"))
    yard.step_until(children[1], "RUNNING")
    os.kill(yard.shim_pid(children[1]), signal.SIGKILL)
    for pid in yard.processes(children[1]):
        os.kill(pid, signal.SIGKILL)
    yard.step_until(parent, "FAILED", within_s=30)
    assert states(parent, *children) == ["FAILED", "SUCCEEDED", "INTERRUPTED"]
    assert parent.sentence.startswith("Fold 2, seed 0 was interrupted: ")


@pytest.mark.parametrize("running", [False, True])
def test_cancelling_it_cancels_every_fold(yard: Yard, samples: Path, settings: Any, running: bool) -> None:
    settings.RUN_SLOTS = settings.RUN_SLOTS_PER_USER = 1
    parent, children = family(yard, ("--seconds", "60"), ("--seconds", "60"))
    if running:
        yard.step_until(children[0], "RUNNING")
    assert services.cancel_run(run=parent)
    yard.step_until(parent, "CANCELLED", within_s=20)
    assert states(parent, *children) == ["CANCELLED"] * 3
    assert parent.sentence == "Cancelled; 0 of 2 trainings had been trained."


def test_data_that_is_gone_before_the_judgement_is_a_sentence(
    yard: Yard, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, children = family(yard, ("--report",))
    with monkeypatch.context() as held:
        held.setattr(yard.reconciler, "settle_parents", lambda: False)
        yard.step_until(children[0], "SUCCEEDED", within_s=20)
    Dataset.objects.filter(name="sample/us20").delete()
    yard.step_until(parent, "FAILED", within_s=20)
    assert "sample/us20" in parent.sentence and parent.sentence.endswith("resume this training.")
    assert states(*children) == ["SUCCEEDED"]
