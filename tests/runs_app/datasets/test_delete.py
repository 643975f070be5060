"""A dataset goes when no run of its owner's needs it; else the answer names the runs."""

from pathlib import Path
from typing import Any

from django.test import Client

from runs_app import datasets
from runs_app.models import Dataset, Run
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import put

BODY = {"policy": "equal", "dataset": {"id": "files/mine"}, "start": "2020-03-02", "end": "2020-07-10"}


def backtest(client: Client) -> Run:
    answer = client.post(f"{API}/backtest", BODY, content_type="application/json")
    assert answer.status_code == 201, answer.content
    found: Run = Run.objects.get(pk=answer.json()["id"])
    return found


def test_a_run_keeps_its_data(alice: Client, settings: Any) -> None:
    mine = put(alice)
    run = backtest(alice)
    answer = alice.delete(mine["url"])
    assert answer.status_code == 400
    assert str(run.id)[:8] in answer.json()["errors"]["dataset"][0]
    assert Dataset.objects.count() == 1 and (settings.DATASETS_ROOT / mine["version"]).is_dir()
    run.delete()
    assert alice.delete(mine["url"]).status_code == 204
    assert list(settings.DATASETS_ROOT.iterdir()) == []


def test_another_persons_run_on_the_same_bars_says_nothing(alice: Client, bob: Client, settings: Any) -> None:
    mine = put(alice)
    put(bob)
    backtest(bob)
    assert alice.delete(mine["url"]).status_code == 204
    assert (settings.DATASETS_ROOT / mine["version"]).is_dir()


def test_the_fetch_that_brought_it_does_not_need_it(alice: Client, owner: Any) -> None:
    mine = put(alice)
    Run.objects.create(owner=owner, kind="data", config_hash="0" * 64, dataset_name=mine["id"],
                       dataset_version=mine["version"])  # fmt: skip
    assert alice.delete(mine["url"]).status_code == 204


def test_a_sample_stays(samples: Path, alice: Client) -> None:
    row = Dataset.objects.get(name="sample/us20")
    answer = alice.delete(f"{API}/datasets/{row.id}")
    assert answer.status_code == 400 and "everybody uses" in answer.json()["errors"]["dataset"][0]


def test_the_content_of_a_sample_stays_when_somebodys_row_of_it_goes(samples: Path, owner: Any) -> None:
    version = datasets.catalog().find("sample/us-indices").version
    row = datasets.add(owner, "files/indices", version, title="", details={})
    datasets.remove(row)
    assert datasets.catalog().store.has(version)


def test_only_samples_are_everybodys(alice: Client, bob: Client) -> None:
    put(alice)
    assert datasets.register_stored() == 0
    assert bob.get(f"{API}/datasets").json()["datasets"] == []


def test_a_page_deletes_too(alice: Client) -> None:
    mine = put(alice)
    page = mine["url"].replace(f"{API}/", "/")
    assert alice.post(f"{page}/delete")["Location"] == "/datasets"
    assert Dataset.objects.count() == 0
