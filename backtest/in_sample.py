"""The subject on the bars that it was trained on, for the diagnosis alone: no figure of a report rests on it."""

from dataclasses import dataclass

import numpy as np

from backtest.contest import Contest
from backtest.runner import returns_of
from backtest.seed_books import books_of
from backtest.series import sharpe_sortino
from backtest.statistics import optional
from backtest.strategy import Remembers, Strategy, Travelled
from marketdata.bars import Days
from marketdata.splits import LEAST_BARS, Range
from simulator.market import Market


@dataclass(frozen=True)
class InSample:
    """Run again from cash over the training range, at the costs of the report: Sharpe a year, the median of several
    seeds; None where undefined.
    """

    n_bars: int
    sharpe: float | None


def in_sample(contest: Contest, market: Market, needed: int) -> InSample | None:
    """None for a subject that learned from nothing, and for one whose training days or symbols are not all here.

    `needed`: bars that must lie before a first decision. Raises StrategyUnfit, ConfigFault.
    """
    subject = contest.subject
    if isinstance(subject, Travelled) and set(subject.trained_symbols()) != set(market.symbols):
        return None
    span = _training_range(subject, market.bars.session)
    if span is None or span.t0 < needed or span.n_bars < LEAST_BARS:
        return None
    own, cash = (contest.alone(key, market, span) for key in (subject.key, "cash"))
    rf, periods = returns_of(cash), market.periods_per_year
    sharpes = [sharpe_sortino(returns_of(book), rf, periods)[0] for book in books_of(own)]
    return InSample(span.n_bars, optional(float(np.median(sharpes))))


def _training_range(subject: Strategy, session: Days) -> Range | None:
    """From the first to the last bar of its training days; None where one of the two has no bar here."""
    learned = subject.learned_spans() if isinstance(subject, Remembers) else ()
    for role, start, end in learned:
        first = int(np.searchsorted(session, np.datetime64(start, "D"), side="left"))
        last = int(np.searchsorted(session, np.datetime64(end, "D"), side="right")) - 1
        if role == "train" and session[first : first + 1].tolist() + session[last : last + 1].tolist() == [start, end]:
            return Range(first, last)
    return None
