"""Set-up tells a store of an older StockBot what is now known of the samples; the prices stay as they lie."""

import json
from pathlib import Path

import pytest

from marketdata.catalog import Catalog
from marketdata.setup_samples import put_samples
from marketdata.sources import sample
from marketdata.store import BARS, META, Store
from tests.marketdata.test_store_entries import as_version_1

ID = "sample/us-indices"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path)
    put_samples(found)
    return found


def test_an_older_store_hears_which_symbols_are_indices(store: Store) -> None:
    version = Catalog(store.root).find(ID).version
    as_version_1(store, version, source_sha256="0" * 64)
    value = json.loads((store.folder(version) / META).read_text())
    del value["indices"]
    (store.folder(version) / META).write_text(json.dumps(value))
    assert Catalog(store.root).find(ID).indices == ()
    before = (store.folder(version) / BARS).stat().st_mtime_ns
    assert put_samples(store)[ID] == version
    assert Catalog(store.root).find(ID).indices == ("SP500", "NASDAQ")
    assert (store.folder(version) / BARS).stat().st_mtime_ns == before


def test_other_words_of_a_sample_arrive_and_the_same_ones_are_not_made_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sample.SAMPLES, "us-indices", _renamed("Two indices"))
    put_samples(store)
    assert [each.title for each in Catalog(store.root).entries() if each.id == ID] == ["Two indices"]
    monkeypatch.setattr(sample, "align", None)  # whoever reads a file now would call it
    put_samples(store)


def test_a_sample_that_somebody_has_stored_before_is_there_all_the_same(tmp_path: Path, store: Store) -> None:
    other = Store(tmp_path / "other")
    stored = Catalog(store.root).find(ID)
    fetched = sample.SampleSource().fetch("us-indices")
    other.put(
        fetched.bars, sample.EntryMeta("files/upload", "Uploaded prices", "unknown", "2018-12-31", "an upload", "")
    )
    put_samples(other)
    found = Catalog(other.root).find(ID)
    assert (found.version, found.title, found.indices) == (stored.version, stored.title, stored.indices)


def _renamed(title: str) -> sample.Sample:
    import dataclasses

    return dataclasses.replace(sample.SAMPLES["us-indices"], title=title)
