"""The same bars under two names: each is a dataset with its own words, and goes without the other."""

import dataclasses
from typing import Any

import pytest
from django.test import Client

from marketdata.catalog import Catalog
from marketdata.store import EntryMeta
from runs_app import datasets
from runs_app.models import Dataset
from tests.runs_app.api.conftest import API
from tests.runs_app.datasets.conftest import put

META = EntryMeta("yahoo/by-hand", "By hand", "unknown", "2020-12-31", "the command line", "none")


def names(client: Client) -> dict[str, Any]:
    return {each["id"]: each for each in client.get(f"{API}/datasets").json()["datasets"]}


@pytest.mark.parametrize(("gone", "left"), [("files/one", "files/two"), ("files/two", "files/one")])
def test_two_uploads_of_one_person(alice: Client, gone: str, left: str) -> None:
    put(alice, name="one", title="First", as_of="2020-12-30")
    put(alice, name="two", title="Second", as_of="2021-06-30", license_note="Mine")
    held = names(alice)
    assert held["files/one"]["version"] == held["files/two"]["version"]
    assert [(held[id]["title"], held[id]["as_of"], held[id]["license_note"]) for id in sorted(held)] == [
        ("First", "2020-12-30", ""), ("Second", "2021-06-30", "Mine"),
    ]  # fmt: skip
    assert alice.delete(held[gone]["url"]).status_code == 204
    assert list(names(alice)) == [left]
    assert alice.get(f"{held[left]['url']}/bars").json()["n_total"] > 100
    assert alice.delete(held[left]["url"]).status_code == 204
    assert datasets.catalog().store.ids() == []


def test_what_the_command_line_stored_outlives_a_persons_upload(alice: Client) -> None:
    mine = put(alice)
    catalog = datasets.catalog()
    catalog.store.put(catalog.store.load(mine["version"]), META)
    assert alice.delete(mine["url"]).status_code == 204
    assert [entry.id for entry in catalog.entries()] == ["yahoo/by-hand"]
    assert datasets.sweep() and catalog.store.has(mine["version"])


def test_an_entry_stays_while_somebody_else_has_it_under_the_same_name(owner: Any, stranger: Any, db: None) -> None:
    from tests.marketdata.build import random_ohlcv

    catalog = datasets.catalog()
    version = catalog.store.put(random_ohlcv(30), META)
    catalog.store.put(random_ohlcv(30), dataclasses.replace(META, id="yahoo/other"))
    rows = [
        datasets.add(person, name, version, title=name, details={})
        for person, name in ((owner, META.id), (stranger, META.id), (stranger, "yahoo/other"))
    ]
    left = []
    for row in rows:
        datasets.remove(row)
        left.append([entry.id for entry in Catalog(catalog.store.root).entries()])
    assert left == [["yahoo/by-hand", "yahoo/other"], ["yahoo/other"], []]
    assert not catalog.store.has(version) and not Dataset.objects.exists()


def test_bytes_of_a_dataset_do_not_tell_how_many_others_have_it(alice: Client) -> None:
    mine = put(alice)
    store = datasets.catalog().store
    store.put(store.load(mine["version"]), dataclasses.replace(META, title="x" * 5000))
    assert names(alice)["files/mine"]["bytes"] == mine["bytes"]
