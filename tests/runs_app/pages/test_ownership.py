"""Every page of a run: its owner sees it, another person gets what a missing run gives, nobody is sent to log in."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.runs_app.finished_run import finished_training

PAGES = {
    "runs:detail": {},
    "runs:part": {"part": "outcome"},
    "runs:report": {},
    "runs:report-data": {},
    "runs:report-table": {"table": "orders"},
}
MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("name", PAGES)
def test_it_works(name: str, owner: Any, person: Client) -> None:
    run = finished_training(owner)
    assert person.get(reverse(name, kwargs={"run_id": run.id, **PAGES[name]})).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_gets_what_a_missing_run_gives(name: str, owner: Any, other_person: Client) -> None:
    run = finished_training(owner)
    theirs = other_person.get(reverse(name, kwargs={"run_id": run.id, **PAGES[name]}))
    missing = other_person.get(reverse(name, kwargs={"run_id": MISSING, **PAGES[name]}))
    assert theirs.status_code == missing.status_code == 404
    assert _without_token(theirs) == _without_token(missing)


@pytest.mark.parametrize(
    "name",
    [
        *PAGES,
        "runs:list",
        "runs:train",
        "runs:cv",
        "runs:backtest",
        "runs:leaks",
        "runs:calibrate",
        "runs:leaks-strategy",
        "runs:policies",
        "runs:datasets",
    ],
)
def test_nobody_is_sent_to_log_in(name: str, owner: Any) -> None:
    kwargs = {"run_id": finished_training(owner).id, **PAGES[name]} if name in PAGES else {}
    address = reverse(name, kwargs=kwargs)
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('accounts:login')}?next={address}"


def test_a_stranger_cannot_cancel(owner: Any, other_person: Client) -> None:
    run = finished_training(owner)
    assert other_person.post(reverse("runs:cancel", args=[run.id])).status_code == 404
    run.refresh_from_db()
    assert run.cancel_requested_at is None


def test_a_strangers_run_is_in_no_list_and_no_choice(owner: Any, other_person: Client) -> None:
    run = finished_training(owner, name="A secret plan")
    for name in ("runs:list", "runs:policies", "runs:backtest", "runs:leaks-strategy"):
        answer = other_person.get(reverse(name)).content.decode()
        assert "A secret plan" not in answer
        assert str(run.id) not in answer


def _without_token(answer: Any) -> str:
    """The page without its form token, which is another in each answer."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
