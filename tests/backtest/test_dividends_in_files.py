"""Splits and dividends in the files of a run on raw data: what the tables say adds up to the gain of the book."""

import csv
import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import run
from marketdata.bars import Bars
from marketdata.store import EntryMeta, Store
from runfiles import layout
from runfiles.events import EventWriter
from runfiles.job import Job
from tests.marketdata.build import random_ohlcv

CONFIG: dict[str, Any] = {
    "policy": "fixed_weights",
    "dataset": {"id": "test/actions"},
    "margin": {"allow_short": True, "max_gross_leverage": 2.0, "cash_yield_apr": 0.03, "short_rebate_apr": 0.01},
    "fees": {"borrow_fee_apr": 0.05, "taker_bps": 3.0},
    "evaluation": {"baselines": ["buy_hold", "random"], "fixed_weights": {"A": -0.5, "B": 0.9},
                   "bootstrap_paths": 1000, "stress_windows": [], "cost_multipliers": [], "capacity_multipliers": []},
}  # fmt: skip
SPLITS = {(60, 0): 2.0, (100, 0): 0.5, (61, 1): 3.0, (150, 1): 1.5}
DIVIDENDS = {(61, 0): 0.4, (100, 0): 0.3, (140, 0): 0.2, (75, 1): 0.25, (150, 1): 0.1}


def bars_with_actions() -> Bars:
    bars = random_ohlcv(200)
    split, dividend = np.ones(bars.close.shape), np.zeros(bars.close.shape)
    for place, ratio in SPLITS.items():
        split[place] = ratio
    for place, paid in DIVIDENDS.items():
        dividend[place] = paid
    grown = np.cumprod(split, axis=0)
    prices = {name: np.asarray(bars.column(name)) / grown for name in ("open", "high", "low", "close")}
    return dataclasses.replace(bars, split=split, dividend=dividend, **prices)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("actions")
    bars = bars_with_actions()
    last = str(bars.session[-1])
    Store(root / "store").put(bars, EntryMeta("test/actions", "Actions", "unknown", last, "hand", "none"))
    config = CONFIG | {"start": str(bars.session[40]), "end": last}
    run.run(Job(root, root / "store", EventWriter(root / layout.EVENTS), config))
    return root


def table(folder: Path, name: str, strategy: str) -> list[dict[str, str]]:
    below = layout.baseline_folder(strategy) if strategy else layout.REPORT
    with (folder / below / name).open() as stream:
        return list(csv.DictReader(stream))


def total(rows: list[dict[str, str]], column: str) -> float:
    return sum(float(row[column]) for row in rows)


STRATEGIES = pytest.mark.parametrize("strategy", ["", "buy_hold", "random"])


@STRATEGIES
def test_symbols_and_sides_sum_to_the_gain(folder: Path, strategy: str) -> None:
    equity = [float(row["equity"]) for row in table(folder, "equity.csv", strategy)]
    for name in ("symbols.csv", "sides.csv"):
        rows = table(folder, name, strategy)
        assert total(rows, "pnl_net") == pytest.approx(equity[-1] - equity[0], abs=1e-6)
        parts = total(rows, "pnl_gross") - total(rows, "fees") - total(rows, "slippage")
        assert parts + total(rows, "dividends") + total(rows, "financing") == pytest.approx(total(rows, "pnl_net"))


def test_the_page_says_by_symbol_what_the_file_says(folder: Path) -> None:
    """Each row with every column of symbols.csv in all digits, dividends and financing within its net."""
    page = (folder / layout.REPORT / layout.REPORT_HTML).read_text(encoding="utf-8")
    part = page[page.index("<h2>By symbol") :]
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th>(.*?)</tr>', part[: part.index("</section>")], re.DOTALL)
    told = {name: [float(text) for text in re.findall(r'title="([^"]*)"', row)[:6]] for name, row in rows}
    filed = {row.pop("symbol"): [float(text) for text in row.values()] for row in table(folder, "symbols.csv", "")}
    filed["Interest on cash"] = filed.pop("cash")
    assert told == filed
    assert filed["A"][3] < 0 and filed["A"][4] < 0 < filed["B"][3]
    assert list(told) == [*sorted(("A", "B"), key=lambda name: -filed[name][5]), "Interest on cash"]


def received(folder: Path, strategy: str) -> np.ndarray[Any, Any]:
    """(A,) money by the orders alone: shares before each bar, split in it, times what it pays."""
    bars = bars_with_actions()
    assert bars.split is not None and bars.dividend is not None
    bar_of = {f"{np.datetime_as_string(time, unit='s')}Z": t for t, time in enumerate(bars.known_at)}
    traded = np.zeros(bars.close.shape)
    for row in table(folder, "orders.csv", strategy):
        if row["filled"]:
            side = 1.0 if row["side"] == "buy" else -1.0
            traded[bar_of[row["filled"]], bars.symbols.index(row["symbol"])] += side * float(row["qty_filled"])
    held, paid = np.zeros(bars.n_assets), np.zeros(bars.n_assets)
    for t in range(bars.n_bars):
        held *= bars.split[t]
        paid += held * bars.dividend[t]
        held += traded[t]
    return paid


@STRATEGIES
def test_dividends_are_those_of_the_shares_held(folder: Path, strategy: str) -> None:
    paid = received(folder, strategy)
    rows = table(folder, "symbols.csv", strategy)
    assert [float(row["dividends"]) for row in rows] == pytest.approx([*paid, 0.0])
    assert abs(paid).min() > 10


def test_what_shorts_pay_stands_under_short(folder: Path) -> None:
    paid = received(folder, "")
    sides = {row["side"]: float(row["dividends"]) for row in table(folder, "sides.csv", "")}
    assert paid[0] < 0 < paid[1]
    assert sides == pytest.approx({"long": paid[1], "short": paid[0], "cash": 0.0})


@STRATEGIES
def test_costs_are_those_of_the_orders_and_no_dividend(folder: Path, strategy: str) -> None:
    costs = {row["cost"]: float(row["money"]) for row in table(folder, "costs.csv", strategy)}
    orders, sides = table(folder, "orders.csv", strategy), table(folder, "sides.csv", strategy)
    assert costs["fees"] == pytest.approx(total(orders, "commission")) == pytest.approx(total(sides, "fees"))
    assert costs["spread"] + costs["impact"] == pytest.approx(total(sides, "slippage"))
    assert -costs["borrow"] - costs["interest"] == pytest.approx(total(sides, "financing"))
