"""What a killed server left of a commit goes at the next start; what belongs to somebody, or is being made, stays."""

import dataclasses
import fcntl
import os
from typing import Any

import pytest
from django.test import Client

from marketdata.store import META, EntryMeta
from runs_app import datasets, places, uploads
from runs_app.models import Dataset, Upload
from tests.marketdata.build import random_bars
from tests.runs_app.datasets.conftest import commit, named, put, send
from tests.runs_app.datasets.made import prices


def meta(id: str) -> EntryMeta:
    return EntryMeta(id, "t", "unknown", "2020-01-02", "an upload" if id.startswith("files/") else "s", "")


def test_uploaded_content_without_a_row_goes_and_all_else_stays(alice: Client, settings: Any) -> None:
    mine = put(alice)
    store = datasets.catalog().store
    lost = store.put(random_bars(20), meta("files/upload"))
    by_hand = store.put(random_bars(21), meta("yahoo/by-hand"))
    (settings.DATASETS_ROOT / ".put-killed").mkdir()
    assert datasets.sweep()
    assert set(store.ids()) == {mine["version"], by_hand} and lost not in store.ids()
    assert not list(settings.DATASETS_ROOT.glob(".put-*")) and Dataset.objects.count() == 1


def test_a_fetch_from_files_and_what_is_no_entry_stay_and_an_older_upload_goes(alice: Client) -> None:
    """An older StockBot called every upload files/upload; a fetch from the operator's folder is called files/… too."""
    store = datasets.catalog().store
    fetched = store.put(random_bars(20), dataclasses.replace(meta("files/folder"), source="files"))
    odd = store.put(random_bars(21), meta("files/odd"))
    path = store.folder(odd) / META
    path.write_text(path.read_text().replace('"entries": {', '"entries": {"files/odder": 1, '))
    mine = put(alice)
    store.put(store.load(mine["version"]), meta("files/upload"))
    assert alice.delete(mine["url"]).status_code == 204
    assert datasets.sweep() and sorted(store.ids()) == sorted([fetched, odd])


def test_a_commit_under_way_keeps_its_content(alice: Client) -> None:
    store = datasets.catalog().store
    with store.held():  # as a commit does, from before the child until its row is there
        version = store.put(random_bars(20), meta("files/upload"))
        assert not datasets.sweep() and store.ids() == [version]


def test_a_failed_row_leaves_no_content(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(datasets, "add", fail)
    upload = send(alice, named("a.csv", prices())).json()
    with pytest.raises(RuntimeError):
        commit(alice, upload)
    assert datasets.catalog().store.ids() == []


def test_a_second_commit_of_an_upload_is_told_of_the_first(alice: Client) -> None:
    upload = send(alice, named("a.csv", prices())).json()
    descriptor = os.open(places.upload_folder(upload["id"]), os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # what the first one holds
    try:
        answer = commit(alice, upload)
    finally:
        os.close(descriptor)
    assert answer.status_code == 400 and answer.json()["errors"] == {"file": [uploads.COMMITTING]}
    assert commit(alice, upload).status_code == 201


def test_an_upload_that_went_meanwhile_says_so(alice: Client, owner: Any) -> None:
    sent = send(alice, named("a.csv", prices())).json()
    upload = Upload.objects.get(pk=sent["id"])
    assert commit(alice, sent).status_code == 201
    asked = uploads.DatasetRequest.model_validate({**sent["preview"]["guess"], "name": "b", "as_of": "2020-12-31"})
    with pytest.raises(uploads.ConfigFault) as fault:
        uploads.commit(owner, upload, asked)
    assert fault.value.errors == {"file": [uploads.GONE]}
