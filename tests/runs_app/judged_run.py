"""A real backtest on drawn bars that split and pay, as its owner has it: row, dataset, run directory, report."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from backtest import run as backtest_run
from backtest.config import BacktestConfig
from marketdata.bars import Bars
from marketdata.sessions import grid as bar_grid
from marketdata.store import EntryMeta, Store
from runfiles import layout, manifest, yamlio
from runfiles.events import EventWriter
from runfiles.job import Job
from runs_app import places
from runs_app.models import Artifact, Dataset, Run

NAME = "files/drawn"
SYMBOLS = ("FIG", "OAK", "YEW")
_LIGHT = {"baselines": ["cash", "equal"], "bootstrap_paths": 1000, "metric_bootstrap_paths": 100, "stress_windows": [],
          "cost_multipliers": [], "capacity_multipliers": []}  # fmt: skip


def drawn_bars(interval: str = "1d", end: dt.date = dt.date(2023, 12, 29)) -> Bars:
    """Bars from 2021 on; FIG splits 4 for 1 halfway, OAK pays 0.4 a share every 63 bars."""
    grid = bar_grid("XNYS", interval, dt.date(2021, 1, 4), end)
    draw = np.random.default_rng(11)
    shape = (grid.n_bars, len(SYMBOLS))
    deviation = 0.015 if interval == "1d" else 0.004
    close = np.array([240.0, 60.0, 8.0]) * np.exp(np.cumsum(draw.normal(0.0003, deviation, shape), axis=0))
    split, dividend = np.ones(shape), np.zeros(shape)
    split[grid.n_bars // 2, 0] = 4.0
    dividend[63::63, 1] = 0.4
    close /= np.cumprod(split, axis=0)
    opened = close * np.exp(draw.normal(0, deviation / 2, shape))
    reach = 1 + np.abs(draw.normal(0, deviation / 2, shape))
    return Bars(SYMBOLS, grid.session, grid.known_at, close=close, open=opened, high=np.maximum(opened, close) * reach,
                low=np.minimum(opened, close) / reach, volume=np.full(shape, 4e6), split=split, dividend=dividend,
                interval=interval)  # fmt: skip


def judged_run(owner: Any, store: Path, bars: Bars, **config: Any) -> Run:
    """A SUCCEEDED backtest of this person on these bars; `config` beside the dataset and light evaluation."""
    meta = EntryMeta(NAME, "Drawn", "unknown", "2024-12-31", "files", "")
    version = Store(store).put(bars, meta)
    Dataset.objects.get_or_create(name=NAME, version=version, owner=owner, title="Drawn")
    days = {"start": str(bars.session[0]), "end": str(bars.session[-1])}
    dataset = {"id": NAME, "version": version, "symbols": list(bars.symbols), "interval": bars.interval} | days
    given = {"policy": "momentum", "evaluation": _LIGHT} | config
    resolved = BacktestConfig.model_validate(given | {"dataset": dataset | given.get("dataset", {})})
    values = resolved.model_dump(mode="json")
    run: Run = Run.objects.create(
        owner=owner, kind="backtest", name="Drawn bars", state="SUCCEEDED", ended=dt.datetime.now(dt.UTC),
        config=values, config_hash="0" * 64, dataset_name=NAME, dataset_version=version, subject=values["policy"],
    )  # fmt: skip
    folder, _ = places.make_folders(run)
    (folder / layout.CONFIG).write_text(yamlio.dump(values))
    backtest_run.run(Job(folder, store, EventWriter(folder / layout.EVENTS), values))
    for spec in manifest.existing(folder):
        Artifact.objects.create(run=run, **manifest.entry(folder, spec))
    return run
