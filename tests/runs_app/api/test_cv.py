"""POST cv: 201 with the parent, the same key the same one, a fault at its field; nobody sees another's folds."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from runs_app.models import Run
from tests.runs_app.api.conftest import API

TWO = {"split": {"n_folds": 2, "test_bars": 126}, "training": {"seeds": [0]}}


def post(client: Client, body: Any, kind: str = "cv", **headers: str) -> Any:
    return client.post(f"{API}/{kind}", json.dumps(body), content_type="application/json", headers=headers)


def test_it_queues_a_parent_and_a_training_a_fold(as_alice: Client, alice: User, samples: Path) -> None:
    answer = post(as_alice, TWO)
    assert answer.status_code == 201, answer.content
    run = Run.objects.get(kind="cv")
    said = answer.json()
    assert answer["Location"] == said["url"] == f"{API}/runs/{run.id}"
    assert (said["kind"], said["state"], said["queue_position"]) == ("cv", "QUEUED", None)
    assert said["config"]["split"] | TWO["split"] == said["config"]["split"]
    children = [as_alice.get(f"{API}/runs/{child}").json() for child in said["children"]]
    assert [child["config"]["split"]["fold"] for child in children] == [1, 2]
    assert {child["parent"] for child in children} == {said["id"]}
    assert {run.owner_id for run in Run.objects.all()} == {alice.id}


def test_nothing_needs_to_be_said(as_alice: Client, samples: Path) -> None:
    said = post(as_alice, {}).json()
    assert said["config"]["split"]["n_folds"] == 4 and len(said["children"]) == 12


def test_the_same_key_is_the_same_run(as_alice: Client, samples: Path) -> None:
    first, again = (post(as_alice, TWO, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200) and first.json()["id"] == again.json()["id"]
    assert post(as_alice, {}, "train", **{"Idempotency-Key": "once"}).status_code == 409
    assert Run.objects.count() == 3


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("split.scheme", {"split": {"scheme": "last_year"}}), ("split.fold", {"split": {"fold": 1}}),
        ("split.n_folds", {"split": {"n_folds": "2"}}), ("split.n_folds", {"split": {"n_folds": 34}}),
        ("split.n_folds", {"split": {"n_folds": 33, "test_bars": 300}}), ("split.n_fold", {"split": {"n_fold": 2}}),
        ("split.test_bars", {"split": {"test_bars": 1}}), ("policy", {"policy": "equal"}),
        ("features.lookback", {"features": {"lookback": 1024}, "dataset": {"start": "2014-01-02"}}),
    ],
)  # fmt: skip
def test_a_fault_is_told_at_its_field_and_leaves_nothing(
    as_alice: Client, samples: Path, settings: Any, field: str, body: dict[str, Any]
) -> None:
    answer = post(as_alice, body)
    assert answer.status_code == 400 and list(answer.json()["errors"]) == [field]
    assert not Run.objects.exists() and not list(settings.RUNS_ROOT.iterdir())


def test_anothers_walk_forward_is_a_missing_one(as_alice: Client, as_bob: Client, samples: Path) -> None:
    said = post(as_alice, TWO).json()
    missing = as_bob.get(f"{API}/runs/3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    for run in (said["id"], *said["children"]):
        answer = as_bob.get(f"{API}/runs/{run}")
        assert (answer.status_code, answer.content) == (missing.status_code, missing.content) == (404, missing.content)
        assert as_bob.post(f"{API}/runs/{run}/cancel").status_code == 404
    refused = post(as_bob, {"run_id": said["id"]}, "backtest")
    assert refused.status_code == 400 and list(refused.json()["errors"]) == ["run_id"]
    assert as_bob.get(f"{API}/runs?parent={said['id']}").json()["results"] == []
