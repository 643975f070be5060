"""How the judged bars were set apart: scheme, ranges, what lies between them, and each fold of a walk-forward."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.config import JudgedConfig
from backtest.feed import Feed, plan_for
from backtest.runner import Judged
from backtest.seed_books import medians_of, returns_by_seed
from backtest.statistics import log_excess
from backtest.strategy import Relayed, Remembers, Seeded, Strategy, Trained
from marketdata.bars import Days
from marketdata.config import FeaturesConfig
from marketdata.splits import Range
from marketdata.walk_forward import make_folds
from simulator.ledger import Ledger

DATES, FILE = "dates", "file"


@dataclass(frozen=True)
class Stretch:
    """`role` `train`, `validation` or `test`; first decision and last mark as days. `gap`: bars since the last mark of
    the range before it on this dataset, None for the first; below 0 where they overlap.
    """

    role: str
    start: str
    end: str
    n_bars: int
    gap: int | None


@dataclass(frozen=True)
class LearnedFrom:
    """A range that a policy learned from, `role` train or validation, as days; both are counted."""

    role: str
    start: str
    end: str


@dataclass(frozen=True)
class Fold:
    """A test fold within the one book: return and excess over its days, no rate a year; the excess is over `baseline`,
    the hardest there. Of several seeds the return is the median. `learned_until`: the last day that something judged in
    this fold may have learned from.

    `learned`: what the policy in charge did learn from, `steps`: at which step of its training it was chosen, by seed;
    both empty of what was not trained.
    """

    fold: int
    start: str
    end: str
    n_bars: int
    learned_until: str
    total_return: float
    excess: float | None
    baseline: str | None
    learned: tuple[LearnedFrom, ...] = ()
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Split:
    """`scheme` of `split.scheme`, `dates` where start and end were given, or `file` for the days of an imported result.
    `lookback` is purged between ranges and `embargo` left out beside it, in bars; None with dates and files, which
    leave nothing out.
    """

    scheme: str
    lookback: int | None
    embargo: int | None
    train_window: str | None
    ranges: tuple[Stretch, ...]
    folds: tuple[Fold, ...]


def split_of(
    config: JudgedConfig, feed: Feed, span: Range, subject: Strategy, judged: Sequence[Judged],
    against: Sequence[str], features: FeaturesConfig | None,
) -> Split:  # fmt: skip
    """`judged` begins with the subject; `against` are the baselines of the verdict; `features` those of a policy."""
    ranges = _ranges(feed.bars.session, span, subject)
    if getattr(config, "start", None) is not None:
        return Split(DATES, None, None, None, ranges, ())
    lookback = 0 if features is None else features.lookback
    walks = config.split.scheme == "walk_forward"
    folds = _folds(config, feed, span, subject, judged, against, features) if walks else ()
    window = config.split.train_window if walks else None
    return Split(config.split.scheme, lookback, config.split.embargo_bars, window, ranges, folds)


def _ranges(session: Days, span: Range, subject: Strategy) -> tuple[Stretch, ...]:
    """What the subject remembers to have learned from, then what it is judged on."""
    found: list[Stretch] = []
    last: int | None = None
    learned = subject.learned_spans() if isinstance(subject, Remembers) else ()
    for role, start, end in learned:
        first, mark = (int(np.searchsorted(session, np.datetime64(day, "D"))) for day in (start, end))
        found.append(Stretch(role, str(start), str(end), mark - first, None if last is None else first - last))
        last = mark
    gap = None if last is None else span.t0 - last
    return (*found, Stretch("test", str(session[span.t0]), str(session[span.t1]), span.n_bars, gap))


def _folds(
    config: JudgedConfig, feed: Feed, span: Range, subject: Strategy, judged: Sequence[Judged], against: Sequence[str],
    features: FeaturesConfig | None,
) -> tuple[Fold, ...]:  # fmt: skip
    session = feed.bars.session
    lookback, warmup = (0, 0) if features is None else (features.lookback, plan_for(features, feed.bars).warmup)
    ranges = enumerate(make_folds(config.split, session, lookback=lookback, warmup=warmup), start=1)
    by_key = {one.key: one.returns for one in judged}
    gaps = (
        log_excess(returns_by_seed(judged[0].ledger), np.column_stack([by_key[key] for key in against]))
        if against
        else None
    )
    found = []
    for number, one in ranges:
        if config.split.fold not in (None, number):
            continue
        begin, end = one.test.t0 - span.t0, one.test.t1 - span.t0
        theta = None if gaps is None else gaps[begin:end].sum(axis=0)
        best = None if theta is None else int(np.argmin(theta))
        found.append(Fold(
            number, str(session[one.test.t0]), str(session[one.test.t1]), one.test.n_bars,
            str(session[one.validation.t1]), _made(judged[0].ledger, begin, end),
            None if theta is None or best is None else math.expm1(float(theta[best])),
            None if best is None else against[best],
            *_in_charge(subject, session, one.test),
        ))  # fmt: skip
    return tuple(found)


def _in_charge(subject: Strategy, session: Days, fold: Range) -> tuple[tuple[LearnedFrom, ...], tuple[int, ...]]:
    """What the policies that decide first in a fold learned from, and their steps, one a seed."""
    of_seeds = subject.members if isinstance(subject, Seeded) else (subject,)
    policies = [
        one.turns(session, fold.t0, fold.t1)[0].strategy if isinstance(one, Relayed) else one for one in of_seeds
    ]
    trained = [one for one in policies if isinstance(one, Trained)]
    if not trained:
        return (), ()
    spans = tuple(LearnedFrom(role, str(start), str(end)) for role, start, end in trained[0].learned_spans())
    return spans, tuple(one.steps for one in trained)


def _made(ledger: Ledger, begin: int, end: int) -> float:
    """Last equity over the first, less one, at least -1; of several seeds the median."""

    def made(book: Ledger) -> dict[str, float]:
        first, last = book.equity[begin], book.equity[end]
        return {"made": max(float(last / first) - 1.0, -1.0) if first > 0 else -1.0}

    return medians_of(ledger, made)["made"]
