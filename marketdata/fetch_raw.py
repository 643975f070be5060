"""Raw copies: what a provider said of a symbol, as it said it, one file for each answer, never changed afterwards.

    <datasets>/raw/<provider>/<interval>/<sha256 of the symbol>/<number>.json.gz

They are the memory of the fetch: what is there need not be asked again, a run that was cut off goes on from them, and
what was first said stays. No name of a client's is part of a path. They are shared by everybody on this installation.
"""

import datetime as dt
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marketdata import adjust
from marketdata.bars import FIELDS, PRICES, Days, Floats
from marketdata.sources.base import Action, History
from runfiles import atomic

FOLDER = "raw"
VERSION = 1
PRICE_SLACK, VOLUME_SLACK, ACTION_SLACK = 1e-4, 1e-2, 1e-4
"""Relative differences that are no disagreement: a hundredth of a percent of a price, a percent of a volume."""
_PIECE = re.compile(r"[0-9]{6}\.json\.gz\Z")


@dataclass(frozen=True)
class Piece:
    """One answer. `start`: first day that was asked for; `at`: when (UTC); everything in between was asked for."""

    history: History
    start: dt.date
    at: dt.datetime


@dataclass(frozen=True)
class Known:
    """All answers of a symbol as one, as traded. `disagreements` are sentences, each with the day it begins with;
    `index`: the newest answer says that it is one.
    """

    time: Days
    columns: dict[str, Floats]
    splits: tuple[Action, ...]
    dividends: tuple[Action, ...]
    currency: str
    notes: tuple[str, ...]
    disagreements: tuple[tuple[dt.date, str], ...]
    index: bool


class RawCopies:
    """The answers of one provider to one interval below `root`, the folder of the datasets."""

    def __init__(self, root: Path, provider: str, interval: str) -> None:
        self._folder = root / FOLDER / provider / interval

    def pieces(self, symbol: str) -> list[Piece]:
        """In the order in which they came. A file that cannot be read is passed over: it is asked again."""
        found = []
        for path in sorted(_files(self._of(symbol))):
            try:
                found.append(_read(path, symbol))
            except (OSError, EOFError, ValueError, KeyError, TypeError):
                continue
        return found

    def append(self, symbol: str, piece: Piece) -> None:
        folder = self._of(symbol)
        folder.mkdir(parents=True, exist_ok=True)
        newest = max((int(path.name[:6]) for path in _files(folder)), default=0)
        text = json.dumps(_plain(symbol, piece), separators=(",", ":"))
        atomic.write_bytes(folder / f"{newest + 1:06d}.json.gz", gzip.compress(text.encode(), mtime=0))

    def _of(self, symbol: str) -> Path:
        return self._folder / hashlib.sha256(symbol.encode()).hexdigest()


def known(symbol: str, pieces: list[Piece], *, newest_wins: bool) -> Known:
    """The answers laid over each other: what was said first stays, or with `newest_wins` what was said last.

    Where an answer says something else of a bar than an earlier one, that is told either way.
    """
    merged, start = _as_traded(pieces[0]), pieces[0].start
    told: list[tuple[dt.date, str]] = []
    for piece in pieces[1:]:
        later = _as_traded(piece)
        told += _differences(symbol, merged, later, piece, newest_wins)
        merged = _over(merged, later, (start, piece.start), newest_wins)
        start = min(start, piece.start)
    notes = tuple(dict.fromkeys(note for piece in pieces for note in piece.history.notes))
    return Known(merged.time, merged.columns, merged.splits, merged.dividends, pieces[-1].history.currency, notes,
                 tuple(told), pieces[-1].history.index)  # fmt: skip


def _as_traded(piece: Piece) -> History:
    """Prices and dividends of an answer without the later splits that the source has put into them."""
    said = piece.history
    if said.basis == "as_traded":
        return said
    columns, _ = adjust.unsplit(said.columns, said.time.astype("datetime64[D]"), said.splits)
    days = np.array([day for day, _ in said.dividends], "datetime64[D]")
    _, factor = adjust.unsplit({}, days, said.splits)
    paid = tuple((day, amount * float(f)) for (day, amount), f in zip(said.dividends, factor, strict=True))
    last = _day(said.time[-1])  # a split of a later, unfinished bar is in the prices, but not yet part of the copy
    splits = tuple(each for each in said.splits if each[0] <= last)
    return History(said.time, columns, splits, paid, "as_traded", said.currency, said.notes)


def _over(first: History, later: History, starts: tuple[dt.date, dt.date], newest_wins: bool) -> History:
    """`starts`: first days that the one and the other were asked for."""
    upper, lower = (later, first) if newest_wins else (first, later)
    time = np.union1d(first.time, later.time)
    columns: dict[str, Floats] = {}
    for name in dict.fromkeys((*first.columns, *later.columns)):
        column = np.full(len(time), np.nan)
        for each in (lower, upper):
            if name in each.columns:
                column[np.searchsorted(time, each.time)] = each.columns[name]
        columns[name] = column
    frozen = _day(first.time[-1])
    splits = _actions(first.splits, later.splits, starts, frozen, newest_wins)
    dividends = _actions(first.dividends, later.dividends, starts, frozen, newest_wins)
    return History(time, columns, splits, dividends, "as_traded", later.currency)


def _actions(
    first: tuple[Action, ...], later: tuple[Action, ...], starts: tuple[dt.date, dt.date], frozen: dt.date,
    newest_wins: bool,
) -> tuple[Action, ...]:  # fmt: skip
    """What was first said of the days that it was asked for, and the new of all others; or the other way round."""
    if newest_wins:
        return tuple(sorted([each for each in first if each[0] < starts[1]] + list(later)))
    return tuple(sorted([*first, *(each for each in later if not starts[0] <= each[0] <= frozen)]))


def _differences(
    symbol: str, first: History, later: History, piece: Piece, newest_wins: bool
) -> list[tuple[dt.date, str]]:
    """One sentence about bars, and one for each action that is new, gone or another."""
    both, one, other = np.intersect1d(first.time, later.time, return_indices=True)
    if not len(both):
        return []
    taken = "the new is taken" if newest_wins else "what was stored is kept"
    told = _bar_differences(symbol, both, {n: c[one] for n, c in first.columns.items()},
                            {n: c[other] for n, c in later.columns.items()}, taken)  # fmt: skip
    span = max(piece.start, _day(both[0])), _day(both[-1])
    for name in ("splits", "dividends"):
        told += _action_differences(symbol, name, first, later, span, taken)
    return told


def _bar_differences(
    symbol: str, times: Days, was: dict[str, Floats], now: dict[str, Floats], taken: str
) -> list[tuple[dt.date, str]]:
    apart = {
        name: ~np.isclose(was[name], now[name], rtol=PRICE_SLACK if name in PRICES else VOLUME_SLACK, atol=0,
                          equal_nan=True)
        for name in FIELDS if name in was and name in now
    }  # fmt: skip
    anywhere = np.logical_or.reduce(list(apart.values()))
    if not anywhere.any():
        return []
    row = int(np.argmax(anywhere))
    name = next(name for name in ("close", *apart) if apart[name][row])
    text = f"{symbol}: the source now says a {name} of {now[name][row]:g} on {_told(times[row])}, where"
    text += f" {was[name][row]:g} is stored ({int(anywhere.sum())} of {len(times)} bars asked again differ); {taken}."
    return [(_day(times[row]), text)]


def _action_differences(
    symbol: str, name: str, first: History, later: History, span: tuple[dt.date, dt.date], taken: str
) -> list[tuple[dt.date, str]]:
    was, now = (
        {day: amount for day, amount in getattr(each, name) if span[0] <= day <= span[1]} for each in (first, later)
    )
    told = []
    for day in sorted(was.keys() | now.keys()):
        if not np.isclose(was.get(day, 0.0), now.get(day, 0.0), rtol=ACTION_SLACK, atol=0):
            stored = f"{was[day]:g} is stored" if day in was else "none is stored"
            says = f"{now[day]:g}" if day in now else "none"
            text = f"{symbol}: the source now says a {name[:-1]} of {says} on {day}, where {stored}; {taken}."
            told.append((day, text))
    return told


def _told(time: np.datetime64) -> str:
    return str(time) if time.dtype == np.dtype("datetime64[D]") else str(time.astype("datetime64[m]")).replace("T", " ")


def _day(time: np.datetime64) -> dt.date:
    day: dt.date = time.astype("datetime64[D]").item()
    return day


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _PIECE.match(path.name)] if folder.is_dir() else []


def _plain(symbol: str, piece: Piece) -> dict[str, Any]:
    said = piece.history
    unit = "D" if said.time.dtype == np.dtype("datetime64[D]") else "s"
    columns = {name: [None if np.isnan(x) else x for x in column.tolist()] for name, column in said.columns.items()}
    return {
        "v": VERSION, "symbol": symbol, "start": piece.start.isoformat(), "at": piece.at.isoformat(),
        "basis": said.basis, "currency": said.currency, "notes": list(said.notes), "unit": unit,
        "index": said.index,
        "time": said.time.astype("int64").tolist(), "columns": columns,
        **{name: [[day.isoformat(), x] for day, x in getattr(said, name)] for name in ("splits", "dividends")},
    }  # fmt: skip


def _read(path: Path, symbol: str) -> Piece:
    value = json.loads(gzip.decompress(path.read_bytes()))
    if value["v"] != VERSION or value["symbol"] != symbol:
        raise ValueError("not a raw copy of this symbol")
    time = np.array(value["time"], "int64").astype(f"datetime64[{value['unit']}]")
    columns = {name: np.array(column, float) for name, column in value["columns"].items()}
    if not len(time) or (time[1:] <= time[:-1]).any() or any(len(column) != len(time) for column in columns.values()):
        raise ValueError("not a raw copy")
    splits, dividends = (
        tuple((dt.date.fromisoformat(day), float(x)) for day, x in value[name]) for name in ("splits", "dividends")
    )
    history = History(
        time, columns, splits, dividends, value["basis"], value["currency"], tuple(value["notes"]),
        bool(value.get("index")),  # what was kept before this was asked says nothing of it
    )  # fmt: skip
    return Piece(history, dt.date.fromisoformat(value["start"]), dt.datetime.fromisoformat(value["at"]))
