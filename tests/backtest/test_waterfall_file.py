"""`evaluation.waterfall`: what each layer did, through the judge, to `report/waterfall.parquet`."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as papq
import pytest

from backtest import registry, run
from marketdata.catalog import Catalog
from runfiles import layout
from runfiles.job import JobRefused
from simulator.waterfall import EFFECTS
from tests.backtest.conftest import MakeJob

SMALL: dict[str, Any] = {
    "dataset": {"id": "sample/us20", "symbols": ["KO", "XOM", "AAPL"], "adjustment": None},
    "start": "2020-01-02", "end": "2020-12-31",
    "margin": {"max_position_weight": 0.4},
    "exec": {"min_order_notional": 200},
    "evaluation": {"baselines": ["cash"], "bootstrap_paths": 1000, "stress_windows": [], "cost_multipliers": [],
                   "capacity_multipliers": [], "waterfall": True},
}  # fmt: skip
OF_A_POLICY = {"episode": {"max_step_change": 0.1, "rebalance_eps": 0.02, "min_hold_bars": 3}}
CODE = '''
import numpy as np

from tests.backtest.stepping import Stepping


class Swaying(Stepping):
    """Raw actions, cash first, that look at the book, as a policy's do."""

    key, layers = "swaying", "policy"

    def decide(self, t, session):
        if t % 5 == 0:
            return None
        return np.sin(t / 7.0 + np.arange(session.width)) - np.append(0.0, session.weights) / 2
'''


@pytest.fixture
def swaying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "swaying_strategy.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "swaying_strategy:Swaying"
    registry.STRATEGIES.pop("swaying", None)
    registry._MAKERS.pop("swaying", None)
    sys.modules.pop("swaying_strategy", None)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("subject", "busy"), [("equal", {"mapping"}), ("swaying", {"mapping", "step", "caps", "band"})]
)
def test_effects_sum_to_what_filled_and_that_is_the_orders(
    make_job: MakeJob, swaying: str, subject: str, busy: set[str]
) -> None:
    job = make_job(**SMALL, **OF_A_POLICY if subject == "swaying" else {}, policy=subject)
    run.run(job, (swaying,) if subject == "swaying" else ())
    table = papq.read_table(job.folder / layout.FILES["waterfall"].path).to_pydict()
    effects = np.array([table[name] for name in EFFECTS])
    filled = np.array(table["filled"])
    np.testing.assert_allclose(effects.sum(axis=0), filled, rtol=0, atol=1e-12)
    np.testing.assert_allclose(table["filled_bps"], filled * 1e4)
    assert busy <= {name for name, effect in zip(EFFECTS, effects, strict=True) if np.abs(effect).max() > 1e-3}
    entry = Catalog(job.datasets).find("sample/us20")
    bars = Catalog(job.datasets).store.load(entry.version).select(["KO", "XOM", "AAPL"])
    close = {
        f"{np.datetime_as_string(time, unit='s')}Z": row for time, row in zip(bars.known_at, bars.close, strict=True)
    }
    equity = {row["time"]: float(row["equity"]) for row in rows(job.folder / layout.REPORT / "equity.csv")}
    weight = {(time, symbol): 0.0 for time, symbol in zip(table["time"], table["symbol"], strict=True)}
    for order in rows(job.folder / layout.REPORT / "orders.csv"):
        time, side = order["decided"], 1.0 if order["side"] == "buy" else -1.0
        mark = close[time][bars.symbols.index(order["symbol"])]
        weight[time, order["symbol"]] += side * float(order["qty_filled"]) * mark / equity[time]
    assert filled == pytest.approx(list(weight.values()), abs=1e-12)
    assert len(weight) == len(filled) and np.abs(filled).max() > 0.05


def test_without_it_there_is_no_file_and_the_same_account(make_job: MakeJob) -> None:
    with_it, without = make_job("with", **SMALL, policy="equal"), make_job(
        "without", **SMALL | {"evaluation": SMALL["evaluation"] | {"waterfall": False}}, policy="equal"
    )  # fmt: skip
    for job in (with_it, without):
        run.run(job)
    assert not (without.folder / layout.FILES["waterfall"].path).exists()
    equity = [np.array([float(row["equity"]) for row in rows(job.folder / layout.REPORT / "equity.csv")])
              for job in (with_it, without)]  # fmt: skip
    np.testing.assert_allclose(equity[0], equity[1], rtol=1e-12)


def test_twenty_books_have_none(make_job: MakeJob) -> None:
    with pytest.raises(JobRefused, match=r"evaluation\.waterfall: random is several books"):
        run.run(make_job(**SMALL, policy="random"))


@pytest.mark.parametrize(("most", "fits"), [(756, True), (755, False)])
def test_its_size_is_bounded(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, most: int, fits: bool) -> None:
    """Bars times symbols, 252 × 3: refused by name before anything is kept, and a file of as many rows as fit."""
    monkeypatch.setattr("backtest.runner.MAX_CELLS", most)
    job = make_job(**SMALL, policy="equal_daily")
    if not fits:
        with pytest.raises(
            JobRefused, match=r"evaluation\.waterfall: A waterfall holds at most 755 bars times symbols"
        ):
            run.run(job)
        return
    run.run(job)
    assert papq.read_metadata(job.folder / layout.FILES["waterfall"].path).num_rows <= most
