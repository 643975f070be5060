"""At which closes the future is altered: a bounded number of bars, chosen so that a leak has somewhere to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backtest.leaks.alter import WORDS
from marketdata.bars import FIELDS, Bars
from marketdata.splits import Range

SPREAD = 3
"""Cuts between the first and the last decision."""
GAPS = 2
"""Cuts inside gaps."""
BACK = 12
"""Decisions that are run again before a cut; a leak shows at the last of them, so more would only cost time."""
_ALL = tuple(WORDS)
_TURNS = ("permuted", "replaced")


@dataclass(frozen=True)
class Cut:
    """`bar`: the last one that stays. `first`: the bar at which the book starts, None where nothing is decided there.

    `modes`: ways of altering what comes after.
    """

    bar: int
    first: int | None
    modes: tuple[str, ...]


def choose_cuts(
    bars: Bars, span: Range, decided: Sequence[int], chance: np.random.Generator, latency: int,
    more: Sequence[int] = (),
) -> list[Cut]:  # fmt: skip
    """First and last decision with every alteration, some between with two each, a fill's bar, and bars in gaps.

    `decided`: bars of the span at which the subject says something, increasing. `more`: bars that are cut as well, with
    one alteration each.
    """
    chosen: dict[int, tuple[str, ...]] = {}
    for bar in (decided[0], decided[-1]) if decided else (span.t0, span.t1 - 1):
        chosen[bar] = _ALL
    for turn, bar in enumerate(_between(decided, chance)):
        chosen.setdefault(bar, (_TURNS[turn % 2], "next_bar"))
    if decided:
        filled = decided[int(chance.integers(len(decided)))] + 1 + latency
        chosen.setdefault(min(filled, span.t1 - 1), ("replaced",))
    for bar in gap_bars(bars, span.t1, chance):
        chosen.setdefault(bar, ("replaced",))
    for bar in more:
        chosen.setdefault(bar, ("replaced",))
    return [Cut(bar, _start(bar, span, decided), modes) for bar, modes in sorted(chosen.items())]


def scattered(decided: Sequence[int], count: int, chance: np.random.Generator) -> list[int]:
    """Up to `count` decisions drawn from all: a peek of one bar shows only where that bar is the first unknown one."""
    if not decided:
        return []
    return [int(t) for t in chance.choice(np.asarray(decided), min(count, len(decided)), replace=False)]


def gap_bars(bars: Bars, stop: int, chance: np.random.Generator) -> list[int]:
    """Bars before `stop` on which a value is missing that comes later, where filling backwards shows: the one before
    the latest first listing, and up to `GAPS` inside gaps, one a column.
    """
    unlisted: set[int] = set()
    halted: set[int] = set()
    for column in (bars.column(name) for name in FIELDS):
        if column is None:
            continue
        there = np.isfinite(column)
        last = there.shape[0] - 1 - there[::-1].argmax(axis=0)
        first, row = there.argmax(axis=0), np.arange(there.shape[0])[:, None]
        ahead = ~there & there.any(axis=0) & (row < last)
        unlisted |= {int(t) for t in np.flatnonzero((ahead & (row < first)).any(axis=1)[:stop])[-1:]}
        inside = np.flatnonzero((ahead & (row > first)).any(axis=1)[:stop])
        halted |= {int(inside[chance.integers(len(inside))])} if len(inside) else set()
    return sorted({*sorted(unlisted)[-1:], *sorted(halted)[-GAPS:]})


def _between(decided: Sequence[int], chance: np.random.Generator) -> list[int]:
    """One decision out of each of `SPREAD` equal parts of all."""
    edges = np.linspace(0, len(decided), SPREAD + 1).astype(int)
    parts = [(low, high) for low, high in pairwise(edges) if high > low]
    return [decided[int(chance.integers(low, high))] for low, high in parts]


def _start(bar: int, span: Range, decided: Sequence[int]) -> int | None:
    if not span.t0 <= bar < span.t1:
        return None
    earlier = int(np.searchsorted(np.asarray(decided, dtype=np.int64), bar, side="right"))
    return int(decided[earlier - BACK]) if earlier > BACK else span.t0
