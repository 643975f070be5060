"""Crises run again: each window is a book of its own from cash, for the subject and every baseline beside it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backtest.config import JudgedConfig
from backtest.contest import Contest, least_excess
from backtest.crises import Crisis, window
from backtest.metrics import cost_figures
from backtest.rerun import cost_of_value
from backtest.runner import StrategyUnfit, returns_of, simple_total
from backtest.seed_books import medians_of
from backtest.short_past import sentence
from backtest.statistics import optional
from backtest.strategy import Learned
from backtest.yardsticks import cut_sentence, filled_share, yardsticks
from marketdata.config_base import ConfigFault
from marketdata.splits import Range, range_between
from simulator.ledger import Ledger
from simulator.market import Market


@dataclass(frozen=True)
class Stressed:
    """A strategy's own book over a window; `max_drawdown` is a fraction <= 0, `cost_bps` of the value traded,
    `filled` the share of the value ordered that found a fill.
    """

    strategy: str
    total_return: float
    max_drawdown: float
    volatility: float | None
    turnover: float | None
    cost_bps: float | None
    filled: float | None
    n_orders: float


@dataclass(frozen=True)
class StressRow:
    """`status` `run`, or `left_out` with the reason in `note`, which also names baselines that had too little past and
    those that could not buy what they wanted.

    `seen`: bars that a policy was trained or selected on.
    `start` and `end` are the first decision and the last mark where it was run, else the days asked for.
    """

    window: str
    label: str
    start: str
    end: str
    source: str
    status: str
    note: str
    n_bars: int
    seen: int
    excess: float | None
    baseline: str | None
    strategies: tuple[Stressed, ...]


def stress(
    contest: Contest, market: Market, against: Sequence[str], needed: int, tick: Callable[[], None]
) -> tuple[StressRow, ...]:
    """A row for each of `evaluation.stress_windows`, in the order asked for; `needed` bars before a first decision."""
    config: JudgedConfig = contest.config
    rows = []
    for text in config.evaluation.stress_windows:
        rows.append(_row(contest, market, window(text), against, needed))
        tick()
    return tuple(rows)


def _row(contest: Contest, market: Market, crisis: Crisis, against: Sequence[str], needed: int) -> StressRow:
    session = market.bars.session
    first, last = session[0].item(), session[-1].item()
    if crisis.start < first or crisis.end > last:
        return _left_out(crisis, f"The data reach from {first} to {last} only.")
    if needed >= len(session) or crisis.start < session[needed].item():
        return _left_out(crisis, f"It begins too early: the policy needs {needed} bars before its first decision.")
    try:
        span = range_between(session, crisis.start, crisis.end)
        ledgers = contest.again(market, contest.config, span)
    except ConfigFault as fault:
        return _left_out(crisis, next(iter(fault.errors.values()))[0])
    except StrategyUnfit as fault:
        return _left_out(crisis, f"{str(fault).rstrip('.')}.")
    subject = contest.subject
    seen = subject.seen_bars(market, span.t0, span.t1) if isinstance(subject, Learned) else 0
    least = least_excess(ledgers, subject.key, against, market.periods_per_year)
    excess, baseline = (None, None) if least is None else (of_window(least[0], span, market), least[1])
    notes = ["In training: the policy was made from bars of this window."] if seen else []
    notes += [short] if (short := sentence(contest.compared, span.t0, span.t1)) else []
    measures = [key for key in yardsticks(subject.key, against, contest.config.evaluation.benchmark) if key in ledgers]
    notes += [cut] if (cut := cut_sentence(ledgers, measures)) else []
    cells = tuple(_stressed(key, ledgers[key], market.periods_per_year) for key in contest.shown)
    return StressRow(
        window=crisis.key,
        label=crisis.label,
        start=str(session[span.t0]),
        end=str(session[span.t1]),
        source=crisis.source,
        status="run",
        note=" ".join(notes),
        n_bars=span.n_bars,
        seen=seen,
        excess=excess,
        baseline=baseline,
        strategies=cells,
    )


def of_window(theta: float, span: Range, market: Market) -> float:
    """Ratio of growths over the window less 1, from a logarithm a year: a crisis is no rate."""
    return math.expm1(theta * span.n_bars / market.periods_per_year)


def _stressed(key: str, ledger: Ledger, periods: float) -> Stressed:
    """Of several seeds the median of each figure, as their metrics are."""
    found = medians_of(ledger, lambda book: _figures(book, periods))
    return Stressed(
        strategy=key,
        total_return=found["total_return"],
        max_drawdown=found["max_drawdown"],
        volatility=optional(found["volatility"]),
        turnover=optional(found["turnover"]),
        cost_bps=optional(found["cost_bps"]),
        filled=optional(found["filled"]),
        n_orders=found["n_orders"],
    )


def _figures(book: Ledger, periods: float) -> dict[str, float]:
    """Of one account, NaN where undefined."""
    return {
        "total_return": simple_total(book),
        "max_drawdown": float(book.drawdown.min()),
        "volatility": float(returns_of(book).std(ddof=1)) * math.sqrt(periods),
        "turnover": cost_figures(book, periods)["turnover"],
        "cost_bps": cost_of_value(book),
        "filled": filled_share(book),
        "n_orders": len(book.orders),
    }


def _left_out(crisis: Crisis, note: str) -> StressRow:
    return StressRow(
        window=crisis.key,
        label=crisis.label,
        start=crisis.start.isoformat(),
        end=crisis.end.isoformat(),
        source=crisis.source,
        status="left_out",
        note=note,
        n_bars=0,
        seen=0,
        excess=None,
        baseline=None,
        strategies=(),
    )
