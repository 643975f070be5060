"""A training whose benchmark can never be bought in the test range ends before the first step."""

from pathlib import Path

import numpy as np
import pytest

from marketdata.store import EntryMeta, Store
from rl.train_ppo import run
from runfiles import layout
from runfiles.events import EventWriter, read_events
from runfiles.job import Job, JobRefused
from tests.marketdata.build import bars_of, random_ohlcv


def test_it_is_refused_in_the_data_phase(tmp_path: Path) -> None:
    closes = random_ohlcv(900).close
    closes[:899, 1] = np.nan
    version = Store(tmp_path / "store").put(
        bars_of(closes), EntryMeta("files/x", "X", "unknown", "2024-01-01", "an upload", "")
    )
    config = {
        "dataset": {"id": "files/x", "version": version}, "features": {"feature_set": ["ohlcv"], "lookback": 6},
        "evaluation": {"benchmark": "B"}, "training": {"seeds": [0]},
    }  # fmt: skip
    with pytest.raises(JobRefused, match=r"evaluation\.benchmark: B cannot be bought between"):
        run(Job(tmp_path, tmp_path / "store", EventWriter(tmp_path / layout.EVENTS), config))
    events = read_events(tmp_path / layout.EVENTS, 0, limit=1 << 20)[0]
    assert [event["phase"] for event in events if event["kind"] == "phase"] == ["data"]
