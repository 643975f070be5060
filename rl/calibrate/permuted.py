"""Worlds of a user's own bars: every return of the past in another order, with a known part of it told beforehand.

1. A bar is what its prices are beside the symbol's last close, as logarithms, and what was traded in it, in money. From
   every one the symbol's mean log return is taken, so that no name is better than another.
2. Bars change places, all symbols together, so that symbols still move together and nothing else is left of the past.
   A symbol keeps its own bars: where the other day has none of it, it takes one of those that nobody took.
3. With κ > 0 a symbol's bar becomes √(1−κ²) of itself, and between its open and its close κ·σ·s of the last bar is
   added, σ the deviation of the symbol's log returns. Mean and variance of a log return stay what they were, and its
   correlation with the signal is κ.

Splits and dividends are in the returns and no actions any more; a symbol whose end is recorded is paid out at its last
close. Days, rates and membership stay where they were.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.adjust import adjusted
from marketdata.bars import NO_ACTION, PRICES, Bars
from rl.calibrate.world import Floats, persistent

Mask = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Shapes:
    """Of bars (T, A): `log` prices beside the last close, by name; `money` traded; `own` where a symbol has a bar and
    one before it; `first` (A,) each symbol's first close; `deviation` (A,) of its log returns.
    """

    log: dict[str, Floats]
    money: Floats | None
    own: Mask
    first: Floats
    deviation: Floats


class Shuffler:
    """Makes worlds of one panel of bars."""

    def __init__(self, bars: Bars) -> None:
        self._bars, self._shapes = bars, _shapes(bars)

    def world(self, chance: np.random.Generator, kappa: float) -> tuple[Bars, Floats]:
        """Bars, and the signal (T, A) of their next returns, NaN where a symbol has no bar.

        `chance` gives the same order of bars and the same signal for every `kappa` in [0, 1).
        """
        present = self._bars.present
        places = _places(chance, self._shapes.own)
        signal = persistent(chance.standard_normal(present.shape))
        moved = {name: _taken(value, places) for name, value in self._shapes.log.items()}
        told = kappa * self._shapes.deviation * _taken(signal, _before(present))
        prices = self._levels(_with_part(moved, np.sqrt(1 - kappa**2), np.where(self._shapes.own, told, 0.0)))
        return self._made(prices, places), np.where(present, signal, np.nan)

    def _levels(self, log: dict[str, Floats]) -> dict[str, Floats]:
        """Prices from logarithms beside the last close; the first bar of a symbol is its close alone."""
        present, own = self._bars.present, self._shapes.own
        steps = np.where(own, log["close"], 0.0)
        close = np.log(self._shapes.first) + np.cumsum(steps, axis=0)
        last = close - steps
        return {
            name: np.exp(np.where(present, np.where(own, last + value, close), np.nan)) for name, value in log.items()
        }

    def _made(self, prices: dict[str, Floats], places: NDArray[np.int64]) -> Bars:
        bars, columns = self._bars, dict[str, Any](prices)
        if self._shapes.money is not None:
            columns["volume"] = _taken(self._shapes.money, places) / prices["close"]
        for name, none in NO_ACTION.items():
            if bars.column(name) is not None:
                columns[name] = np.full(bars.close.shape, none)
        ends = {symbol: dataclasses.replace(end, final_return=0.0) for symbol, end in bars.delistings.items()}
        return dataclasses.replace(bars, delistings=ends, **columns)


def _shapes(bars: Bars) -> Shapes:
    whole = _whole(bars)
    before = _before(bars.present)
    own = bars.present & (before >= 0)
    last = _taken(whole.close, before)
    log = {name: _log_of(value, last, own) for name in PRICES if (value := whole.column(name)) is not None}
    count = np.maximum(own.sum(axis=0), 1)
    drift = np.where(own, log["close"], 0.0).sum(axis=0) / count
    apart = np.where(own, log["close"] - drift, 0.0)
    return Shapes(
        log={name: value - drift for name, value in log.items()},
        money=None if bars.volume is None else bars.volume * bars.close,
        own=own,
        first=_taken(bars.close, bars.present.argmax(axis=0)[None])[0],
        deviation=np.sqrt((apart**2).sum(axis=0) / count),
    )


def _whole(bars: Bars) -> Bars:
    """Prices whose ratios are what a holder gets, splits and dividends among it, as far as these are recorded."""
    if bars.adjustment != "raw":
        return bars
    absent: dict[str, Any] = {
        name: np.full(bars.close.shape, none) for name, none in NO_ACTION.items() if bars.column(name) is None
    }
    return adjusted(dataclasses.replace(bars, **absent), "total_return")


def _log_of(value: Floats, last: Floats, own: Mask) -> Floats:
    fits = own & (value > 0)
    found: Floats = np.log(np.divide(value, last, out=np.ones_like(value), where=fits))
    return np.where(fits, found, np.nan)


def _places(chance: np.random.Generator, own: Mask) -> NDArray[np.int64]:
    """(T, A): from which bar each bar comes. A permutation of each symbol's own bars; bars without one stay."""
    n_bars, n_assets = own.shape
    order = np.concatenate(([0], 1 + chance.permutation(n_bars - 1)))  # nobody has a bar before the first
    places = np.tile(np.arange(n_bars)[:, None], (1, n_assets))
    for a in range(n_assets):
        mine = own[:, a]
        together = mine & mine[order]
        places[together, a] = order[together]
        left = mine.copy()
        left[order[together]] = False
        places[mine & ~together, a] = chance.permutation(np.flatnonzero(left))
    return places


def _before(present: Mask) -> NDArray[np.int64]:
    """(T, A): each symbol's last bar before this one, -1 where there is none."""
    n_bars, n_assets = present.shape
    latest = np.maximum.accumulate(np.where(present, np.arange(n_bars)[:, None], -1), axis=0)
    return np.vstack((np.full((1, n_assets), -1), latest[:-1]))


def _taken(value: Floats, rows: NDArray[np.int64]) -> Floats:
    found: Floats = np.take_along_axis(value, np.maximum(rows, 0), axis=0)
    return found


def _with_part(log: dict[str, Floats], kept: float, told: Floats) -> dict[str, Floats]:
    """Each bar `kept` times itself, its close `told` higher; what a bar reaches beyond open and close stays with it."""
    new = {name: value * kept for name, value in log.items()}
    new["close"] = new["close"] + told
    ends, were = _ends(new), _ends(log)
    if "high" in log:
        new["high"] = ends[1] + kept * (log["high"] - were[1])
    if "low" in log:
        new["low"] = ends[0] - kept * (were[0] - log["low"])
    if "vwap" in log:
        middle = kept * log["vwap"] + told / 2
        new["vwap"] = np.fmin(np.fmax(middle, new.get("low", middle)), new.get("high", middle))
    return new


def _ends(log: dict[str, Floats]) -> tuple[Floats, Floats]:
    """The lower and the higher of open and close."""
    opens = log.get("open", log["close"])
    lower: Floats = np.fmin(opens, log["close"])
    higher: Floats = np.fmax(opens, log["close"])
    return lower, higher
