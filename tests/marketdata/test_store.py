"""The store gives back what was put, bit for bit, and nothing else."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from marketdata.store import BARS, META, SESSIONS, Store, StoreError
from tests.marketdata.build import bars_of, meta, random_ohlcv, with_actions


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "datasets")


def ragged():
    bars = random_ohlcv(40, assets=3)
    bars.close[:10, 2] = np.nan
    bars.volume[5, 0] = np.nan
    return bars


def test_round_trip(store):
    rates = {"bill": np.array([0.05, np.nan])}
    close = [[1.0, np.nan], [0.1 + 0.2, 4.0]]
    bars = bars_of(close, symbols=("BRK.B", "^GSPC"), rates=rates, adjustment="split")
    back = store.load(store.put(bars, meta()))
    assert back.symbols == bars.symbols
    assert (back.adjustment, back.calendar, back.interval) == ("split", "XNYS", "1d")
    assert back.fields == {"close"}
    for name in ("session", "known_at", "close"):
        np.testing.assert_array_equal(getattr(back, name), getattr(bars, name))
        assert getattr(back, name).dtype == getattr(bars, name).dtype
    np.testing.assert_array_equal(back.rates["bill"], bars.rates["bill"])


def test_actions_membership_and_delistings_come_back(store):
    bars = with_actions(ragged())
    version = store.put(bars, meta())
    back = store.load(version)
    assert back.content_hash() == bars.content_hash() == version
    for name in ("split", "dividend", "member"):
        np.testing.assert_array_equal(getattr(back, name), getattr(bars, name))
    assert dict(back.delistings) == dict(bars.delistings)


def test_all_fields_come_back(store):
    bars = ragged()
    version = store.put(bars, meta())
    back = store.load(version)
    for name in bars.fields:
        np.testing.assert_array_equal(back.column(name), bars.column(name))
    assert version == bars.content_hash() == back.content_hash()
    assert back.close.flags.c_contiguous and back.close.flags.writeable


def test_the_version_does_not_depend_on_the_parquet_encoder(store):
    version = store.put(ragged(), meta())
    path = store.folder(version) / BARS
    before = path.read_bytes()
    pq.write_table(pq.ParquetFile(path).read(), path, compression="gzip", use_dictionary=True)
    assert path.read_bytes() != before
    assert store.load(version).content_hash() == version


def test_putting_again_writes_nothing(store):
    version = store.put(ragged(), meta())
    before = {path: path.stat().st_mtime_ns for path in store.folder(version).iterdir()}
    assert store.put(ragged(), meta()) == version
    assert {path: path.stat().st_mtime_ns for path in store.folder(version).iterdir()} == before
    assert store.ids() == [version]


def test_one_symbols_columns_come_alone(store):
    bars = with_actions(ragged())
    version = store.put(bars, meta())
    found = store.columns(version, "B")
    assert found.keys() == {*bars.fields, "split", "dividend", "known_at"}
    np.testing.assert_array_equal(found["close"], bars.close[:, 1])
    np.testing.assert_array_equal(found["known_at"], bars.known_at)
    with pytest.raises(StoreError, match="has no symbol Z"):
        store.columns(version, "Z")


def test_what_is_removed_is_gone_whole(store):
    version, other = store.put(ragged(), meta()), store.put(random_ohlcv(10), meta())
    assert store.has(version) and store.size(version) > 1000
    store.remove(version)
    store.remove(version)
    assert (store.has(version), store.size(version), store.ids()) == (False, 0, [other])
    assert [path.name for path in store.root.iterdir()] == [other]


def change_a_close(folder):
    table = pq.ParquetFile(folder / BARS).read()
    index = table.column_names.index("close:A")
    values = table.column(index).to_numpy().copy()
    values[7] += 1e-9
    pq.write_table(table.set_column(index, "close:A", [values]), folder / BARS)


def cut_the_file(folder):
    whole = (folder / BARS).read_bytes()
    (folder / BARS).write_bytes(whole[: len(whole) // 2])


def swap_symbols(folder):
    value = json.loads((folder / META).read_text())
    value["symbols"][:2] = reversed(value["symbols"][:2])
    (folder / META).write_text(json.dumps(value))


def claim_another_adjustment(folder):
    text = (folder / META).read_text()
    (folder / META).write_text(text.replace('"raw"', '"total_return"'))


def shift_a_session(folder):
    days = np.load(folder / SESSIONS)
    days[0] -= 1
    np.save(folder / SESSIONS, days)


def pickle_the_sessions(folder):
    np.save(folder / SESSIONS, np.array([object()]), allow_pickle=True)


def drop_the_bars(folder):
    (folder / BARS).unlink()


def spoil_the_meta(folder):
    (folder / META).write_text("{")


DAMAGES = [change_a_close, cut_the_file, swap_symbols, claim_another_adjustment, shift_a_session, pickle_the_sessions,
           drop_the_bars, spoil_the_meta]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_seen_at_load_and_mended_by_put(store, damage):
    version = store.put(ragged(), meta())
    damage(store.folder(version))
    with pytest.raises(StoreError, match=version[:12]):
        store.load(version)
    assert store.put(ragged(), meta()) == version
    assert store.load(version).content_hash() == version


@pytest.mark.parametrize("version", ["", "..", "../../etc", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_a_version_is_a_sha256_and_never_a_path(store, version):
    with pytest.raises(StoreError, match="64 hexadecimal digits"):
        store.load(version)


def test_what_is_not_there_is_named(store):
    with pytest.raises(StoreError, match="aaaaaaaaaaaa is not in the store"):
        store.load("a" * 64)
    assert store.ids() == []


def test_a_failed_put_leaves_nothing(store, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("marketdata.store.write_json", full)
    with pytest.raises(OSError, match="No space"):
        store.put(ragged(), meta())
    assert list(store.root.iterdir()) == []


def test_a_half_written_folder_is_not_listed(store):
    version = store.put(ragged(), meta())
    (store.root / ("b" * 64)).mkdir()
    (store.root / ".put-x").mkdir()
    assert store.ids() == [version]
