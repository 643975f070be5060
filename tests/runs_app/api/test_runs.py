"""The list, one run, its name, its end."""

import base64
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs_app.models import Run
from runs_app.payload import run_payload
from tests.runs_app.api.conftest import API, MakeRun


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


def test_the_list_is_mine_newest_first(as_alice: Client, as_bob: Client, make_run: MakeRun) -> None:
    runs = [make_run() for _ in range(3)]
    assert ids(as_alice.get(f"{API}/runs")) == [str(run.id) for run in reversed(runs)]
    assert as_bob.get(f"{API}/runs").json() == {"results": [], "next": None}


def test_a_row_holds_the_live_payload(as_alice: Client, make_run: MakeRun) -> None:
    first, second = make_run(), make_run(name="x")
    row = as_alice.get(f"{API}/runs").json()["results"][0]
    assert row.items() >= run_payload(second).items()
    assert (row["queue_position"], row["name"], row["url"]) == (2, "x", f"{API}/runs/{second.id}")
    assert run_payload(first)["queue_position"] == 1


def test_pages_hold_each_run_once_even_when_new_ones_come(as_alice: Client, make_run: MakeRun) -> None:
    runs = [make_run() for _ in range(7)]
    same_moment = timezone.now() - timedelta(hours=1)
    Run.objects.filter(id__in=[run.id for run in runs[:4]]).update(created=same_moment)
    found, address = [], f"{API}/runs?limit=2&kind=backtest"
    while address:
        answer = as_alice.get(address)
        found += ids(answer)
        make_run()
        address = answer.json()["next"]
    assert len(found) == 7 and set(found) == {str(run.id) for run in runs}


def test_filters(as_alice: Client, make_run: MakeRun) -> None:
    queued, done, failed = make_run(), make_run(state="SUCCEEDED", kind="train"), make_run(state="FAILED")
    assert ids(as_alice.get(f"{API}/runs?state=SUCCEEDED")) == [str(done.id)]
    assert ids(as_alice.get(f"{API}/runs?state=QUEUED&state=FAILED")) == [str(failed.id), str(queued.id)]
    assert ids(as_alice.get(f"{API}/runs?kind=train")) == [str(done.id)]
    assert ids(as_alice.get(f"{API}/runs?kind=train&state=FAILED")) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=running", "state"), ("kind=x", "kind"), ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"),
     ("limit=%D9%A1", "limit"), ("after=x", "after"), ("after=%C3%A9", "after"), ("after=MjAyMA==", "after"),
     ("after=MjAyMC0wMS0wMSAwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDA=", "after"), ("sort=name", "sort")],
)  # fmt: skip
def test_a_question_that_is_none_is_refused(as_alice: Client, query: str, field: str) -> None:
    answer = as_alice.get(f"{API}/runs?{query}")
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {field}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2020-01-01T00:00:00"])
def test_a_place_outside_of_time_is_refused(as_alice: Client, moment: str) -> None:
    cursor = base64.urlsafe_b64encode(f"{moment} {uuid.UUID(int=0)}".encode()).decode()
    answer = as_alice.get(f"{API}/runs", {"after": cursor})
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {"after"}


@pytest.mark.parametrize(
    "run_id",
    ["%00", "a%00b", "-1", "0", "1e9", "NaN", "null", "[]", "{}", "' OR 1=1--", "1;DROP TABLE runs",
     "%0d%0aSet-Cookie:x=1", "%ff%fe", "..", "%2e%2e%2f", "x" * 4096],
)  # fmt: skip
def test_what_is_no_id_is_nothing(as_alice: Client, run_id: str) -> None:
    for address in (f"{API}/runs/{run_id}", f"{API}/runs/{run_id}/log", f"/runs/{run_id}"):
        answer = as_alice.get(address)
        assert answer.status_code in (400, 404)
        assert "Set-Cookie:x" not in str(answer.headers)
        if address.startswith("/api/"):
            assert answer.json().keys() == {"detail", "errors"}


def test_an_id_has_one_spelling(as_alice: Client, run: Run) -> None:
    assert as_alice.get(f"{API}/runs/{run.id}").status_code == 200
    assert as_alice.get(f"{API}/runs/{str(run.id).upper()}").status_code == 404
    assert as_alice.get(f"{API}/runs/{run.id.hex}").status_code == 404
    assert as_alice.get(f"{API}/runs/{run.id}/").status_code == 404


def test_the_name_can_be_changed(as_alice: Client, run: Run) -> None:
    answer = as_alice.patch(f"{API}/runs/{run.id}", {"name": "<b>mine</b>"}, content_type="application/json")
    assert answer.status_code == 200 and answer.json()["name"] == "<b>mine</b>"
    run.refresh_from_db()
    assert run.name == "<b>mine</b>"


@pytest.mark.parametrize(
    ("given", "field"),
    [({"state": "QUEUED"}, "state"), ({"owner": 1, "name": "x"}, "owner"), ({"config": {}}, "config"),
     ({"name": "x" * 121}, "name"), ({"name": None}, "name"), ({"name": "a\x00b"}, "name"), ({}, "name"), ([], "body")],
)  # fmt: skip
def test_nothing_else_can_be_changed(as_alice: Client, run: Run, given: Any, field: str) -> None:
    before = Run.objects.values().get()
    answer = as_alice.patch(f"{API}/runs/{run.id}", given, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {field}
    assert Run.objects.values().get() == before


def test_cancel_leaves_the_wish(as_alice: Client, make_run: MakeRun) -> None:
    run = make_run(state="RUNNING")
    answers = [as_alice.post(f"{API}/runs/{run.id}/cancel") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["cancel_requested"] and answers[0].json()["seq"] == answers[1].json()["seq"] == 1


def test_a_run_that_has_ended_stays_as_it_is(as_alice: Client, run: Run) -> None:
    answer = as_alice.post(f"{API}/runs/{run.id}/cancel")
    assert (answer.status_code, answer.json()["state"], answer.json()["cancel_requested"]) == (202, "SUCCEEDED", False)


def test_a_get_does_not_cancel(as_alice: Client, make_run: MakeRun) -> None:
    assert as_alice.get(f"{API}/runs/{make_run(state='RUNNING').id}/cancel").status_code == 405
