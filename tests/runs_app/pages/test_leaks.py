"""What the leak gate found, on the page of a leak check and in a report; a strange file breaks neither."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from backtest.leaks.report import NAMES, Check, LeakReport
from runfiles import layout
from runs_app import places
from runs_app.models import Artifact, Run
from tests.runs_app.finished_run import finished_training, unfinished_training
from tests.runs_app.pages.reading import Reading

LEAK = "features: <b>rsi(14)</b> of KO on 2020-02-03 is 1, and 2 when other bars follow; it knows later bars."
FOUND = LeakReport(
    "policy", "2020-01-02", "2020-12-31", ("2020-02-03",), 15,
    tuple(Check(key, name, "failed" if key == "features" else "passed", 30, LEAK if key == "features" else "")
          for key, name in NAMES.items()),
)  # fmt: skip


def leave(run: Run, content: str) -> Run:
    path = places.run_folder(run.id) / layout.FILES["leaks"].path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    Artifact.objects.create(run=run, key="leaks", kind="report", bytes=len(content), sha256="0" * 64)
    return run


def check_of(owner: Any, content: str) -> Run:
    return leave(unfinished_training(owner, kind="leaks", state="SUCCEEDED", name=""), content)


def shown(person: Client, name: str, run: Run) -> Reading:
    answer = person.get(reverse(name, args=[run.id]))
    assert answer.status_code == 200 and "<b>rsi" not in answer.content.decode()
    return Reading(answer.content.decode())


def test_the_run_shows_every_check_and_the_leak(owner: Any, person: Client) -> None:
    page = shown(person, "runs:detail", check_of(owner, json.dumps(FOUND.as_dict())))
    assert "Leak gate: leak found" in page.text and LEAK in page.text
    assert all(name in page.text for name in NAMES.values())
    assert "Training curves" not in page.text and "Leak check of a PPO configuration on us20" in page.text


def test_the_report_shows_it_too(owner: Any, person: Client) -> None:
    page = shown(person, "runs:report", leave(finished_training(owner), json.dumps(FOUND.as_dict())))
    assert "Leak gate: leak found" in page.text and LEAK in page.text


def test_a_report_without_it_says_nothing_of_it(owner: Any, person: Client) -> None:
    assert "Leak gate" not in shown(person, "runs:report", finished_training(owner)).text


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"state": "passed"}', '{"state": "good", "checks": []}', '{"state": "passed", "checks": 3}',
     '{"state": ["passed"], "checks": []}'],
)  # fmt: skip
def test_a_strange_file_is_no_result(owner: Any, person: Client, content: str) -> None:
    assert "Leak gate:" not in shown(person, "runs:detail", check_of(owner, content)).text


def test_strange_checks_are_left_out(owner: Any, person: Client) -> None:
    content = {"state": "passed", "reruns": "many", "checks": [3, {"state": {}}, {"state": "passed", "cases": "x"}]}
    assert "Leak gate: no leak found" in shown(person, "runs:detail", check_of(owner, json.dumps(content))).text


def test_the_file_is_its_owners(owner: Any, person: Client, other_person: Client) -> None:
    run = check_of(owner, json.dumps(FOUND.as_dict()))
    address = f"/api/stockbot/runs/{run.id}/files/leaks"
    assert person.get(address).status_code == 200
    assert other_person.get(address).status_code == 404 and Client().get(address).status_code == 401


@pytest.mark.parametrize("word", ["no leak found", "leak found", "not all could be examined"])
def test_the_list_shows_the_answer_of_a_leak_check(owner: Any, person: Client, word: str) -> None:
    state = {"no leak found": "passed", "leak found": "failed"}.get(word, "incomplete")
    run = check_of(owner, json.dumps(FOUND.as_dict() | {"state": state}))
    page = Reading(person.get(reverse("runs:list")).content.decode())
    assert f" {word} " in f" {' '.join(page.text.split())} "
    assert [found.get("href") for tag, found in page.tags if tag == "a"].count(
        reverse("runs:detail", args=[run.id])
    ) == 2


def test_the_list_shows_no_answer_where_the_file_tells_none(owner: Any, person: Client) -> None:
    check_of(owner, "{}")
    assert "leak found" not in person.get(reverse("runs:list")).content.decode()


def test_the_report_of_a_leak_check_says_where_its_answer_is(owner: Any, person: Client) -> None:
    page = shown(person, "runs:report", check_of(owner, json.dumps(FOUND.as_dict())))
    assert "What it found is on the page of the run." in page.text
    assert "ended before" not in page.text and "out of sample" not in page.text


def test_a_check_offers_nothing_that_it_does_not_do(person: Client) -> None:
    for name in ("runs:leaks", "runs:leaks-strategy"):
        text = Reading(person.get(reverse(name)).content.decode()).text
        assert not [
            word for word in ("steps, a small net", "seeds:", "a minute", "resampling", "worth judging") if word in text
        ]
