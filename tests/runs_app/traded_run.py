"""A backtest on paper: eight sessions of two symbols, a split of A between its fills, tables as a job writes them.

Weekdays from 2024-03-04. A closes at 100, 102, 104, 106, then splits 2 for 1 on 2024-03-08 and closes at 54, 55, 56,
57; it pays 0.50 a share on 2024-03-12. B closes at 20 all the time. The run was fed all of it and judged from the
second session on. A is bought twice (10 at 102 on 03-05, 5 at 106 on 03-07) and sold once (12 at 55 on 03-11).
"""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from backtest.config import BacktestConfig
from marketdata.bars import Bars
from marketdata.store import EntryMeta, Store
from runfiles import layout
from runs_app import places
from runs_app.models import Dataset, Run

NAME = "files/paper"
DAYS = np.array(["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12",
                 "2024-03-13"], "datetime64[D]")  # fmt: skip
CLOSES = np.array([100.0, 102.0, 104.0, 106.0, 54.0, 55.0, 56.0, 57.0])
WEIGHTS = [0.0, 0.102, 0.104, 0.159, 0.162, 0.099, 0.1008, 0.1026]
FILLS = (
    ("2024-03-05T21:00:00Z", "A", "buy", 10, 102.0, 1.0),
    ("2024-03-07T21:00:00Z", "A", "buy", 5, 106.0, 0.5),
    ("2024-03-11T20:00:00Z", "A", "sell", 12, 55.0, 0.25),
    ("2024-03-12T20:00:00Z", "B", "buy", 3, 20.0, 0.1),
)


def closes_at() -> list[str]:
    """20:00 UTC from the Monday on which the clocks of New York have gone forward."""
    return [f"{day}T{'21' if day < np.datetime64('2024-03-11') else '20'}:00:00Z" for day in DAYS]


def paper_bars(names: tuple[str, ...] = ("A", "B")) -> Bars:
    """The last symbol but one is A, all others are B."""
    count = len(names)
    prices, split, dividend = np.full((8, count), 20.0), np.ones((8, count)), np.zeros((8, count))
    prices[:, -2], split[4, -2], dividend[6, -2] = CLOSES, 2.0, 0.5
    known = np.array([text[:-1] for text in closes_at()], "datetime64[ns]")
    return Bars(names, DAYS, known, close=prices, open=prices - 0.5, high=prices + 1, low=prices - 1, split=split,
                dividend=dividend)  # fmt: skip


def traded_run(owner: Any, store: Path, names: tuple[str, ...] = ("A", "B"), **dataset: Any) -> Run:
    """A backtest of this person on a dataset of theirs, with its three tables; `names` as in `paper_bars`."""
    meta = EntryMeta("files/upload", "Paper", "unknown", "2024-12-31", "files", "")
    version = Store(store).put(paper_bars(names), meta)
    Dataset.objects.get_or_create(name=NAME, version=version, owner=owner)
    asked = {"id": NAME, "version": version, "symbols": list(names), "start": "2024-03-04", "end": "2024-03-13"}
    config = BacktestConfig.model_validate({"policy": "equal", "dataset": asked | dataset}).model_dump(mode="json")
    run: Run = Run.objects.create(
        owner=owner, kind="backtest", state="SUCCEEDED", ended=dt.datetime.now(dt.UTC), config=config,
        config_hash="0" * 64, dataset_name=NAME, dataset_version=version, subject="equal",
    )  # fmt: skip
    folder, _ = places.make_folders(run)
    (folder / layout.REPORT).mkdir()
    others = "0.0," * (len(names) - 2)
    rows = [f"{time},{others}{weight},0.0" for time, weight in zip(closes_at(), WEIGHTS, strict=True)][1:]
    write(run, "weights", [f"time,{','.join(names)}", *rows])
    called = dict(zip(("A", "B"), names[-2:], strict=True))
    lines = [_order(number, *fill, called) for number, fill in enumerate(FILLS, 1)]
    write(run, "orders", [ORDERS, *lines, UNFILLED.replace(",A,", f",{called['A']},")])
    write(
        run, "symbols", [SYMBOLS, "A,90.0,1.0,0.75,9.0,0.0,97.25", "B,0.0,0.1,0.0,0.0,0.0,-0.1", "cash,0,0,0,0,2.0,2.0"]
    )
    return run


ORDERS = "id,decided,filled,symbol,side,qty_target,qty_filled,price_ref,price_fill,commission,spread,impact,reason"
SYMBOLS = "symbol,pnl_gross,fees,slippage,dividends,financing,pnl_net"
UNFILLED = "9,2024-03-12T20:00:00Z,,A,buy,4.0,0.0,,,0.0,0.0,0.0,untradable"


def _order(number: int, time: str, symbol: str, side: str, shares: float, price: float, costs: float,
           called: dict[str, str]) -> str:  # fmt: skip
    return f"{number},{time},{time},{called[symbol]},{side},{shares},{shares},{price},{price},{costs},0.0,0.0,filled"


def write(run: Run, key: str, lines: list[str]) -> None:
    (places.run_folder(run.id) / layout.FILES[key].path).write_text("\n".join(lines) + "\n")
