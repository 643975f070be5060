"""A report that charged a regulator's rate which no paper vouches for says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from backtest import run
from marketdata.store import Store
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import Job
from tests.marketdata.build import bars_of, meta, random_ohlcv, weekdays

STAMP = "Regulatory sell fees not verified: the rate of the Trading Activity Fee from 2003-03-02."


def stamps(folder: Path, start: str, adjustment: str, fees: dict[str, Any]) -> list[str]:
    """Of a year's backtest on daily bars from `start` on."""
    made = random_ohlcv(260)
    columns = {name: getattr(made, name) for name in ("open", "high", "low", "volume")}
    bars = bars_of(made.close, session=weekdays(260, start), adjustment=adjustment, **columns)
    root = folder / "store"
    version = Store(root).put(bars, meta("files/mine"))
    config: dict[str, Any] = {
        "policy": "equal", "start": str(bars.session[40]), "end": str(bars.session[200]), "fees": fees,
        "dataset": {"id": "files/mine", "version": version, "adjustment": adjustment},
        "evaluation": {"bootstrap_paths": 1000, "baselines": ["cash"]},
    }  # fmt: skip
    (folder / "run").mkdir()
    run.run(Job(folder / "run", root, EventWriter(folder / "run" / layout.EVENTS), config))
    found: list[str] = json.loads((folder / "run/report/summary.json").read_text())["stamps"]
    return found


@pytest.mark.parametrize(
    ("start", "adjustment", "fees", "told"),
    [
        ("2003-01-01", "raw", {"preset": "alpaca"}, True),
        ("2003-01-01", "raw", {}, False),  # off
        ("2003-01-01", "total_return", {"preset": "alpaca"}, False),  # what is charged a share is left out there
        ("2015-01-01", "raw", {"preset": "alpaca"}, False),
    ],
)
def test_it_is_stamped_where_it_was_charged(
    tmp_path: Path, start: str, adjustment: str, fees: dict[str, Any], told: bool
) -> None:
    assert (STAMP in stamps(tmp_path, start, adjustment, fees)) is told
