"""Crises run again: each window is a book of its own from cash, for the subject and every baseline beside it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backtest.config import JudgedConfig
from backtest.contest import Contest, least_excess
from backtest.crises import Crisis, window
from backtest.rerun import Rerun, figures
from backtest.runner import StrategyUnfit, returns_of
from backtest.series import Floats
from backtest.strategy import Learned
from marketdata.config_base import ConfigFault
from marketdata.splits import Range, range_between
from simulator.ledger import Ledger
from simulator.market import Market


@dataclass(frozen=True)
class StressCell:
    """A strategy in a window; `max_drawdown` from the start of the window's own book."""

    run: Rerun
    max_drawdown: float
    n_orders: int


@dataclass(frozen=True)
class StressRow:
    """`status` `run`, or `left_out` with the reason in `note`. `seen`: bars that a policy was trained or selected on.

    `start` and `end` are the first decision and the last mark where it was run, else the days asked for.
    """

    key: str
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
    cells: tuple[StressCell, ...]


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
    try:
        span = range_between(session, crisis.start, crisis.end, needed=needed)
        ledgers = contest.again(market, contest.config, span)
    except ConfigFault as fault:
        return _left_out(crisis, next(iter(fault.errors.values()))[0])
    except StrategyUnfit as fault:
        return _left_out(crisis, f"{str(fault).rstrip('.')}.")
    subject = contest.subject
    seen = subject.seen_bars(market, span.t0, span.t1) if isinstance(subject, Learned) else 0
    least = least_excess(ledgers, subject.key, against, market.periods_per_year)
    excess, baseline = (None, None) if least is None else (of_window(least[0], span, market), least[1])
    rf = returns_of(ledgers["cash"]) if "cash" in ledgers else returns_of(ledgers[subject.key]) * 0.0
    cells = tuple(_cell(key, ledgers[key], rf, market.periods_per_year) for key in contest.shown)
    return StressRow(
        crisis.key, crisis.label, str(session[span.t0]), str(session[span.t1]), crisis.source, "run",
        "In training: the policy was made from bars of this window." if seen else "", span.n_bars, seen, excess,
        baseline, cells,
    )  # fmt: skip


def of_window(theta: float, span: Range, market: Market) -> float:
    """Ratio of growths over the window less 1, from a logarithm a year: a crisis is no rate."""
    return math.expm1(theta * span.n_bars / market.periods_per_year)


def _cell(key: str, ledger: Ledger, rf: Floats, periods: float) -> StressCell:
    return StressCell(figures(key, ledger, rf, periods), float(ledger.drawdown.min()), len(ledger.orders))


def _left_out(crisis: Crisis, note: str) -> StressRow:
    start, end = (day.isoformat() for day in (crisis.start, crisis.end))
    return StressRow(crisis.key, crisis.label, start, end, crisis.source, "left_out", note, 0, 0, None, None, ())
