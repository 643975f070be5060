"""The same arrays under two ids: stored once, and two entries that know nothing of each other."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from marketdata import store as module
from marketdata.catalog import Catalog, DatasetMissing
from marketdata.store import BARS, META, Store, StoreError
from tests.marketdata.build import meta, random_ohlcv


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "datasets")


def put(store: Store, id: str = "test/one", **said: Any) -> str:
    return store.put(random_ohlcv(40), meta(id, **said))


def ids(store: Store) -> list[str]:
    return [entry.id for entry in Catalog(store.root).entries()]


def test_each_id_has_its_own_words_and_the_arrays_lie_there_once(store: Store) -> None:
    version = put(store, title="One", as_of="2020-12-31", indices=("A",))
    before = (store.folder(version) / BARS).stat().st_mtime_ns, store.size(version)
    assert put(store, "test/two", title="Two", as_of="2021-06-30", survivorship="biased") == version
    assert store.ids() == [version]
    assert ((store.folder(version) / BARS).stat().st_mtime_ns, store.size(version)) == before
    catalog = Catalog(store.root)
    one, two = catalog.find("test/one"), catalog.find("test/two", version)
    assert (one.title, one.as_of, one.survivorship, one.indices) == ("One", "2020-12-31", "unknown", ("A",))
    assert (two.title, two.as_of, two.survivorship, two.indices) == ("Two", "2021-06-30", "biased", ())
    assert (one.version, one.symbols, one.n_bars) == (two.version, two.symbols, two.n_bars)
    assert catalog.entries() == [one, two]


def test_the_newer_words_of_an_id_stand_and_its_place_among_versions_stays(store: Store) -> None:
    old = put(store)
    new = store.put(random_ohlcv(50), meta())
    assert put(store, title="Better", indices=("B",)) == old
    entries = Catalog(store.root).entries()
    assert [entry.version for entry in entries] == [new, old]
    assert (entries[1].title, entries[1].indices) == ("Better", ("B",))


@pytest.mark.parametrize(("gone", "left"), [("test/one", "test/two"), ("test/two", "test/one")])
def test_one_goes_and_the_other_stays_whole(store: Store, gone: str, left: str) -> None:
    version = put(store)
    put(store, "test/two")
    assert store.forget(version, gone)
    assert ids(store) == [left]
    with pytest.raises(DatasetMissing, match=f"stored are: {left}"):
        Catalog(store.root).find(gone)
    assert store.load(version).content_hash() == version
    assert not store.forget(version, left)
    assert ids(store) == [] and store.has(version)  # the arrays go by `remove`, when nobody holds them
    assert Catalog(store.root).entry(version, left).title == ""


def test_what_is_not_there_is_forgotten_in_silence(store: Store) -> None:
    version = put(store)
    assert store.forget(version, "test/other")
    assert not store.forget("a" * 64, "test/one")
    assert ids(store) == ["test/one"]


def test_a_sweep_takes_what_is_unwanted_under_each_of_its_names(store: Store) -> None:
    both, one = put(store), store.put(random_ohlcv(50), meta("test/two"))
    put(store, "test/two")
    assert store.sweep(lambda version, id: id == "test/two")
    assert store.ids() == [both] and not store.has(one)


def test_damage_is_mended_and_the_other_entry_kept(store: Store) -> None:
    version = put(store)
    (store.folder(version) / BARS).write_bytes(b"PAR1")
    put(store, "test/two")
    assert ids(store) == ["test/one", "test/two"]
    assert store.load(version).content_hash() == version


def test_who_comes_second_while_a_first_is_writing_takes_nothing_away(store: Store, monkeypatch: Any) -> None:
    real = module._write_version

    def slow(*given: Any) -> None:
        monkeypatch.setattr(module, "_write_version", real)
        put(store, "test/first")  # between the other's look and its writing
        real(*given)

    monkeypatch.setattr(module, "_write_version", slow)
    version = put(store, "test/second")
    assert ids(store) == ["test/first", "test/second"]
    assert store.load(version).content_hash() == version and not list(store.root.glob(".put-*"))


def test_many_at_once_lose_no_entry(store: Store) -> None:
    start, faults = threading.Barrier(8), []

    def one(number: int) -> None:
        try:
            start.wait()
            for turn in range(4):
                put(Store(store.root), f"test/n{number}-{turn}")
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert ids(store) == sorted(f"test/n{number}-{turn}" for number in range(8) for turn in range(4))
    assert not list(store.root.glob(".put-*"))


def as_version_1(store: Store, version: str, **more: Any) -> None:
    """`meta.json` as StockBot wrote it before a version had more than one entry."""
    path = store.folder(version) / META
    value = json.loads(path.read_text())
    ((id, told),) = value.pop("entries").items()
    path.write_text(json.dumps(value | told | {"id": id, "schema": 1} | more))


def test_a_store_of_an_older_version_is_read_and_gets_entries_when_it_is_written(store: Store) -> None:
    version = put(store, title="Old", indices=("A",))
    as_version_1(store, version)
    assert store.load(version).content_hash() == version
    catalog = Catalog(store.root)
    old = catalog.find("test/one")
    assert (old.title, old.indices, old.source) == ("Old", ("A",), "hand")
    put(store, "test/two")
    assert catalog.entries() == [old, catalog.find("test/two")]
    assert json.loads((store.folder(version) / META).read_text())["schema"] == 2


def test_entries_that_are_none_are_damage(store: Store) -> None:
    version = put(store)
    path = store.folder(version) / META
    path.write_text(json.dumps(json.loads(path.read_text()) | {"entries": []}))
    with pytest.raises(StoreError, match="incomplete"):
        store.meta(version)
    assert ids(store) == []
    put(store)
    assert ids(store) == ["test/one"]
