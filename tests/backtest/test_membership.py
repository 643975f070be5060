"""A point-in-time membership decides what may be bought; set aside, all may be, and the report says so."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import run
from marketdata.store import EntryMeta, Store
from runfiles import atomic, layout
from runfiles.events import EventWriter
from runfiles.job import Job
from tests.marketdata.build import bars_of, random_ohlcv

BASE: dict[str, Any] = {"policy": "equal", "start": "2020-06-01", "end": "2020-11-30",
                        "evaluation": {"bootstrap_paths": 1000, "baselines": ["cash"]}}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, str]:
    """A and B; B belongs to the universe from the 150th bar on."""
    whole = random_ohlcv(260)
    member = np.ones((260, 2), bool)
    member[:150, 1] = False
    bars = bars_of(whole.close, member=member)
    meta = EntryMeta("files/upload", "Uploaded prices", "point_in_time", "2020-12-30", "an upload", "")
    return tmp_path / "store", Store(tmp_path / "store").put(bars, meta)


def judged(folder: Path, store: tuple[Path, str], **dataset: Any) -> tuple[list[str], dict[str, Any], str]:
    """Stamps, `dataset.json` and the weights of a backtest whose owner calls the data `files/mine`."""
    folder.mkdir()
    root, version = store
    told = {"id": "files/mine", "title": "Mine", "as_of": "2021-01-05", "survivorship": "point_in_time"}
    atomic.write_json(folder / layout.PROVENANCE, told)
    config = BASE | {"dataset": {"id": "files/mine", "version": version} | dataset}
    run.run(Job(folder, root, EventWriter(folder / layout.EVENTS), config))
    stamps = json.loads((folder / "report/summary.json").read_text())["stamps"]
    return stamps, json.loads((folder / "dataset.json").read_text()), (folder / "report/weights.csv").read_text()


def test_it_is_used_unless_it_is_set_aside(tmp_path: Path, store: tuple[Path, str]) -> None:
    stamps, note, weights = judged(tmp_path / "one", store)
    assert (note["id"], note["title"], note["as_of"]) == ("files/mine", "Mine", "2021-01-05")
    assert (note["survivorship"], note["membership"]) == ("point_in_time", "stored")
    assert any(text.startswith("Point-in-time membership") for text in stamps)
    set_aside, other, all_weights = judged(tmp_path / "two", store, membership="none")
    assert (other["survivorship"], other["membership"]) == ("unknown", "none")
    assert any(text.startswith("Survivorship unknown") for text in set_aside)
    assert any(text.startswith("The dataset's membership is set aside") for text in set_aside)
    assert weights != all_weights


def test_asked_for_where_there_is_none_it_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "store"
    meta = EntryMeta("files/upload", "Uploaded prices", "unknown", "2020-12-30", "an upload", "")
    version = Store(root).put(bars_of(random_ohlcv(260).close), meta)
    with pytest.raises(ValueError, match=r"dataset\.membership: files/mine has no membership"):
        judged(tmp_path / "one", (root, version), membership="stored")


def test_a_benchmark_is_no_member_by_nature(tmp_path: Path, store: tuple[Path, str]) -> None:
    """B joins with the 150th bar; as the benchmark it is bought at the first of the range, by equal only then."""
    folder = tmp_path / "one"
    evaluation = {**BASE["evaluation"], "baselines": ["cash", "benchmark"], "benchmark": "B"}
    folder.mkdir()
    root, version = store
    config = BASE | {"evaluation": evaluation, "dataset": {"id": "files/mine", "version": version}}
    run.run(Job(folder, root, EventWriter(folder / layout.EVENTS), config))
    orders = (folder / "report/baselines/benchmark/orders.csv").read_text().splitlines()
    assert len(orders) == 2 and orders[1].split(",")[1].startswith("2020-06-01")
    weights = (folder / "report/baselines/benchmark/weights.csv").read_text().splitlines()
    assert float(weights[2].split(",")[2]) > 0.9
    own = (folder / "report/weights.csv").read_text().splitlines()
    assert float(own[2].split(",")[2]) == 0.0
