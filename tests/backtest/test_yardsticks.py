"""A yardstick that could not buy what it wanted is told wherever it serves, with how much it got."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import run
from backtest.yardsticks import cut_sentence, filled_share, yardsticks
from marketdata.store import EntryMeta, Store
from runfiles.events import EventWriter
from runfiles.job import Job
from tests.backtest.books import hand_ledger
from tests.marketdata.build import bars_of

CLOSES = np.array([10.0, 20.0]) * (1 + 1e-9 * (np.arange(300) % 2))[:, None]  # flat, but not stale
QUIET: dict[str, Any] = {"bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "cost_multipliers": [],
                         "stress_windows": ["2020-06-01..2020-07-31"], "capacity_multipliers": [1, 10]}  # fmt: skip


def judged(folder: Path, **config: Any) -> Path:
    """A run on flat prices, 10 and 20, of which 1,000 shares of each trade a day."""
    folder.mkdir()
    meta = EntryMeta("files/x", "X", "unknown", "2021-01-01", "an upload", "")
    version = Store(folder / "store").put(bars_of(CLOSES, volume=np.full((300, 2), 1000.0)), meta)
    whole = {
        "policy": "equal", "start": "2020-06-01", "end": "2020-11-30",
        "dataset": {"id": "files/x", "version": version}, **config,
    }  # fmt: skip
    run.run(Job(folder, folder / "store", EventWriter(folder / "events.jsonl"), whole))
    return folder / "report"


def test_share_of_the_value_ordered_on_paper() -> None:
    """100 shares ordered at 10 and all filled, 50 ordered at 20 of which none is: half of the value."""
    book = hand_ledger([(1, 100, 10, 0.0), (1, 50, 20, 0.0)], [[10, 20]] * 3, assets=[0, 1])
    book.orders.qty_filled[1] = 0.0
    assert filled_share(book) == pytest.approx(0.5)
    assert "Equal weight got 50.0 % of the value that it ordered" in cut_sentence({"equal": book}, ["equal"])
    book.orders.qty_filled[1] = 49.5
    assert cut_sentence({"equal": book}, ["equal"]) == ""
    idle = hand_ledger([], [10, 10])
    assert cut_sentence({"cash": idle}, ["cash"]) == "" and "could order nothing" in cut_sentence(
        {"benchmark": idle}, ["benchmark"]
    )


def test_the_benchmark_is_one_though_it_is_not_shown() -> None:
    assert yardsticks("equal", ("cash", "buy_hold"), None) == ("cash", "buy_hold")
    assert yardsticks("equal", ("cash",), None) == ("cash", "benchmark")
    assert yardsticks("equal", ("cash", "buy_hold"), "SPY") == ("cash", "buy_hold", "benchmark")
    assert yardsticks("equal", ("cash", "benchmark"), "SPY") == ("cash", "benchmark")
    assert yardsticks("benchmark", ("cash",), "SPY") == ("cash",)


def test_a_half_bought_one_is_told_in_stamp_page_summary_capacity_and_crisis(tmp_path: Path) -> None:
    """4,000 of money, half a symbol: 200 shares of 10 are cut to the 100 that a tenth of 1,000 allows, 100 of 20 are
    bought whole: three quarters of the value, and so gross is 0.75.
    """
    report = judged(
        tmp_path / "r", fees={"taker_bps": 0}, exec={"half_spread_bps": 0, "impact_k": 0}, episode={"start_cash": 4000},
        evaluation={**QUIET, "baselines": ["cash", "buy_hold"]},
    )  # fmt: skip
    summary = json.loads((report / "summary.json").read_text())
    said = (
        "Yardsticks that could not buy what they wanted are not what their names say: Buy and hold got 75.0 % of the "
        "value that it ordered (invested to 75.0 % on average)."
    )
    assert said in summary["stamps"]
    filled = {one["baseline"]: one["filled"] for one in summary["excesses"]}
    assert filled == {"cash": None, "buy_hold": pytest.approx(0.75)}
    page = (report / "report.html").read_text()
    assert said in page and "Filled of every strategy" in page and "Baseline filled" in page
    rows = json.loads((report / "capacity.json").read_text())["rows"]
    shares = [next(one["filled"] for one in row["strategies"] if one["strategy"] == "buy_hold") for row in rows]
    assert shares == [pytest.approx(0.75), pytest.approx(0.075, rel=1e-5)]
    crisis = json.loads((report / "stress.json").read_text())["rows"][0]
    assert "Buy and hold got 75.0 %" in crisis["note"]
    assert crisis["strategies"][2]["filled"] == pytest.approx(0.75)


def test_one_that_got_all_is_not_spoken_of(tmp_path: Path) -> None:
    report = judged(
        tmp_path / "r", episode={"start_cash": 1000}, evaluation={**QUIET, "baselines": ["cash", "buy_hold"]}
    )
    assert all("Yardsticks" not in text for text in json.loads((report / "summary.json").read_text())["stamps"])


def test_caps_say_how_far_they_left_a_baseline_invested(tmp_path: Path) -> None:
    """A cap of 20 % on each of two flat symbols, bought once: 40 % are invested."""
    report = judged(
        tmp_path / "r", fees={"taker_bps": 0}, exec={"half_spread_bps": 0, "impact_k": 0}, episode={"start_cash": 1000},
        margin={"max_position_weight": 0.2}, evaluation={**QUIET, "baselines": ["cash", "buy_hold"]},
    )  # fmt: skip
    stamps = json.loads((report / "summary.json").read_text())["stamps"]
    assert any("Buy and hold 1×, invested to 40.0 % on average" in text for text in stamps)
