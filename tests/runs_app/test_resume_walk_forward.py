"""Going on with a walk-forward as a whole: each fold and seed is taken over, goes on, or starts anew."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from rl.config import CvConfig
from runfiles import layout, resume
from runfiles.policy_list import PolicyList
from runs_app import places, queueing, services
from runs_app.models import Run
from runs_app.resume import NotResumable
from runs_app.resume_parent import can_go_on
from tests.runs_app.families import bring, checkpoint_of, end, stopped

CONFIG = CvConfig.model_validate(
    {"split": {"n_folds": 2, "test_bars": 250, "validation_bars": 200}, "training": {"seeds": [7, 3]}}
)
MEMBERS = [(1, 7), (1, 3), (2, 7), (2, 3)]


def trained(run: Run) -> Run:
    return end(run, "SUCCEEDED", {"best_model": run.member_name.encode(), "checkpoint": b"checkpoint"})


def failed_walk(owner: Any) -> tuple[Run, list[Run]]:
    """Seed 7 was trained in both folds; of seed 3 fold 1 stopped with a checkpoint, fold 2 was never begun."""
    parent = services.start_walk_forward(owner=owner, config=CONFIG)
    one, other, third, fourth = parent.trainings
    children = [trained(one), stopped(other), trained(third), end(fourth, "CANCELLED")]
    return end(parent, "FAILED", name="n", reason="folds"), children


def test_each_fold_and_seed_goes_on_from_what_it_left(owner: Any, samples: Path) -> None:
    old, (one, other, third, fourth) = failed_walk(owner)
    again = services.resume_training(run=old)
    assert (again.kind, again.state, again.queued, again.name) == ("cv", "QUEUED", None, "n")
    assert (again.source_run, again.config, again.config_hash) == (old, old.config, old.config_hash)

    assert [(child.fold, *child.seeds) for child in again.trainings] == MEMBERS
    first, goes_on, taken, anew = again.trainings
    assert (first, taken) == (one, third) and set(again.taken_over.all()) == {one, third}
    assert (goes_on.parent, goes_on.source_run, goes_on.config) == (again, other, other.config)
    assert (anew.parent, anew.source_run, anew.config) == (again, None, fourth.config)
    assert anew.config["training"]["siblings"] == [7]
    assert [run_id for run_id, _ in queueing.in_turn()] == [goes_on.id, anew.id]
    assert (places.run_folder(goes_on.id) / layout.RESUMED / "last.zip").read_bytes() == checkpoint_of(3)
    assert resume.read(places.run_folder(anew.id)) is None
    assert again.events.get().data["sentence"] == (
        f"Fold 1, seed 7 is taken over from run {str(one.id)[:8]}. Fold 1, seed 3 goes on from the checkpoint of run "
        f"{str(other.id)[:8]}. Fold 2, seed 7 is taken over from run {str(third.id)[:8]}. Fold 2, seed 3 starts anew: "
        "it left nothing to go on from."
    )


def test_its_judge_finds_the_policy_of_every_fold_and_seed(owner: Any, samples: Path) -> None:
    old, _ = failed_walk(owner)
    again = services.resume_training(run=old)
    for child in again.children.all():
        trained(child)
    bring(again)
    folder = places.run_folder(again.id)
    listed = PolicyList.read(folder)
    assert [(one.fold, one.seed) for one in listed.policies] == MEMBERS and [one.fold for one in listed.folds] == [1, 2]
    for one in listed.policies:
        assert (folder / one.path).read_bytes() == f"Fold {one.fold}, seed {one.seed}".encode()


def test_where_every_fold_is_trained_only_the_judge_runs(owner: Any, samples: Path) -> None:
    old = services.start_walk_forward(owner=owner, config=CONFIG)
    children = [trained(child) for child in old.trainings]
    again = services.resume_training(run=end(old, "FAILED", reason="killed"))
    assert again.trainings == children and not again.children.exists()
    assert again.events.get().data["sentence"].endswith("All folds are trained; they are judged again.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "FAILED", "reason": "diverged"}, "Fold 1, seed 7 of this training diverged, and would again"),
        ({"state": "FAILED"}, "No fold of this training was trained to its end or left a checkpoint; start it again"),
    ],
)
def test_what_cannot_go_on_says_why(owner: Any, samples: Path, changes: dict[str, str], words: str) -> None:
    old = services.start_walk_forward(owner=owner, config=CONFIG)
    assert not can_go_on(old)
    end(old, "FAILED", reason="folds")
    for child in old.trainings:
        end(child, **changes)
    count = Run.objects.count()
    with pytest.raises(NotResumable, match=words):
        services.resume_training(run=old)
    assert Run.objects.count() == count and not can_go_on(old)


def test_the_button_and_the_key(client: Client, owner: User, samples: Path) -> None:
    old, (one, *_) = failed_walk(owner)
    client.force_login(owner)
    page = client.get(f"/runs/{old.id}").content.decode()
    assert f'action="/runs/{old.id}/resume"' in page and "Resume what is missing" in page
    asked = {"content_type": "application/json", "headers": {"Idempotency-Key": "once"}}
    address = f"/api/stockbot/runs/{old.id}/resume"
    first, second = (client.post(address, "{}", **asked) for _ in range(2))  # type: ignore[arg-type]
    assert (first.status_code, second.status_code) == (201, 200) and first.json()["id"] == second.json()["id"]
    answer = client.post("/api/stockbot/cv", json.dumps({}), **asked)  # type: ignore[arg-type]
    assert answer.status_code == 409 and f"the resuming of run {old.id}" in answer.json()["detail"]
    page = client.get(f"/runs/{first.json()['id']}").content.decode()
    assert f'<a href="/runs/{one.id}">Fold 1, seed 7</a>' in page
    assert f'taken over from <a href="/runs/{old.id}">' in page and "Step, all folds" in page
