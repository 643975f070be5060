"""What stands behind the verdict: intervals, parts of each account, and everything run again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.breakdown import (
    Drawdowns,
    Periods,
    Sides,
    Symbols,
    costs_of,
    drawdowns_of,
    periods_of,
    sides_of,
    symbols_of,
)
from backtest.config import JudgedConfig
from backtest.contest import Contest
from backtest.intervals import Intervals, metric_intervals
from backtest.rerun import Capacity, DelayRow, Reruns, Sweep, why_no_capacity
from backtest.rolling import rolling_figures, window_bars
from backtest.runner import Judged
from backtest.seed_books import returns_by_seed
from backtest.series import Floats
from backtest.statistics import Excess
from backtest.stress import StressRow, stress
from marketdata.splits import Range
from simulator.market import Market

BISECTIONS = 15
"""Re-runs that a break-even may take: [0, 20] halved until it is known to 1 %."""


@dataclass(frozen=True)
class Parts:
    """One strategy's account in parts. `rolling` (max(n-W+1, 0), 3), its rows at the bars t0+W..t1; `costs` money and
    bps a year, each (5,).
    """

    intervals: Intervals
    periods: Periods
    drawdowns: Drawdowns
    rolling: Floats
    costs: tuple[Floats, Floats]
    sides: Sides
    symbols: Symbols


@dataclass(frozen=True)
class Evidence:
    """`parts` in the order of the judged; `window` bars of the rolling figures."""

    parts: tuple[Parts, ...]
    window: int
    sweep: Sweep
    delays: tuple[DelayRow, ...]
    capacity: Capacity
    stress: tuple[StressRow, ...]


def rounds(config: JudgedConfig, market: Market, indices: Sequence[str]) -> int:
    """How many ticks `gather` gives at most."""
    chosen = config.evaluation
    sweep = len(chosen.cost_multipliers) + BISECTIONS if chosen.cost_multipliers else 0
    capacity = 0 if why_no_capacity(market, indices) else len(chosen.capacity_multipliers)
    return sweep + len(chosen.delays) + capacity + len(chosen.stress_windows)


def gather(
    contest: Contest, market: Market, span: Range, judged: list[Judged], against: tuple[str, ...],
    excess: Excess | None, needed: int, indices: Sequence[str], tick: Callable[[], None],
) -> Evidence:  # fmt: skip
    """All evidence; `judged` holds cash and benchmark in any case, the evidence is that of the report's strategies.

    `needed`: bars that must lie before a first decision. `indices`: symbols that cannot be bought.
    Raises StrategyUnfit, ConfigFault.
    """
    chosen, by_key = contest.config.evaluation, {one.key: one for one in judged}
    shown = [by_key[key] for key in contest.shown]
    rf, benchmark = by_key["cash"].returns, by_key["benchmark"].returns
    periods = market.periods_per_year
    intervals = metric_intervals(
        shown, rf, periods=periods, paths=chosen.metric_bootstrap_paths, seed=chosen.seed,
        block=None if excess is None else excess.mean_block,
    )  # fmt: skip
    window = window_bars(chosen.rolling_window, periods)
    fee = contest.config.fees.borrow_fee_apr
    parts = [
        parts_of(one, found, market, rf, benchmark, window, fee) for one, found in zip(shown, intervals, strict=True)
    ]
    reruns = Reruns(contest, market, span, against, rf, {one.key: one.ledger for one in judged})
    return Evidence(
        tuple(parts),
        window,
        reruns.sweep(chosen.cost_multipliers, tick),
        reruns.delays(chosen.delays, tick),
        reruns.capacity(chosen.capacity_multipliers, tick, why_no_capacity(market, indices)),
        stress(contest, market, against, needed, tick),
    )


def parts_of(
    one: Judged, intervals: Intervals, market: Market, rf: Floats, benchmark: Floats, window: int, borrow_fee: float
) -> Parts:
    """The parts of one account; `borrow_fee` is a fraction a year."""
    periods = market.periods_per_year
    short = len(one.returns) < window
    rolling = one.returns[:0].reshape(0, 3) if short else _rolling(one, rf, benchmark, window, periods)
    return Parts(
        intervals, periods_of(one.ledger, market), drawdowns_of(one.ledger), rolling, costs_of(one.ledger, periods),
        sides_of(one.ledger, one.trades, market), symbols_of(one.ledger, one.trades, market, borrow_fee),
    )  # fmt: skip


def _rolling(one: Judged, rf: Floats, benchmark: Floats, window: int, periods: float) -> Floats:
    """Of several seeds the median of each figure at each bar, as their metrics are."""
    each = returns_by_seed(one.ledger)
    if each.ndim == 1:
        alone: Floats = rolling_figures(one.returns, rf, benchmark, window, periods)
        return alone
    middle: Floats = np.median([rolling_figures(own, rf, benchmark, window, periods) for own in each], axis=0)
    return middle
