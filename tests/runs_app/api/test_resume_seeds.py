"""POST runs/<id>/resume of a parent, and its page: the owner's alone, and what is taken over is told."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from runs_app import services
from runs_app.models import Run
from tests.runs_app.api.conftest import API, missing
from tests.runs_app.api.test_resume import post
from tests.runs_app.families import CONFIG, end, failed_family


def test_the_owner_goes_on(as_alice: Client, alice: User, samples: Path) -> None:
    old, (first, second, _) = failed_family(alice)
    answer = post(as_alice, old.id)
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["source_run"], told["state"], told["queue_position"]) == (str(old.id), "QUEUED", None)
    assert told["config_hash"] == old.config_hash and told["taken_over"] == [str(first.id)]
    children = [as_alice.get(f"{API}/runs/{child}").json() for child in told["children"]]
    assert [(child["parent"], child["source_run"]) for child in children] == [
        (str(old.id), None), (told["id"], str(second.id)), (told["id"], None)
    ]  # fmt: skip
    listed = as_alice.get(f"{API}/runs?parent={told['id']}").json()["results"]
    assert {row["id"] for row in listed} == set(told["children"]) and len(listed) == 3
    assert as_alice.get(f"{API}/runs/{old.id}").json()["taken_over"] == []
    assert len(as_alice.get(f"{API}/runs?parent={old.id}").json()["results"]) == 3


def test_a_foreign_parent_is_a_missing_one(as_bob: Client, alice: User, samples: Path) -> None:
    old, _ = failed_family(alice)
    theirs, nobodys = post(as_bob, old.id), post(as_bob, missing())
    assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content) == (404, theirs.content)
    assert as_bob.post(f"/runs/{old.id}/resume").status_code == 404
    assert Run.objects.count() == 4


def test_what_two_parents_took_over_is_listed_once(as_alice: Client, alice: User, samples: Path) -> None:
    old, (first, *_) = failed_family(alice)
    for _ in range(2):
        again = services.resume_training(run=old)
        for run in (*again.children.all(), again):
            end(run, "CANCELLED")
    assert first.taken_by.count() == 2
    for parent in (old, again):
        listed = [row["id"] for row in as_alice.get(f"{API}/runs?parent={parent.id}").json()["results"]]
        assert len(listed) == 3 and listed.count(str(first.id)) == 1


def test_what_anothers_parent_took_over_is_not_listed(
    as_alice: Client, as_bob: Client, alice: User, samples: Path
) -> None:
    again = post(as_alice, failed_family(alice)[0].id).json()
    assert as_bob.get(f"{API}/runs?parent={again['id']}").json()["results"] == []


def test_nobody_goes_on(client: Client, alice: User, samples: Path) -> None:
    old, _ = failed_family(alice)
    assert post(client, old.id).status_code == 401
    assert client.post(f"/runs/{old.id}/resume")["Location"].startswith("/accounts/login")
    assert Run.objects.count() == 4


def test_the_button_and_what_the_pages_say(as_alice: Client, alice: User, samples: Path) -> None:
    old, (first, second, _) = failed_family(alice)
    address = f"/runs/{old.id}/resume"
    page = as_alice.get(f"/runs/{old.id}").content.decode()
    assert f'action="{address}"' in page and "Resume what is missing" in page
    answer = as_alice.post(address)
    again = Run.objects.get(source_run=old)
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{again.id}")
    page = as_alice.get(f"/runs/{again.id}").content.decode()
    assert f'taken over from <a href="/runs/{old.id}">' in page and f'<a href="/runs/{first.id}">Seed 7</a>' in page
    assert f'goes on from <a href="/runs/{second.id}">' in page
    assert "Seed 5 starts anew: it left nothing to go on from." in page
    assert f'goes on as <a href="/runs/{again.id}">' in as_alice.get(f"/runs/{old.id}").content.decode()
    assert as_alice.get("/").content.decode().count("data-child") == 6


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "INTERRUPTED"])
def test_a_refusal_is_a_conflict_with_a_sentence(as_alice: Client, alice: User, samples: Path, state: str) -> None:
    old = services.start_training(owner=alice, config=CONFIG)
    for run in (*old.trainings, old):
        end(run, state)
    answer: Any = post(as_alice, old.id)
    assert (answer.status_code, answer.json()["errors"]) == (409, {})
    assert answer.json()["detail"].startswith("No seed of this training was trained")
    assert "/resume" not in as_alice.get(f"/runs/{old.id}").content.decode()
