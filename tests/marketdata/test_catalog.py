"""The catalog finds datasets and says in one sentence why a configuration does not fit."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pytest

from marketdata.catalog import Catalog, DatasetMissing, provenance, resolve, sessions, told_as
from marketdata.config import DatasetConfig
from marketdata.config_base import ConfigFault
from marketdata.store import META, Store
from tests.marketdata.build import bars_of, day, meta, random_ohlcv, with_actions


@pytest.fixture
def catalog(tmp_path):
    """`test/one`: A, B on the weekdays of 2020-01-01 to 2020-02-25, total return."""
    close = random_ohlcv(40).close
    Store(tmp_path).put(bars_of(close, adjustment="total_return"), meta("test/one", survivorship="biased"))
    return Catalog(tmp_path)


def faults_of(entry, **fields):
    with pytest.raises(ConfigFault) as caught:
        resolve(entry, DatasetConfig(id="test/one", **fields))
    return caught.value.errors


def test_an_entry_says_what_is_stored(catalog):
    entry = catalog.find("test/one")
    assert (entry.symbols, entry.n_bars, entry.fields) == (("A", "B"), 40, {"close"})
    assert (entry.start, entry.end) == (day("2020-01-01"), day("2020-02-25"))
    assert (entry.adjustment, entry.survivorship, entry.calendar, entry.interval) == (
        "total_return", "biased", "XNYS", "1d",
    )  # fmt: skip
    assert catalog.store.load(entry.version).content_hash() == entry.version
    assert catalog.entries() == [entry]


def test_the_newest_version_is_found_unless_one_is_named(catalog):
    old = catalog.find("test/one").version
    new = catalog.store.put(random_ohlcv(45), meta("test/one"))
    catalog.store.put(random_ohlcv(10), meta("test/another"))
    assert catalog.find("test/one").version == new
    assert catalog.find("test/one", old).version == old
    assert [entry.version for entry in catalog.entries() if entry.id == "test/one"] == [new, old]


def test_an_unknown_dataset_is_refused_with_the_known_ones(catalog, tmp_path):
    with pytest.raises(DatasetMissing) as caught:
        catalog.find("test/two")
    assert caught.value.errors == {"dataset.id": ["There is no dataset test/two; stored are: test/one."]}
    with pytest.raises(DatasetMissing, match="none yet"):
        Catalog(tmp_path / "nothing").find("test/two")


def test_an_unknown_version_is_refused(catalog):
    with pytest.raises(DatasetMissing) as caught:
        catalog.find("test/one", "0" * 64)
    assert list(caught.value.errors) == ["dataset.version"]
    assert "leave it empty for the newest" in caught.value.errors["dataset.version"][0]


def test_a_damaged_folder_does_not_hide_the_others(catalog):
    version = catalog.store.put(random_ohlcv(10), meta("test/another"))
    path = catalog.store.folder(version) / META
    path.write_text(json.dumps({"schema": 1, "id": "test/another"}))
    assert [entry.id for entry in catalog.entries()] == ["test/one"]


def test_resolve_fills_what_was_left_empty(catalog):
    entry = catalog.find("test/one")
    full = resolve(entry, DatasetConfig(id="test/one"))
    assert full.version == entry.version
    assert full.symbols == ("A", "B")
    assert (full.start, full.end, full.adjustment) == (entry.start, entry.end, "total_return")
    assert resolve(entry, full) == full


def test_resolve_keeps_what_was_asked_and_moves_dates_inward_to_sessions(catalog):
    entry = catalog.find("test/one")
    asked = DatasetConfig(id="test/one", symbols=("B",), start=day("2020-01-04"), end=day("2020-02-01"))
    got = resolve(entry, asked)
    assert got.symbols == ("B",)
    assert (got.start, got.end) == (day("2020-01-06"), day("2020-01-31"))


def test_an_unknown_symbol_is_refused_by_name(catalog):
    errors = faults_of(catalog.find("test/one"), symbols=("A", "ZZZZ", "YY"))
    assert errors == {
        "dataset.symbols": ["ZZZZ is not in test/one, which holds A, B.", "YY is not in test/one, which holds A, B."]
    }


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"start": day("2019-12-31")}, "dataset.start", "on or after 2020-01-01"),
        ({"start": day("2021-01-01")}, "dataset.start", "on or before 2020-02-25"),
        ({"end": day("2020-02-26")}, "dataset.end", "on or before 2020-02-25"),
        ({"end": day("2019-06-01")}, "dataset.end", "on or after 2020-01-01"),
        ({"start": day("2020-01-04"), "end": day("2020-01-05")}, "dataset.end", "at least two sessions"),
        ({"start": day("2020-01-03"), "end": day("2020-01-05")}, "dataset.end", "at least two sessions"),
        ({"adjustment": "raw"}, "dataset.adjustment", "stored as total_return, not raw"),
    ],
)
def test_what_the_data_cannot_serve_is_refused_at_its_field(catalog, fields, name, words):
    errors = faults_of(catalog.find("test/one"), **fields)
    assert list(errors) == [name]
    assert len(errors[name]) == 1 and words in errors[name][0]


def test_all_faults_are_told_at_once(catalog):
    errors = faults_of(catalog.find("test/one"), symbols=("Z",), adjustment="split", end=day("2030-01-01"))
    assert set(errors) == {"dataset.symbols", "dataset.adjustment", "dataset.end"}


def test_reversed_dates_never_reach_the_catalog():
    with pytest.raises(ValueError, match="start 2020-02-01 must lie before end 2020-01-01"):
        DatasetConfig(id="test/one", start=day("2020-02-01"), end=day("2020-01-01"))


def test_sessions_are_those_of_the_bars(catalog):
    entry = catalog.find("test/one")
    bars = catalog.store.load(entry.version)
    assert sessions(entry).tolist() == bars.session.tolist()
    some = sessions(entry, day("2020-01-04"), day("2020-01-08"))
    assert some.tolist() == [dt.date(2020, 1, 6), dt.date(2020, 1, 7), dt.date(2020, 1, 8)]
    assert len(sessions(entry, day("2020-01-04"), day("2020-01-05"))) == 0


def test_a_membership_is_used_where_there_is_one_and_can_be_set_aside(catalog):
    entry = catalog.find("test/one")
    assert resolve(entry, DatasetConfig(id="test/one")).membership is None
    assert resolve(entry, DatasetConfig(id="test/one", membership="none")).membership == "none"
    assert "has no membership" in faults_of(entry, membership="stored")["dataset.membership"][0]
    version = catalog.store.put(with_actions(random_ohlcv(40)), meta("test/members"))
    known = catalog.entry(version, "test/members")
    assert resolve(known, DatasetConfig(id="test/members")).membership == "stored"
    assert resolve(known, DatasetConfig(id="test/members", membership="none")).membership == "none"


def test_a_version_is_told_as_its_owner_tells_of_it(catalog):
    entry = catalog.find("test/one")
    told = told_as(entry, {"id": "files/mine", "title": "Mine", "findings": [{"code": "x"}], "symbols": ["Z"]})
    assert (told.id, told.title, told.findings, told.symbols) == ("files/mine", "Mine", ({"code": "x"},), ("A", "B"))
    assert told_as(entry, provenance(told)).title == "Mine"


def test_a_version_that_is_not_there_is_named(catalog):
    with pytest.raises(DatasetMissing, match=r"dataset\.version: Version 000000000000 is not in the store"):
        catalog.entry("0" * 64, "test/one")


def test_raw_bars_with_their_actions_may_be_asked_for_adjusted(tmp_path):
    found = Catalog(tmp_path)
    found.store.put(with_actions(random_ohlcv(40)), meta("test/raw"))
    entry = found.find("test/raw")
    assert resolve(entry, DatasetConfig(id="test/raw")).adjustment == "raw"
    for asked in ("raw", "split", "total_return"):
        assert resolve(entry, DatasetConfig(id="test/raw", adjustment=asked)).adjustment == asked


def test_raw_bars_without_dividends_have_no_total_return(tmp_path):
    found = Catalog(tmp_path)
    found.store.put(dataclasses.replace(random_ohlcv(40), split=np.ones((40, 2))), meta("test/raw"))
    errors = faults_of(found.find("test/raw"), adjustment="total_return")
    said = "test/raw is stored as raw, not total_return; use raw or split, or leave it empty."
    assert errors == {"dataset.adjustment": [said]}
