"""One symbol bought and held: at the first bar on which it can be, and refused where the benchmark never can."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import run
from backtest.config import BacktestConfig
from backtest.holding import Benchmark, FirstLong, require_benchmark
from marketdata.config_base import ConfigFault
from marketdata.splits import Range
from marketdata.store import EntryMeta, Store
from runfiles.events import EventWriter
from runfiles.job import Job, JobRefused
from simulator.market import Market, prepare_market
from tests.backtest.books import run_strategy
from tests.marketdata.build import bars_of, random_ohlcv
from tests.simulator.markets import make_bars


def config_of(**evaluation: Any) -> BacktestConfig:
    return BacktestConfig.model_validate({"policy": "equal", "evaluation": evaluation})


def market_of(closes: np.ndarray, config: BacktestConfig, **columns: Any) -> Market:
    bars = make_bars(closes)
    return prepare_market(dataclasses.replace(bars, **columns), config)


def late(first: int, n: int = 40) -> np.ndarray:
    """(n, 2) closes of 10; the second has its first at bar `first`."""
    closes = np.full((n, 2), 10.0)
    closes[:first, 1] = np.nan
    return closes


def test_it_waits_for_the_usual_volume_that_an_order_needs() -> None:
    """Listed at bar 10, five bars of volume are known at the close of 14: the order fills in bar 15."""
    config, closes = config_of(benchmark="S1"), late(10)
    market = market_of(closes, config, volume=np.where(np.isnan(closes), np.nan, 1e6))
    book = run_strategy(Benchmark(config), market, config, 5, 39)
    assert book.orders.decided.tolist() == [14] and book.orders.filled.tolist() == [15]
    assert book.weights[-1, 1] > 0.9


def test_without_a_need_of_volume_it_is_bought_at_its_first_bar() -> None:
    config = config_of(benchmark="S1")
    book = run_strategy(Benchmark(config), market_of(late(10), config), config, 5, 39)
    assert book.orders.decided.tolist() == [10]


def test_membership_binds_the_first_symbol_and_not_the_benchmark() -> None:
    member = np.zeros((40, 2), bool)
    member[20:] = True
    config = config_of(benchmark="S1")
    market = market_of(late(0), config, member=member)
    assert run_strategy(Benchmark(config), market, config, 5, 39).orders.decided.tolist() == [5]
    assert run_strategy(FirstLong(config), market, config, 5, 39).orders.decided.tolist() == [20]


def test_a_benchmark_that_can_never_be_bought_is_refused() -> None:
    config = config_of(benchmark="S1")
    market = market_of(late(30), config)
    require_benchmark("S1", market, Range(5, 31))
    require_benchmark(None, market, Range(5, 30))
    with pytest.raises(ConfigFault, match=r"S1 cannot be bought between .* and .*: it has no close there"):
        require_benchmark("S1", market, Range(5, 30))
    closes = late(26)
    thin = market_of(closes, config, volume=np.where(np.isnan(closes), np.nan, 1e6))
    with pytest.raises(ConfigFault, match="it has no usual volume there"):
        require_benchmark("S1", thin, Range(5, 29))


def test_a_run_refuses_it_before_anything_is_judged(tmp_path: Path) -> None:
    """A symbol whose first close lies on the range's last bar: one sentence, and no report."""
    closes = random_ohlcv(260).close
    closes[:250, 1] = np.nan
    bars = bars_of(closes)
    version = Store(tmp_path / "store").put(bars, EntryMeta("files/x", "X", "unknown", "2021-01-01", "an upload", ""))
    config = {
        "policy": "equal", "start": str(bars.session[100]), "end": str(bars.session[250]),
        "dataset": {"id": "files/x", "version": version},
        "evaluation": {"benchmark": "B", "baselines": ["cash", "benchmark"], "bootstrap_paths": 1000},
    }  # fmt: skip
    with pytest.raises(
        JobRefused, match=r"evaluation\.benchmark: B cannot be bought between .*: it has no close there"
    ):
        run.run(Job(tmp_path, tmp_path / "store", EventWriter(tmp_path / "events.jsonl"), config))
    assert not (tmp_path / "report").exists()
