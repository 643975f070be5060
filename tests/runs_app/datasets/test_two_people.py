"""Content is kept once; names and rights are each person's own, and nobody learns of another's."""

from pathlib import Path
from typing import Any

from django.test import Client

from runs_app import datasets
from runs_app.models import Dataset, Upload
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import commit, named, put, send
from tests.runs_app.datasets.made import prices


def stored(settings: Any) -> list[str]:
    return sorted(path.name for path in settings.DATASETS_ROOT.iterdir())


def listed(client: Client) -> list[tuple[str, str]]:
    return [(row["title"], row["version"]) for row in client.get(f"{API}/datasets").json()["datasets"]]


def test_the_same_file_of_two_people_is_kept_once_and_called_by_each_as_they_like(
    alice: Client, bob: Client, settings: Any
) -> None:
    first = put(alice, title="Alice's secret project", license_note="From the desk of Alice.")
    second = put(bob, title="Bob's", name="other", as_of="2021-01-04")
    assert first["version"] == second["version"] and stored(settings) == [first["version"]]
    assert listed(alice) == [("Alice's secret project", first["version"])]
    assert (second["title"], second["as_of"], second["license_note"]) == ("Bob's", "2021-01-04", "")
    assert b"Alice" not in bob.get(second["url"]).content


def test_the_same_name_for_other_content(alice: Client, bob: Client, settings: Any) -> None:
    first, second = put(alice), put(bob, prices(level=50.0))
    assert first["id"] == second["id"] == "files/mine" and first["version"] != second["version"]
    assert len(stored(settings)) == 2


def test_another_persons_dataset_and_upload_are_missing_ones(alice: Client, bob: Client) -> None:
    mine = put(alice)
    waiting = send(alice, named("prices.csv", prices())).json()
    for address in (mine["url"], f"{mine['url']}/bars"):
        assert bob.get(address).status_code == 404
    assert bob.delete(mine["url"]).status_code == 404
    assert commit(bob, waiting).status_code == 404
    answer = commit(bob, send(bob, named("prices.csv", prices())).json(), membership=waiting["id"])
    assert answer.json()["errors"] == {"membership": ["There is no such upload; send the membership file first."]}
    assert Upload.objects.filter(pk=waiting["id"]).exists() and Dataset.objects.count() == 1


def test_what_one_deletes_the_other_keeps(alice: Client, bob: Client, settings: Any) -> None:
    first, second = put(alice), put(bob)
    assert alice.delete(first["url"]).status_code == 204
    assert alice.get(first["url"]).status_code == 404
    assert bob.get(f"{second['url']}/bars").status_code == 200
    assert bob.delete(second["url"]).status_code == 204
    assert stored(settings) == []


def test_a_second_name_for_what_one_has_and_the_same_again(alice: Client) -> None:
    put(alice)
    put(alice, name="again")
    answer = commit(alice, send(alice, named("prices.csv", prices())).json())
    assert answer.status_code == 400
    assert answer.json()["errors"]["name"][0].startswith("You have just this content as files/mine already")
    assert len(listed(alice)) == 2


def test_a_new_version_stands_first_and_the_old_one_can_be_named(alice: Client) -> None:
    old, new = put(alice), put(alice, prices(level=50.0))
    assert [version for _, version in listed(alice)] == [new["version"], old["version"]]
    body = {"policy": "equal", "dataset": {"id": "files/mine"}, "start": "2020-03-02", "end": "2020-07-10"}
    assert _version(alice, body) == new["version"]
    assert _version(alice, body | {"dataset": {"id": "files/mine", "version": old["version"]}}) == old["version"]


def _version(client: Client, body: dict[str, Any]) -> str:
    answer = client.post(f"{API}/backtest", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    version: str = answer.json()["config"]["dataset"]["version"]
    return version


def test_what_a_row_does_not_say_is_not_taken_from_whoever_stored_it_first(samples: Path, owner: Any) -> None:
    stored = datasets.catalog().find("sample/us20")
    row = datasets.add(owner, "files/mine", stored.version, title="", details={})
    entry = datasets.entry_of(row)
    assert (entry.title, entry.source, entry.license_note, entry.findings) == ("files/mine", "", "", ())
    assert (entry.survivorship, entry.as_of) == ("unknown", "2022-12-28")
