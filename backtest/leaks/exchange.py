"""What goes between the gate and the process that runs foreign code for it: plain arrays and JSON, nothing pickled."""

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.leaks.trace import COLUMNS, Book, Outcome, Trace, Unmade
from marketdata.bars import ACTIONS, FIELDS, Bars, Delisting
from simulator.ledger import Orders

_PLAIN = ("symbols", "calendar", "interval", "adjustment")
_ARRAYS = ("session", "known_at", *FIELDS, *ACTIONS, "member")
_ORDERS = tuple(Orders.__dataclass_fields__)


def save_bars(folder: Path, bars: Bars) -> None:
    """`bars.json` and `bars.npz`."""
    ends = {symbol: [str(end.last_session), end.final_return] for symbol, end in bars.delistings.items()}
    plain = {name: getattr(bars, name) for name in _PLAIN} | {"delistings": ends}
    (folder / "bars.json").write_text(json.dumps(plain), encoding="utf-8")
    arrays = {name: getattr(bars, name) for name in _ARRAYS if getattr(bars, name) is not None}
    _save(folder / "bars.npz", arrays | {f"rate {name}": value for name, value in bars.rates.items()})


def load_bars(folder: Path) -> Bars:
    plain: dict[str, Any] = json.loads((folder / "bars.json").read_text(encoding="utf-8"))
    ends = {symbol: Delisting(dt.date.fromisoformat(day), rest) for symbol, (day, rest) in plain["delistings"].items()}
    arrays = _load(folder / "bars.npz")
    rates = {name.removeprefix("rate "): arrays.pop(name) for name in list(arrays) if name.startswith("rate ")}
    plain |= {"symbols": tuple(plain["symbols"]), "delistings": ends, "rates": rates}
    return Bars(**plain | arrays)


def save_outcome(path: Path, outcome: Outcome) -> None:
    """What came of a run; without observations, which foreign code does not show."""
    if isinstance(outcome, Unmade):
        _save(path, {"why": np.array(outcome.why)})
    elif outcome is None:
        _save(path, {})
    else:
        _save(path, _arrays_of(outcome))


def _arrays_of(outcome: Trace) -> dict[str, NDArray[Any]]:
    book, said = outcome.book, {t: row for t, row in outcome.decided.items() if row is not None}
    arrays: dict[str, NDArray[Any]] = {
        "t0": np.array(book.t0),
        "silent": np.array([t for t in outcome.decided if t not in said], dtype=np.int64),
        "bars": np.array(list(said), dtype=np.int64),
        "targets": np.array(list(said.values()), dtype=np.float64),
    }
    arrays |= {f"book {name}": value for name, value in book.columns.items()}
    return arrays | {f"order {name}": getattr(book.orders, name) for name in _ORDERS}


def load_outcome(path: Path) -> Outcome:
    arrays = _load(path)
    if "why" in arrays:
        return Unmade(str(arrays["why"]))
    if not arrays:
        return None
    orders = Orders(**{name: arrays[f"order {name}"] for name in _ORDERS})
    book = Book(int(arrays["t0"]), {name: arrays[f"book {name}"] for name in COLUMNS}, orders)
    said = dict(zip(arrays["bars"].tolist(), arrays["targets"], strict=True))
    return Trace(book, {**dict.fromkeys(arrays["silent"].tolist()), **said})


def as_json(value: Any) -> str:
    return json.dumps(dataclasses.asdict(value))


def _save(path: Path, arrays: dict[str, Any]) -> None:
    np.savez(path, **arrays)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}
