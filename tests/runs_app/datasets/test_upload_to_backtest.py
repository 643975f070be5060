"""From a file of prices to a finished backtest on it, by the real child and the real job."""

import json
import subprocess
from typing import Any

import pytest
from django.test import Client

from runs_app import executors, places
from runs_app.models import Run
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import commit, named, put, send
from tests.runs_app.datasets.made import prices


def test_an_upload_shows_what_it_is(alice: Client) -> None:
    answer = send(alice, named("prices.csv", prices()))
    assert answer.status_code == 201
    found = answer.json()
    assert found["files"][0]["name"] == "prices.csv" and found["bytes"] == len(prices())
    assert found["preview"]["rows"][0][:2] == ["2020-01-02", "A"]
    assert found["preview"]["guess"]["columns"]["layout"] == "long"
    assert found["preview"]["findings"] == []


def test_a_commit_gives_a_dataset_that_everything_can_name(alice: Client, owner: Any) -> None:
    found = put(alice, title="My two")
    assert (found["id"], found["title"], found["survivorship"]) == ("files/mine", "My two", "unknown")
    assert found["report"]["level"] == "green" and found["as_of"] == "2020-12-31"
    listed = alice.get(f"{API}/datasets").json()["datasets"]
    assert [row["version"] for row in listed] == [found["version"]]
    detail = alice.get(found["url"]).json()
    assert detail["report"] == found["report"] and detail["runs"] == []


@pytest.mark.slow
def test_a_backtest_runs_on_it(alice: Client, settings: Any) -> None:
    found = put(alice)
    body = {"policy": "equal", "dataset": {"id": "files/mine"}, "start": "2020-03-02", "end": "2020-07-10",
            "evaluation": {"bootstrap_paths": 1000}}  # fmt: skip
    answer = alice.post(f"{API}/backtest", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    assert (run.dataset_name, run.dataset_version) == ("files/mine", found["version"])
    done = subprocess.run(
        executors.command(run),
        cwd=settings.BASE_DIR,
        env=executors.environment(run),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    folder = places.run_folder(run.id)
    note = json.loads((folder / "dataset.json").read_text())
    assert (note["id"], note["title"], note["as_of"]) == ("files/mine", "mine", "2020-12-31")
    stamps = json.loads((folder / "report/summary.json").read_text())["stamps"]
    assert any(text.startswith("Survivorship unknown") for text in stamps)
    assert alice.get(found["url"]).json()["runs"][0]["id"] == str(run.id)


def test_a_red_report_stores_nothing(alice: Client, settings: Any) -> None:
    spoiled = prices().replace("2020-01-03,A,", "2020-01-03,A,-")
    upload = send(alice, named("prices.csv", spoiled)).json()
    answer = commit(alice, upload)
    assert answer.status_code == 400
    said = answer.json()
    assert "A has an open of -" in said["errors"]["file"][0] and "2020-01-03" in said["errors"]["file"][0]
    assert said["report"]["level"] == "red"
    assert alice.get(f"{API}/datasets").json()["datasets"] == []
    assert list(settings.DATASETS_ROOT.iterdir()) == []
