"""A finished training as a trainer leaves it: row, artifacts and a run directory with a plausible report.

The numbers are drawn from a fixed seed and consistent where pages look at them (drawdown follows from equity, the
total return from its ends); no simulator is asked, so that a page test takes milliseconds.
"""

import csv
import datetime as dt
import itertools
import json
import math
import random
from pathlib import Path
from typing import Any

from django.utils import timezone

from backtest.registry import BASELINES
from rl.config import TrainConfig
from runfiles import layout, manifest, yamlio
from runfiles.metric_keys import METRICS
from runs_app import places
from runs_app.models import Artifact, Policy, Run, RunEvent

N_BARS = 253
ORDERS = 120
TRADES = 30
VERDICT = {
    "code": "not_shown", "excess_per_year": 0.021, "low": -0.009, "high": 0.052, "baseline": "inverse_vol",
    "equal_risk_excess": 0.004, "power": 0.061, "n_bars": 252, "trials": 1, "seeds": 1,
    "sentence": "Not shown to be skill: the excess of PPO policy over Inverse volatility is +2.1 % a year.",
}  # fmt: skip
STAMPS = [
    "Survivors only: the dataset holds names that are still there today, so whatever buys looks better than it was.",
    "Closes only: orders fill at the next close, and nothing within a bar is known.",
    "No volume: market impact and capacity are not modelled.",
    "Cash earns nothing.",
]


def finished_training(owner: Any, **row: Any) -> Run:
    """A SUCCEEDED training of this person with its report on disk and an artifact row for each file."""
    config = TrainConfig.model_validate({"training": {"seeds": [0]}}).model_dump(mode="json")
    run = _row(owner, config, **row)
    folder, _ = places.make_folders(run)
    _write_report(folder, random.Random(7))
    (folder / layout.CONFIG).write_text(yamlio.dump(config))
    (folder / layout.JOB_LOG).write_text("".join(f"step {step:,} of 60,000\n" for step in range(0, 60_001, 500)))
    _write_curves(folder / layout.TENSORBOARD)
    (folder / layout.BEST_POLICY).write_bytes(b"PK-best")
    _add_rows(run, folder)
    summary = json.loads((folder / layout.REPORT / "summary.json").read_text())
    run.metrics, run.verdict = summary["metrics"], summary["verdict"]
    run.save(update_fields=["metrics", "verdict"])
    return run


def unfinished_training(owner: Any, **row: Any) -> Run:
    """A training that has not, or not well, ended: configuration, log and curves are there, no report."""
    config = TrainConfig.model_validate({"training": {"seeds": [0]}}).model_dump(mode="json")
    ended = row.get("state") in Run.TERMINAL
    half = {"phase": "train", "progress_step": 24_576, "progress_total": 60_000, "progress_rate": 1812.4,
            "progress_eta": 19.5, "duration_s": None, "peak_rss_mb": None}  # fmt: skip
    run = _row(owner, config, **(half | ({} if ended else {"ended": None}) | row))
    folder, _ = places.make_folders(run)
    (folder / layout.CONFIG).write_text(yamlio.dump(config))
    (folder / layout.JOB_LOG).write_text("".join(f"step {step:,} of 60,000\n" for step in range(0, 24_577, 512)))
    _write_curves(folder / layout.TENSORBOARD)
    return run


def _row(owner: Any, config: dict[str, Any], **row: Any) -> Run:
    now = timezone.now()
    values = {
        "kind": Run.Kind.TRAIN, "name": "PPO us20 seed 0", "config": config, "config_hash": "c0ffee" * 10 + "0000",
        "dataset_name": "sample/us20", "dataset_version": "ab" * 32, "subject": "policy", "state": Run.State.SUCCEEDED,
        "queued": now - dt.timedelta(minutes=3), "started": now - dt.timedelta(minutes=2), "ended": now,
        "duration_s": 72.4, "peak_rss_mb": 612.0, "phase": "report", "seq": 7,
    }  # fmt: skip
    run: Run = Run.objects.create(owner=owner, **(values | row))
    RunEvent.objects.create(run=run, seq=1, kind="state", data={"state": "RUNNING"})
    RunEvent.objects.create(run=run, seq=2, kind="warning", data={"sentence": "Half of the features were left out."})
    RunEvent.objects.create(run=run, seq=7, kind="state", data={"state": run.state, "sentence": run.sentence})
    return run


def _write_report(folder: Path, draw: random.Random) -> None:
    subject = folder / layout.REPORT
    _write_strategy(subject, "policy", draw, drift=0.0007)
    for place, key in enumerate(BASELINES):
        flat = key == "cash"
        drift, deviation = (0.0, 0.0) if flat else (0.0002 + 0.00005 * place, 0.009)
        _write_strategy(folder / layout.baseline_folder(key), key, draw, drift=drift, deviation=deviation)
    (subject / layout.REPORT_HTML).write_text("<!doctype html><title>Report</title>")


def _write_strategy(folder: Path, key: str, draw: random.Random, *, drift: float, deviation: float = 0.01) -> None:
    folder.mkdir(parents=True)
    equity = [100_000.0]
    for _ in range(N_BARS - 1):
        equity.append(equity[-1] * math.exp(draw.gauss(drift, deviation)))
    metrics = _metrics(equity, draw)
    rows = zip(_days(N_BARS), equity, itertools.accumulate(equity, max), itertools.count(), strict=False)
    _write_csv(
        folder / "equity.csv",
        ("time", "equity", "cash", "gross", "net", "drawdown", "financing", "costs"),
        [(day, value, value * 0.02, 0.98, 0.98, value / peak - 1, 0.0, 3.1 * bar) for day, value, peak, bar in rows],
    )
    _write_orders(folder / "orders.csv", draw)
    _write_trades(folder / "trades.csv", draw)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    _write_csv(folder / "metrics.csv", ("metric", "value"), list(metrics.items()))
    summary = {"strategy": key, "range": {"start": "2021-12-29", "end": "2022-12-28"}, "metrics": metrics,
               "verdict": VERDICT, "stamps": STAMPS, "config_hash": "c0ffee", "dataset_sha256": "ab" * 32}  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))


def _metrics(equity: list[float], draw: random.Random) -> dict[str, float | None]:
    values: dict[str, float | None] = {key: round(draw.uniform(0.05, 1.5), 6) for key in METRICS}
    total = equity[-1] / equity[0] - 1
    peaks = itertools.accumulate(equity, max)
    values |= {
        "total_return": total, "cagr": total, "sharpe": total / 0.16, "volatility": 0.16,
        "max_drawdown": min(value / peak - 1 for value, peak in zip(equity, peaks, strict=True)),
        "cost_drag_bps": 41.27,
        "n_bars": N_BARS - 1, "n_orders": ORDERS, "n_trades": TRADES, "profit_factor": None, "turnover": 3.8125,
    }  # fmt: skip
    return values


def _write_orders(path: Path, draw: random.Random) -> None:
    days = _days(N_BARS)
    rows = []
    for number in range(1, ORDERS + 1):
        bar, price = number * 2, draw.uniform(40, 300)
        symbol, side = draw.choice(("AAPL", "MSFT", "KO")), draw.choice(("buy", "sell"))
        amounts = (12.345678, 12.345678, price, price * 1.0002, 0.123456, 0.2, 0.0)
        rows.append((number, days[bar], days[bar + 1], symbol, side, *amounts, "filled"))
    header = "id,decided,filled,symbol,side,qty_target,qty_filled,price_ref,price_fill,commission,spread,impact,reason"
    _write_csv(path, tuple(header.split(",")), rows)


def _write_trades(path: Path, draw: random.Random) -> None:
    days = _days(N_BARS)
    rows = []
    for number in range(1, TRADES + 1):
        gross = draw.uniform(-400, 500)
        rows.append((number, draw.choice(("AAPL", "MSFT", "KO")), "long", 10.5, days[number], 101.25, days[number + 60],
                     108.5, gross, 1.2, 2.4, gross - 3.6, 60, 0))  # fmt: skip
    header = "id,symbol,side,qty,entry_time,entry_price,exit_time,exit_price,pnl_gross,fees,slippage,pnl_net,bars,open"
    _write_csv(path, tuple(header.split(",")), rows)


def _write_curves(folder: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for step in range(4096, 60_001, 4096):
        for tag, value in (
            ("rollout/ep_rew_mean", step / 20_000),
            ("train/loss", 1000 / step),
            ("validation/score", 1e-4),
        ):
            writer.add_event(
                Event(step=step, wall_time=step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value)]))
            )
    writer.close()


def _add_rows(run: Run, folder: Path) -> None:
    for spec in manifest.existing(folder):
        Artifact.objects.create(run=run, **manifest.entry(folder, spec))
    Policy.objects.create(
        owner=run.owner, run=run, name=str(run), which="best", sha256="d1" * 32, bytes=24_312, config=run.config
    )


def _days(count: int) -> list[str]:
    """Closes of so many weekdays up to 2022-12-28."""
    days: list[str] = []
    day = dt.date(2022, 12, 28)
    while len(days) < count:
        if day.weekday() < 5:
            days.append(f"{day}T21:00:00Z")
        day -= dt.timedelta(days=1)
    return days[::-1]


def _write_csv(path: Path, header: tuple[str, ...], rows: list[Any]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
