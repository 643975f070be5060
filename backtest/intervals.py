"""How far each headline metric could have lain elsewhere by luck: percentiles over resampled bars.

What depends on the order of bars (drawdown, Calmar, Ulcer) is no mean of bars: resampling it gives a range of what
other orders would have shown, and no confidence interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.bootstrap import DRAWS, decay_of, guide_of, mean_block
from backtest.metric_paths import KEYS, SUMS, resample_metrics
from backtest.metrics import IN_BPS
from backtest.quantiles import quantiles
from backtest.runner import Judged
from backtest.seed_books import books_of
from backtest.series import Floats, simple_returns
from backtest.statistics import ALPHA, FLOOR
from simulator.ledger import Ledger

RANGES = frozenset({"max_drawdown", "calmar", "ulcer"})
"""Resampled ranges; the others are 95 % confidence intervals."""
INTERVAL, SEEDS_FIXED = "interval", "seeds_fixed"
"""Kinds of the others: all luck is in it, or that of the bars alone, given the seeds that there are."""


@dataclass(frozen=True)
class Interval:
    """Limits of one metric in its own unit; `error` is the standard deviation over the paths. None where undefined."""

    key: str
    kind: str  # "interval" | "range" | "seeds_fixed"
    low: float | None
    high: float | None
    error: float | None


Intervals = tuple[Interval, ...]


def metric_intervals(
    judged: Sequence[Judged], rf: Floats, *, periods: float, paths: int, seed: int, block: float | None
) -> list[Intervals]:
    """For each strategy the intervals of `metric_paths.KEYS`, `rf` (n,); one index sequence of PCG64(seed) for all.

    Of several seeds each path takes the median of the seeds' own, so that an interval belongs to the metric beside it.
    The paths redraw bars and no seeds, so that it is too narrow for what another training would show: its kind says so.
    `block`: the mean block of the excesses, so that path k holds the same bars as path k of theirs; None takes that of
    the strategies' own log returns.
    """
    books = [books_of(one.ledger) for one in judged]
    flat = [(book, _returns(one, book)) for one, own in zip(judged, books, strict=True) for book in own]
    growth = np.column_stack([1.0 + returns for _, returns in flat])
    if block is None:
        block = mean_block(np.log(np.maximum(growth, 1.0 + FLOOR)))[0]
    columns = np.stack([_columns(book, returns, rf) for book, returns in flat], axis=1)
    found = _paths(columns, growth, block, periods, paths, seed)
    ends = np.cumsum([len(own) for own in books])
    parts = np.split(found, ends[:-1], axis=1)
    return [_summarise(_middle(part), INTERVAL if part.shape[1] == 1 else SEEDS_FIXED) for part in parts]


def _middle(part: Floats) -> Floats:
    """(paths, seeds, metrics) → (paths, metrics), the median over the seeds."""
    if part.shape[1] == 1:
        return part[:, 0]  # np.median imports what a baseline's run does not need
    middle: Floats = np.median(part, axis=1)
    return middle


def _returns(one: Judged, book: Ledger) -> Floats:
    return one.returns if book is one.ledger else simple_returns(book.equity)


def _columns(ledger: Ledger, r: Floats, rf: Floats) -> Floats:
    """(n, 8) in the order of `metric_paths.SUMS`; turnover and costs in the shares of mean equity that metrics sum."""
    x = r - rf
    mean = float(ledger.equity.mean())
    share = 1.0 / mean if mean > 0 else math.nan
    paid = np.diff(ledger.costs - ledger.financing) * share * IN_BPS
    found: Floats = np.column_stack((
        np.log1p(np.maximum(r, FLOOR)), r, r**2, x, x**2, np.minimum(x, 0.0) ** 2, ledger.traded[1:] * share, paid,
    ))  # fmt: skip
    return found


def _paths(columns: Floats, growth: Floats, block: float, periods: float, paths: int, seed: int) -> Floats:
    """(paths, S, 10) of `columns` (n, S, 8) and `growth` (n, S)."""
    n, count = growth.shape
    prefix = np.zeros((2 * n + 1, count, SUMS))
    np.cumsum(np.concatenate((columns, columns)), axis=0, out=prefix[1:])
    groups = -(-count // 4)
    fours = np.ones((groups * 4, 2 * n))
    fours[:count] = np.concatenate((growth, growth)).T
    twice = np.ascontiguousarray(fours.reshape(groups, 4, 2 * n).transpose(0, 2, 1))
    out, place, sums = np.empty((paths, count, len(KEYS))), np.array([0, n]), np.zeros((count, SUMS))
    level, deepest, squares = np.ones((groups, 4)), np.ones((groups, 4)), np.zeros((groups, 4))
    source, decay = np.random.PCG64(seed), decay_of(block)
    guide = guide_of(decay)
    while place[0] < paths:
        raw = source.random_raw(DRAWS)
        resample_metrics(raw, prefix, twice, n, decay, guide, periods, place, sums, level, deepest, squares, out)
    return out


def _summarise(paths: Floats, kind: str) -> Intervals:
    """Of (paths, 10); a metric that is undefined in any path has no limits. `kind` of those that are intervals."""
    low, high = quantiles(paths, [ALPHA, 1 - ALPHA])
    error = paths.std(axis=0, ddof=1)
    found = []
    for k, key in enumerate(KEYS):
        whole = bool(np.isfinite(paths[:, k]).all())
        limits = (float(low[k]), float(high[k]), float(error[k])) if whole else (None, None, None)
        found.append(Interval(key, "range" if key in RANGES else kind, *limits))
    return tuple(found)
