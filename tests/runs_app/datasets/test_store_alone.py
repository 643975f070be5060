"""What an upload found and what was said of it reach a backtest by hand, which has the store and no row."""

import json
from pathlib import Path
from typing import Any

from django.test import Client

from backtest import run
from marketdata.catalog import Catalog
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import Job
from runs_app import datasets
from tests.runs_app.datasets.conftest import named, put, send

MEMBERS = "symbol,start,end\nA,2020-01-02,\nB,2020-01-02,\nDEAD,2020-01-02,2020-02-03\n"
ABSENT = "1 of 3 members have no prices here, DEAD first: names that died may be missing."
BASE: dict[str, Any] = {"policy": "equal", "start": "2020-03-02", "end": "2020-06-30",
                        "evaluation": {"bootstrap_paths": 1000, "baselines": ["cash"]}}  # fmt: skip


def by_hand(folder: Path, root: Path, **dataset: Any) -> tuple[list[str], dict[str, Any]]:
    """Stamps and `dataset.json` of `python -m backtest.run` on the store at `root`."""
    folder.mkdir()
    run.run(Job(folder, root, EventWriter(folder / layout.EVENTS), BASE | {"dataset": dataset}))
    return json.loads((folder / "report/summary.json").read_text())["stamps"], json.loads(
        (folder / "dataset.json").read_text()
    )


def test_members_without_prices_title_and_as_of_are_told(alice: Client, settings: Any, tmp_path: Path) -> None:
    members = send(alice, named("members.csv", MEMBERS)).json()["id"]
    mine = put(alice, membership=members, title="My two", as_of="2021-02-03", indices=["B"], license_note="Mine")
    assert mine["survivorship"] == "unknown"
    for place, said in enumerate(({}, {"version": mine["version"]}, {"start": "2020-02-10", "end": "2020-07-15"})):
        stamps, note = by_hand(tmp_path / str(place), settings.DATASETS_ROOT, id="files/mine", **said)
        assert (note["title"], note["as_of"], note["license_note"]) == ("My two", "2021-02-03", "Mine")
        assert (note["survivorship"], note["membership"], note["indices"]) == ("unknown", "stored", ["B"])
        for words in ("Survivorship unknown", "Point-in-time membership", ABSENT):
            assert any(text.startswith(words) for text in stamps), (words, stamps)


def test_the_same_bars_of_two_names_keep_their_words_and_go_apart(alice: Client, bob: Client) -> None:
    one = put(alice, name="one", title="First", as_of="2020-12-30")
    two = put(bob, name="two", title="Second", as_of="2021-06-30")
    catalog = Catalog(datasets.catalog().store.root)
    told = {entry.id: (entry.title, entry.as_of) for entry in catalog.entries()}
    assert told == {"files/one": ("First", "2020-12-30"), "files/two": ("Second", "2021-06-30")}
    assert alice.delete(one["url"]).status_code == 204
    assert [entry.id for entry in catalog.entries()] == ["files/two"]
    assert bob.delete(two["url"]).status_code == 204 and catalog.store.ids() == []
