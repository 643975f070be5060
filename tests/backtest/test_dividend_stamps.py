"""Whether anybody is paid a dividend is told of every result: from bars on paper to the stamps of a run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import run
from marketdata.bars import Bars
from marketdata.store import EntryMeta, Store
from runfiles.events import EventWriter
from runfiles.job import Job
from tests.marketdata.build import bars_of, random_ohlcv

CLOSES = random_ohlcv(260).close
PAID = np.zeros((260, 2))
PAID[200] = 0.5
BASE: dict[str, Any] = {
    "policy": "buy_hold", "start": "2020-06-01", "end": "2020-11-30",
    "evaluation": {"bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "cost_multipliers": [], "stress_windows": [],
                   "capacity_multipliers": [], "baselines": ["cash"]},
}  # fmt: skip
NOT_RECORDED = "No dividends are recorded: holders receive none and shorts pay none"
LEFT_OUT = "Dividends are left out of split-adjusted prices: holders receive none and shorts pay none"
SPLITS, BOTH = "the level of a past price contains later splits.", "contains later dividends and splits."


def stamps(folder: Path, bars: Bars, indices: tuple[str, ...] = (), **dataset: Any) -> list[str]:
    folder.mkdir(exist_ok=True)
    meta = EntryMeta("files/x", "X", "unknown", "2021-01-01", "an upload", "", indices=indices)
    version = Store(folder / "store").put(bars, meta)
    config = BASE | {"dataset": {"id": "files/x", "version": version} | dataset}
    run.run(Job(folder, folder / "store", EventWriter(folder / "events.jsonl"), config))
    found: list[str] = json.loads((folder / "report/summary.json").read_text())["stamps"]
    return found


@pytest.mark.parametrize(
    ("dividend", "adjustment", "said", "unsaid"),
    [
        (None, "raw", (NOT_RECORDED,), (LEFT_OUT, SPLITS, BOTH)),
        (PAID, "raw", (), (NOT_RECORDED, LEFT_OUT, SPLITS, BOTH)),
        (PAID, "split", (LEFT_OUT, SPLITS), (NOT_RECORDED, BOTH)),
        (PAID, "total_return", (BOTH,), (NOT_RECORDED, LEFT_OUT, SPLITS)),
    ],
)
def test_each_kind_of_price_says_who_is_paid(
    tmp_path: Path, dividend: np.ndarray | None, adjustment: str, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    found = stamps(
        tmp_path / "r",
        bars_of(CLOSES, dividend=dividend, split=None if dividend is None else np.ones((260, 2))),
        adjustment=adjustment,
    )
    assert all(any(text in stamp for stamp in found) for text in said)
    assert not any(text in stamp for stamp in found for text in unsaid)


def test_indices_alone_are_told_as_indices(tmp_path: Path) -> None:
    found = stamps(tmp_path / "r", bars_of(CLOSES), indices=("A", "B"))
    assert any("dividends are left out" in text for text in found)
    assert not any(text.startswith("No dividends") for text in found)
