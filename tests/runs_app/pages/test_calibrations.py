"""The form of a calibration, filled from a training of one's own, and what it found on its run's page."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runfiles import layout
from runs_app import places
from runs_app.models import Artifact, Run
from tests.runs_app.finished_run import finished_training, unfinished_training
from tests.runs_app.pages.reading import Reading

SENTENCE = "This set-up can <b>learn</b>. In 0 of 10 worlds with nothing to find it was shown."
GROUP = {"kappa": 0.5, "asked": 5, "tried": 5, "shown": 5, "low": 0.5492, "high": 1.0, "capture": 0.83,
         "capture_least": 0.7, "capture_most": 0.9, "growth": 40e-4, "sentence": ""}  # fmt: skip
NULL = GROUP | {"kappa": 0.0, "asked": 10, "tried": 10, "shown": 0, "low": 0.0, "high": 0.2589, "capture": None,
                "capture_least": None, "capture_most": None, "growth": -2e-5}  # fmt: skip
WEAK = GROUP | {"kappa": 0.1, "shown": 0, "low": 0.0, "high": 0.4507}
WORLD = {"kappa": 0.5, "number": 3, "code": "shown", "growth": [40e-4, 38e-4], "oracle": 50e-4, "capture": [0.8, 0.76]}
FOUND = {"code": "learns", "sentence": SENTENCE, "complete": True, "groups": [GROUP, NULL, WEAK], "worlds": [WORLD]}


def left(owner: Any, content: str, state: str = "SUCCEEDED") -> Run:
    run = unfinished_training(owner, kind="calibrate", state=state, name="")
    path = places.run_folder(run.id) / layout.FILES["calibration"].path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    Artifact.objects.create(run=run, key="calibration", kind="report", bytes=len(content), sha256="0" * 64)
    return run


def shown(person: Client, run: Run) -> Reading:
    answer = person.get(reverse("runs:detail", args=[run.id]))
    assert answer.status_code == 200 and "<b>learn" not in answer.content.decode()
    return Reading(answer.content.decode())


@pytest.mark.parametrize("state", ["SUCCEEDED", "CANCELLED", "FAILED"])
def test_the_run_shows_power_and_false_discovery_rate(owner: Any, person: Client, state: str) -> None:
    text = " ".join(shown(person, left(owner, json.dumps(FOUND), state)).text.split())
    assert "Calibration: it can learn" in text and SENTENCE in text and "Calibration of PPO on us20" in text
    assert "0.5 5 of 5 at least 54 % 0.83 0.70 to 0.90 +40.00" in text
    assert "nothing to find 0 of 10 at most 26 % — — −0.20" in text
    assert "0.1 0 of 5 at most 46 % 0.83" in text
    assert "3 0.5 Shown 0.80, 0.76 +40.00, +38.00 +50.00" in text and "Training curves" not in text


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"code": "learns"}', '{"code": ["learns"], "groups": [], "worlds": []}',
     '{"code": "perfect", "groups": [], "worlds": []}', '{"code": "learns", "groups": {}, "worlds": []}'],
)  # fmt: skip
def test_a_strange_file_is_no_result(owner: Any, person: Client, content: str) -> None:
    assert "Calibration: " not in shown(person, left(owner, content)).text


def test_strange_rows_are_dashes(owner: Any, person: Client) -> None:
    rows = [3, {"kappa": "x", "shown": True, "low": None, "growth": []}]
    worlds = [None, {"number": "1", "code": ["shown"], "growth": {"a": 1}, "capture": [None, "x"], "oracle": False}]
    content = {"code": "learns", "sentence": 3, "groups": rows, "worlds": worlds}
    assert "Calibration: it can learn" in shown(person, left(owner, json.dumps(content))).text


def test_the_file_is_its_owners(owner: Any, person: Client, other_person: Client) -> None:
    run = left(owner, json.dumps(FOUND))
    address = f"/api/stockbot/runs/{run.id}/files/calibration"
    assert person.get(address).status_code == 200
    assert other_person.get(address).status_code == 404 and Client().get(address).status_code == 401


def form_of(person: Client, query: str = "") -> dict[str, Any]:
    return Reading(person.get(reverse("runs:calibrate") + query).content.decode()).form()


def test_a_good_form_starts_one_run(owner: Any, person: Client) -> None:
    answer = person.post(reverse("runs:calibrate"), form_of(person) | {"calibration.null_worlds": "7"})
    run = Run.objects.get(owner=owner)
    assert answer.status_code == 302 and answer["Location"] == reverse("runs:detail", args=[run.id])
    assert run.kind == "calibrate" and run.config["calibration"]["null_worlds"] == 7


@pytest.mark.parametrize(
    ("name", "typed", "word"),
    [("calibration.strengths", "0.5, 1.5", "less than 1"), ("calibration.null_worlds", "-1", "at least 0"),
     ("calibration.planted_worlds", "many", "number"), ("evaluation.baselines", "cash", "nothing to measure")],
)  # fmt: skip
def test_a_bad_value_is_told_beside_its_field(person: Client, name: str, typed: str, word: str) -> None:
    answer = person.post(reverse("runs:calibrate"), form_of(person) | {name: typed})
    assert answer.status_code == 400 and not Run.objects.exists()
    assert word in " ".join(Reading(answer.content.decode()).fields[name].errors)


def test_it_asks_for_nothing_that_only_a_report_reads(person: Client) -> None:
    asked = form_of(person)
    assert "calibration.strengths" in asked and "training.seeds" in asked
    assert not {"evaluation.delays", "evaluation.waterfall", "training.checkpoint_every"} & asked.keys()


def test_it_is_filled_from_a_training_of_ones_own(owner: Any, person: Client, other_person: Client) -> None:
    run = finished_training(owner)
    Run.objects.filter(pk=run.id).update(config=run.config | {"features": {"lookback": 21}, "out_tag": "old"})
    query = f"?run_id={run.id}"
    filled = form_of(person, query)
    assert filled["features.lookback"] == ["21"] and filled["out_tag"] == [""]
    assert other_person.get(reverse("runs:calibrate") + query).status_code == 404
    assert person.get(reverse("runs:calibrate") + "?run_id=x").status_code == 404
    page = Reading(person.get(reverse("runs:detail", args=[run.id])).content.decode())
    assert "Calibrate this set-up" in page.text
