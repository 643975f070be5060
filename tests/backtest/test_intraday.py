"""Hourly bars from the store to the report: ranges in bars, times of closes, figures a year by the calendar."""

import csv
import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.run import main
from marketdata.bars import Bars
from marketdata.config import SplitConfig
from marketdata.sessions import grid
from marketdata.splits import make_ranges
from marketdata.store import Store
from runfiles import layout, yamlio
from tests.marketdata.build import meta, random_ohlcv

HOURS = grid("XNYS", "1h", dt.date(2020, 1, 2), dt.date(2020, 5, 29))  # over a half of a year with a change of clocks


@pytest.fixture(scope="module")
def bars() -> Bars:
    made = random_ohlcv(HOURS.n_bars, assets=2)
    columns = {name: made.column(name) for name in ("open", "high", "low", "close", "volume")}
    return Bars(symbols=("A", "B"), session=HOURS.session, known_at=HOURS.known_at, interval="1h", **columns)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report(bars: Bars, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("intraday")
    Store(root / "datasets").put(bars, meta("test/hours"))
    config = {"schema_version": layout.SCHEMA_VERSION, "policy": "buy_hold", "split": {"scheme": "80_20"},
              "dataset": {"id": "test/hours", "interval": "1h"},
              "evaluation": {"bootstrap_paths": 1000, "baselines": ["cash", "equal"]}}  # fmt: skip
    (root / layout.CONFIG).write_text(yamlio.dump(config))
    assert main([str(root), "--datasets", str(root / "datasets")]) == 0
    return root / "report"


def read(report: Path, name: str) -> Any:
    return json.loads((report / name).read_text())


def test_the_range_is_counted_in_bars(bars: Bars, report: Path) -> None:
    test = make_ranges(SplitConfig(scheme="80_20"), bars.session, lookback=0, warmup=0).test
    assert (test.t0, test.t1) == (bars.n_bars - bars.n_bars // 5, bars.n_bars - 1)
    assert read(report, "summary.json")["range"]["n_bars"] == test.n_bars
    assert read(report, "metrics.json")["n_bars"] == test.n_bars


def test_the_times_are_the_closes_of_the_bars(bars: Bars, report: Path) -> None:
    with (report / "equity.csv").open() as stream:
        times = [row["time"] for row in csv.DictReader(stream)]
    first = bars.n_bars - bars.n_bars // 5
    assert times == [f"{np.datetime_as_string(at, unit='s')}Z" for at in bars.known_at[first:]]
    assert times[-1] == "2020-05-29T20:00:00Z"


def test_figures_a_year_are_of_the_calendar(report: Path) -> None:
    """1,764 hours a year, whatever the span of the data."""
    metrics = read(report, "metrics.json")
    with (report / "equity.csv").open() as stream:
        equity = np.array([float(row["equity"]) for row in csv.DictReader(stream)])
    returns = equity[1:] / equity[:-1] - 1
    assert metrics["cagr"] == pytest.approx((equity[-1] / equity[0]) ** (1764 / len(returns)) - 1, rel=1e-9)
    assert metrics["volatility"] == pytest.approx(returns.std(ddof=1) * math.sqrt(1764), rel=1e-9)


def test_an_interval_that_is_not_the_datasets_is_refused(report: Path, tmp_path: Path, capsys: Any) -> None:
    config = {"schema_version": layout.SCHEMA_VERSION, "policy": "cash", "dataset": {"id": "test/hours"}}
    (tmp_path / layout.CONFIG).write_text(yamlio.dump(config))
    assert main([str(tmp_path), "--datasets", str(report.parent / "datasets")]) != 0
    assert "dataset.interval: test/hours has bars of 1h, not 1d." in capsys.readouterr().err


def test_the_last_year_and_ranges_of_dates_fall_on_whole_sessions(bars: Bars) -> None:
    config = SplitConfig.model_validate({"scheme": "custom_ranges", "embargo_bars": 5, "custom_ranges": [
        {"start": "2020-01-02", "end": "2020-02-28"}, {"start": "2020-03-02", "end": "2020-04-30"},
        {"start": "2020-05-01", "end": "2020-05-29"},
    ]})  # fmt: skip
    found = make_ranges(config, bars.session, lookback=10, warmup=3)
    day = bars.session
    assert (str(day[found.validation.t0]), str(day[found.validation.t0 - 1])) == ("2020-03-02", "2020-02-28")
    assert found.validation.t0 - found.train.t1 == 15 and found.test.t0 - found.validation.t1 == 15
    assert found.train.t0 == 13 and found.test.t1 == bars.n_bars - 1
