"""Bars with another future: everything up to the close of a cut bar stays to the bit, what comes after is altered.

Sessions and closing times stay, as the calendar is known beforehand; recorded ends of symbols that lie ahead go.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from marketdata.bars import NO_ACTION, PRICES, Bars

HORIZON = 512
"""Bars that are kept after the cut: a strategy that looks further ahead than this finds none, which is seen as well."""
_MISSING, _JUMP, _LOUD = 0.1, 0.3, 1.0
_PRICE, _SHARES = 50.0, 1e6

WORDS: dict[str, str] = {
    "truncated": "the bars after {day} are taken away",
    "permuted": "the bars after {day} come in another order",
    "replaced": "the bars after {day} are other ones",
    "next_bar": "only the bar after {day} is another one",
}
"""Each way of altering the future, as a clause."""

Columns = dict[str, Any]


def alter(bars: Bars, cut: int, mode: str, chance: np.random.Generator, latency: int = 0) -> Bars:
    """The bars with another future after the close of bar `cut`, by one of `WORDS`.

    `latency`: bars between a decision and the bar before its fill, so that a decision at the cut can still fill.
    """
    last = cut + 1 + latency if mode == "truncated" else cut + 1 + latency + HORIZON
    stop = min(bars.n_bars, last + 1)
    columns = {name: value[:stop].copy() for name, value in bars.by_asset().items()}
    rates = {name: value[:stop].copy() for name, value in bars.rates.items()}
    _WAYS[mode]({**columns, **{f"rate {name}": value for name, value in rates.items()}}, cut, chance)
    known = bars.session[cut]
    ends = {symbol: end for symbol, end in bars.delistings.items() if np.datetime64(end.last_session, "D") < known}
    return dataclasses.replace(
        bars, session=bars.session[:stop], known_at=bars.known_at[:stop], rates=rates, delistings=ends, **columns
    )


def _standstill(columns: Columns, cut: int, chance: np.random.Generator) -> None:
    """Nothing of what comes is left: the bars that a fill needs repeat the cut bar."""
    for name, value in columns.items():
        value[cut + 1 :] = NO_ACTION.get(name, value[cut])


def _permuted(columns: Columns, cut: int, chance: np.random.Generator) -> None:
    """All assets together, so that each bar stays one that the market could have had."""
    count = len(next(iter(columns.values()))) - cut - 1
    order = cut + 1 + chance.permutation(count)
    for value in columns.values():
        value[cut + 1 :] = value[order]


def _replaced(columns: Columns, cut: int, chance: np.random.Generator) -> None:
    """Other prices and volumes, other gaps, other listings, other members, no corporate action, other rates."""
    shape = columns["close"][cut + 1 :].shape
    jump, loud = np.exp(_JUMP * chance.standard_normal(shape)), np.exp(_LOUD * chance.standard_normal(shape))
    gone, joined = chance.random(shape) < _MISSING, chance.random(shape) < 0.5
    for name, value in columns.items():
        tail = value[cut + 1 :]
        if name in PRICES:
            tail[:] = np.where(gone, np.nan, np.where(np.isfinite(tail), tail, _PRICE) * jump)
        elif name == "volume":
            tail[:] = np.where(gone, np.nan, np.where(np.isfinite(tail), tail, _SHARES) * loud)
        elif name == "member":
            tail[:] = joined
        else:
            tail[:] = NO_ACTION.get(name, tail + 0.01)


def _next_bar(columns: Columns, cut: int, chance: np.random.Generator) -> None:
    """The very next bar, and no other."""
    up = np.where(chance.random(columns["close"].shape[1]) < 0.5, 0.7, 1.4)
    for name, value in columns.items():
        if name in PRICES:
            value[cut + 1] = np.where(np.isfinite(value[cut + 1]), value[cut + 1], _PRICE) * up
        elif name == "volume":
            value[cut + 1] = np.where(np.isfinite(value[cut + 1]), value[cut + 1], _SHARES) * 3.0
        elif name == "member":
            value[cut + 1] = ~value[cut + 1]
        else:
            value[cut + 1] = NO_ACTION.get(name, value[cut + 1] + 0.01)


_WAYS: dict[str, Callable[[Columns, int, np.random.Generator], None]] = {
    "truncated": _standstill, "permuted": _permuted, "replaced": _replaced, "next_bar": _next_bar,
}  # fmt: skip
