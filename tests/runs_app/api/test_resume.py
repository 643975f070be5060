"""POST runs/<id>/resume, and the button on the page: the owner's alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from runs_app import services
from runs_app.models import Run
from tests.runs_app.api.conftest import API, missing
from tests.runs_app.test_resume import stopped


def post(client: Client, run_id: Any, body: Any = "", **headers: str) -> Any:
    return client.post(f"{API}/runs/{run_id}/resume", body, content_type="application/json", headers=headers)


def test_the_owner_goes_on(as_alice: Client, alice: User, samples: Path) -> None:
    run = stopped(alice)
    answer = post(as_alice, run.id)
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["source_run"], told["state"], told["config"]) == (str(run.id), "QUEUED", run.config)
    assert answer["Location"] == told["url"] == f"{API}/runs/{told['id']}"


def test_the_same_key_again_gives_the_same_run(as_alice: Client, alice: User, samples: Path) -> None:
    run = stopped(alice)
    first, again = (post(as_alice, run.id, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200) and first.json()["id"] == again.json()["id"]


def test_a_key_is_of_one_request(as_alice: Client, alice: User, samples: Path) -> None:
    """Of a new training and of going on, or of going on from one run and another: never the other's run."""
    one, other = stopped(alice), stopped(alice)
    config = json.dumps({"training": {"seeds": [0]}})

    def start(key: str) -> Any:
        return as_alice.post(f"{API}/train", config, content_type="application/json", headers={"Idempotency-Key": key})

    assert (start("new").status_code, start("new").status_code) == (201, 200)
    assert post(as_alice, one.id, **{"Idempotency-Key": "on"}).status_code == 201
    count = Run.objects.count()
    for answer, words in (
        (post(as_alice, one.id, **{"Idempotency-Key": "new"}), "a new training"),
        (start("on"), f"the resuming of run {one.id}"),
        (post(as_alice, other.id, **{"Idempotency-Key": "on"}), f"the resuming of run {one.id}"),
    ):
        told = {"detail": f"This Idempotency-Key belongs to {words}; use another.", "errors": {}}
        assert (answer.status_code, answer.json()) == (409, told)
    assert Run.objects.count() == count


def test_a_key_that_another_request_takes_meanwhile(
    as_alice: Client, alice: User, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stopped(alice), stopped(alice)
    true = services.resume_training

    def slow(*, run: Run, **once: Any) -> Run:
        true(run=other, **once)
        return true(run=run, **once)

    monkeypatch.setattr(services, "resume_training", slow)
    answer = post(as_alice, one.id, **{"Idempotency-Key": "k"})
    assert answer.status_code == 409 and f"run {other.id};" in answer.json()["detail"]


def test_a_foreign_run_is_a_missing_one(as_bob: Client, alice: User, samples: Path) -> None:
    run = stopped(alice)
    theirs, nobodys = post(as_bob, run.id), post(as_bob, missing())
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, theirs.content)
    assert as_bob.post(f"/runs/{run.id}/resume").status_code == 404
    assert Run.objects.count() == 1


def test_nobody_goes_on(client: Client, alice: User, samples: Path) -> None:
    run = stopped(alice)
    assert post(client, run.id).status_code == 401
    assert client.post(f"/runs/{run.id}/resume")["Location"].startswith("/accounts/login")
    assert Run.objects.count() == 1


def test_a_refusal_is_a_conflict_with_a_sentence(as_alice: Client, alice: User, samples: Path) -> None:
    answer = post(as_alice, stopped(alice, content={}).id)
    assert (answer.status_code, answer.json()) == (
        409, {"detail": "This training left no checkpoint; start it again.", "errors": {}}
    )  # fmt: skip


@pytest.mark.parametrize("body", [{"training": {"total_timesteps": 9999}}, [1], "x"])
def test_edits_are_refused(as_alice: Client, alice: User, samples: Path, body: Any) -> None:
    answer = post(as_alice, stopped(alice).id, json.dumps(body))
    assert answer.status_code == 400 and answer.json()["errors"], answer.content
    assert Run.objects.count() == 1


def test_the_button(as_alice: Client, alice: User, samples: Path) -> None:
    run = stopped(alice)
    address = f"/runs/{run.id}/resume"
    assert f'action="{address}"' in as_alice.get(f"/runs/{run.id}").content.decode()
    answer = as_alice.post(address)
    again = Run.objects.exclude(pk=run.pk).get()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{again.id}")
    assert f'resumed from <a href="/runs/{run.id}">' in as_alice.get(f"/runs/{again.id}").content.decode()
    assert f'goes on as <a href="/runs/{again.id}">' in as_alice.get(f"/runs/{run.id}").content.decode()


def test_there_is_no_button_without_a_checkpoint(as_alice: Client, alice: User, samples: Path) -> None:
    run = stopped(alice, content={})
    assert "/resume" not in as_alice.get(f"/runs/{run.id}").content.decode()
    answer = as_alice.post(f"/runs/{run.id}/resume")
    assert answer.status_code == 409 and "This training left no checkpoint" in answer.content.decode()
