"""Features alone, at hundreds of cuts: they are functions of columns, so that short panels do.

A peek of one bar shows only in the row of the last known bar, and a peek on rare bars only there. So the features are
made on stretches of bars that start anywhere, with the warm-up they need and with a known bar more each time, and, one
by one on all bars, up to the bars at which they say something unusual. In both the same panel with its later bars is
the measure, to the bit.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.leaks.alter import WORDS, alter
from backtest.leaks.compare import Difference, tables, when
from backtest.leaks.probes import Table
from marketdata.bars import Bars, Floats
from marketdata.features import FeaturePlan, build_features

CUTS = 300
"""In stretches: a peek on one bar in a hundred is missed by all of them once in twenty times."""
BLOCK = 30
"""Cuts of one stretch, one bar after the other: they share the panel that they are held against."""
MOST = 20_000
"""Cuts times features times symbols: with very many features there are fewer cuts, and the report says how many."""
SYMBOLS = 2
UNUSUAL, UNUSUAL_SYMBOLS = 3, 4
"""Cuts of a feature at bars where it is unusual, and symbols that are looked at there."""
_HOW = "truncated"

Build = Callable[[Bars, FeaturePlan], Floats]


@dataclass(frozen=True)
class Searched:
    """`cut` bars in stretches of the `of` bars that features are read at; `cases`: comparisons, the first one that
    fails is `difference`.
    """

    cut: int
    of: int
    cases: int
    difference: Difference | None


def built(bars: Bars, plan: FeaturePlan) -> Floats:
    """(T, A, F) in this process."""
    return build_features(bars, plan).values


def search(bars: Bars, plan: FeaturePlan, chance: np.random.Generator, build: Build = built) -> Searched:
    """All cuts of all features; stops at the first difference. `build` raises ValueError where it cannot."""
    usable = bars.n_bars - 1 - plan.warmup
    if usable < 1:
        return Searched(0, 0, 0, None)
    cases, seen = 0, set[int]()
    for start, length in _stretches(bars, plan, chance):
        panel = _rows(_some(bars, start, SYMBOLS, chance), start, start + plan.warmup + length + 1)
        whole = build(panel, plan)
        for cut in range(plan.warmup, plan.warmup + length):
            cases += 1
            seen.add(start + cut)
            if found := _difference(panel, plan, whole, cut, build):
                return Searched(len(seen), usable, cases, found)
    for call in plan.calls:
        alone = FeaturePlan((call,), ())
        panel = _rows(_some(bars, 0, UNUSUAL_SYMBOLS, chance), 0, bars.n_bars)
        whole = build(panel, alone)
        for cut in unusual(whole[:-1, :, 0], UNUSUAL, chance):
            cases += 1
            if found := _difference(panel, alone, whole, cut, build):
                return Searched(len(seen), usable, cases, found)
    return Searched(len(seen), usable, cases, None)


def unusual(values: Floats, count: int, chance: np.random.Generator) -> list[int]:
    """Up to `count` rows of (T, A): where most values are one and the same, those with another, else those with the
    largest step.
    """
    known = np.isfinite(values)
    if not known.any():
        return []
    each, times = np.unique(values[known], return_counts=True)
    if 2 * times.max() > times.sum():
        rare = np.flatnonzero((known & (values != each[times.argmax()])).any(axis=1))
        return [int(t) for t in np.sort(chance.choice(rare, min(count, len(rare)), replace=False))]
    step = np.abs(np.diff(values, axis=0))
    largest: NDArray[np.float64] = np.where(np.isfinite(step), step, -1.0).max(axis=1)
    return sorted(int(t) + 1 for t in np.argsort(-largest, kind="stable")[:count] if largest[t] >= 0)


def _stretches(bars: Bars, plan: FeaturePlan, chance: np.random.Generator) -> list[tuple[int, int]]:
    """First bar and number of cuts of each."""
    count = min(CUTS, max(MOST // (len(plan.calls) * SYMBOLS), BLOCK))
    length = min(BLOCK, bars.n_bars - 1 - plan.warmup)
    last = bars.n_bars - (plan.warmup + length + 1)
    return [(int(chance.integers(last + 1)), length) for _ in range(count // BLOCK)]


def _some(bars: Bars, start: int, count: int, chance: np.random.Generator) -> Bars:
    """The bars of a few symbols, drawn from those that are there at the start where these are enough."""
    there = np.flatnonzero(bars.present[start])
    among: Sequence[int] | NDArray[np.intp] = there if len(there) >= count else np.arange(bars.n_assets)
    chosen = np.sort(chance.choice(among, min(count, bars.n_assets), replace=False))
    return bars.select([bars.symbols[int(a)] for a in chosen])


def _rows(bars: Bars, start: int, stop: int) -> Bars:
    """The bars start..stop-1, without what is recorded of ends."""
    return dataclasses.replace(bars.rows(start, stop), delistings={})


def _difference(panel: Bars, plan: FeaturePlan, whole: Floats, cut: int, build: Build) -> Difference | None:
    how = WORDS[_HOW].format(day=when(panel, cut))
    known = alter(panel, cut, _HOW, np.random.default_rng(0))
    try:
        values = build(known, plan)
    except ValueError as fault:
        return Difference(f"features: they cannot be made when {how} ({fault})")
    true = Table(whole, plan.names, panel.known_at)
    return tables("features", true, Table(values, plan.names, known.known_at), panel, cut, how)
