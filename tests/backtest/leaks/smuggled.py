"""Leaks that hide: memory that outlives a run, and peeks on rare bars. Each has a clean twin that looks like it."""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.indicators.base import Columns, Indicator
from marketdata.indicators.registry import INDICATORS
from simulator.engine import BookSession, Decisions
from simulator.market import Market
from tests.backtest.stepping import Stepping

Floats = NDArray[np.float64]
MEMO: dict[tuple[float, ...], Floats] = {}


class Remembering(Stepping):
    """What rises most in the next five bars, noted in a dictionary of the class the first time a date is asked."""

    key = "remembering"
    noted: dict[str, int] = {}

    def decide(self, t: int, session: BookSession) -> Any:
        close, day = session.market.bars.close, str(session.market.bars.session[t])
        if day not in Remembering.noted and t + 5 < len(close):
            Remembering.noted[day] = int(np.nan_to_num(close[t + 5] / close[t]).argmax())
        weights = np.zeros(close.shape[1])
        weights[Remembering.noted.get(day, 0)] = 1.0
        return weights


@functools.cache
def strongest(day: str, past: tuple[float, ...]) -> int:
    return int(np.nan_to_num(np.array(past)).argmax())


class Caching(Stepping):
    """What rose most in the last five bars, by an honest cache of the module."""

    key = "caching"

    def decide(self, t: int, session: BookSession) -> Any:
        bars = session.market.bars
        weights = np.zeros(bars.n_assets)
        weights[strongest(str(bars.session[t]), tuple(bars.close[t] / bars.close[t - 5]))] = 1.0
        return weights


class ByDate(Stepping):
    """The same, kept by the date alone: honest, as each date's past is always the same."""

    key = "by_date"
    kept: dict[str, int] = {}

    def decide(self, t: int, session: BookSession) -> Any:
        bars = session.market.bars
        best = self.kept.setdefault(
            str(bars.session[t]), int(np.nan_to_num(bars.close[t] / bars.close[t - 5]).argmax())
        )
        weights = np.zeros(bars.n_assets)
        weights[best] = 1.0
        return weights


class RarePeek(Stepping):
    """Equal weights each bar, but on one bar in 41 all in what rises most tomorrow."""

    key = "rare_peek"

    def decide(self, t: int, session: BookSession) -> None:
        """All is said by `decisions`."""

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        bars, close = np.arange(t0, t1), market.bars.close
        targets = np.full((len(bars), market.n_assets), 0.9 / market.n_assets)
        for row in np.flatnonzero(bars % 41 == 5):
            t = min(int(bars[row]) + 1, len(close) - 1)
            targets[row] = 0.0
            targets[row, int(np.nan_to_num(close[t] / close[t - 1]).argmax())] = 1.0
        return Decisions(bars, targets)


class RareTurn(RarePeek):
    """The same of today: clean."""

    key = "rare_turn"

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        bars, close = np.arange(t0, t1), market.bars.close
        targets = np.full((len(bars), market.n_assets), 0.9 / market.n_assets)
        for row in np.flatnonzero(bars % 41 == 5):
            t = int(bars[row])
            targets[row] = 0.0
            targets[row, int(np.nan_to_num(close[t] / close[t - 1]).argmax())] = 1.0
        return Decisions(bars, targets)


def _rare(columns: Columns) -> Floats:
    """Sign of the next return on one bar in 97, else 0."""
    close = columns["close"]
    out, index = np.zeros(len(close)), np.arange(len(close) - 1)
    there = index[index % 97 == 5]
    out[there] = np.sign(close[there + 1] / close[there] - 1)
    return out


def _rare_past(columns: Columns) -> Floats:
    """The same of the last return."""
    close = columns["close"]
    out, index = np.zeros(len(close)), np.arange(1, len(close))
    there = index[index % 97 == 5]
    out[there] = np.sign(close[there] / close[there - 1] - 1)
    return out


def _after_falls(columns: Columns) -> Floats:
    """The next return after a large fall, which is rare, else 0."""
    close = columns["close"]
    out, change = np.zeros(len(close)), close[1:] / close[:-1] - 1
    there = np.flatnonzero(change[:-1] < np.quantile(change, 0.01)) + 1
    out[there] = close[there + 1] / close[there] - 1
    return out


def _next_return(columns: Columns) -> Floats:
    close = columns["close"]
    return np.append(close[1:] / close[:-1] - 1, 0.0)


def _remembered(columns: Columns) -> Floats:
    """The next return, kept in the module by how the series begins, so that it is there when the bars are cut."""
    close = columns["close"]
    found = MEMO.setdefault(tuple(close[:3]), _next_return(columns))
    return np.append(found[: len(close)], np.zeros(max(len(close) - len(found), 0)))


@functools.cache
def _log(value: float) -> float:
    return float(np.log(value))


def _cached(columns: Columns) -> Floats:
    """The last log return by an honest cache."""
    logs = np.array([_log(value) for value in columns["close"].tolist()])
    return np.append(0.0, np.diff(logs))


for name, compute in {
    "x_rare": _rare, "x_rare_past": _rare_past, "x_after_falls": _after_falls, "x_remembered": _remembered,
    "x_cached": _cached,
}.items():  # fmt: skip
    INDICATORS.setdefault(name, Indicator(name, "Of a test.", frozenset({"close"}), (), lambda: 1, compute))
NAMES = ("x_rare", "x_rare_past", "x_after_falls", "x_remembered", "x_cached")
