"""Everything run again: under other costs, with later decisions, and with more money.

A policy sees its book, so it acts anew each time.

A multiple is one of fees, spread and impact. A maker rebate is income and stays as it is; the grid of ticks is a rule
of the market and stays too, at 0 times the costs as well, so that the rows hang together.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.config import JudgedConfig
from backtest.contest import Contest, Ledgers, least_excess
from backtest.metrics import IN_BPS, cost_figures
from backtest.runner import returns_of, simple_total
from backtest.seed_books import medians_of
from backtest.series import Floats, growth_a_year, sharpe_sortino
from backtest.statistics import grown, optional
from backtest.yardsticks import filled_share
from marketdata.splits import Range
from simulator.ledger import Ledger
from simulator.market import Market, at_cost

MOST = 20.0
"""Costs beyond this multiple of the configured ones are not looked at."""
CLOSE, CLOSEST = 0.01, 0.001
"""The break-even is known to this share of itself, and no closer than this multiple."""
Tick = Callable[[], None]


@dataclass(frozen=True)
class Rerun:
    """One strategy of one re-run. `cost_bps`: fees, spread and impact over the value traded; `filled`: share of the
    shares ordered, by value at the reference price, that found a fill. None where nothing was traded or ordered.
    """

    strategy: str
    total_return: float
    cagr: float
    sharpe: float | None
    turnover: float | None
    cost_drag_bps: float | None
    cost_bps: float | None
    filled: float | None


@dataclass(frozen=True)
class Row:
    """All strategies at one multiplier, the subject first; excess a year over the hardest baseline, None without."""

    multiplier: float
    excess_per_year: float | None
    baseline: str | None
    strategies: tuple[Rerun, ...]


@dataclass(frozen=True)
class DelayRow:
    """All strategies with every decision `bars` bars later than configured, as in `Row`."""

    bars: int
    excess_per_year: float | None
    baseline: str | None
    strategies: tuple[Rerun, ...]


@dataclass(frozen=True)
class BreakEven:
    """`status`: `found`; `none`, no excess even at 0 times the costs; `beyond`, an excess still at 20 times the costs;
    `unknown`, no baseline of the verdict, or the subject pays nothing that is multiplied. `cost_bps` per traded value
    at `multiplier`.
    """

    status: str
    multiplier: float | None
    cost_bps: float | None


@dataclass(frozen=True)
class Sweep:
    rows: tuple[Row, ...]
    break_even: BreakEven | None


@dataclass(frozen=True)
class Capacity:
    """`modelled` False: `reason` is `no_volume`, so that size would cost nothing, or `index`, whose volume times its
    level is no money that changed hands; no rows then.
    """

    modelled: bool
    reason: str
    rows: tuple[Row, ...]


def why_no_capacity(market: Market, indices: Sequence[str]) -> str:
    """The reason of `Capacity`; empty where there is none. `indices` are symbols of the run that cannot be bought."""
    if not market.needs_volume:
        return "no_volume"
    return "index" if indices else ""


class Reruns:
    """The contest over one range under changed rules. `first` are the ledgers of the judgement itself."""

    def __init__(
        self, contest: Contest, market: Market, span: Range, against: Sequence[str], rf: Floats, first: Ledgers
    ) -> None:
        self._contest, self._market, self._span = contest, market, span
        self._against, self._rf, self._first = against, rf, first
        self._config: JudgedConfig = contest.config

    def sweep(self, multipliers: Sequence[float], tick: Tick) -> Sweep:
        """Costs times each multiplier, and the multiplier at which the excess reaches 0."""
        if not multipliers:
            return Sweep((), None)
        rows = []
        for multiplier in multipliers:
            rows.append(self._row(multiplier, self._at_cost(multiplier)))
            tick()
        return Sweep(tuple(rows), self._break_even(tick))

    def delays(self, bars: Sequence[int], tick: Tick) -> tuple[DelayRow, ...]:
        """As configured (0), then with the orders of every decision so many bars later; empty where none is asked.

        Orders of the last decisions do not fill before the range ends.
        """
        if not bars:
            return ()
        rows = [DelayRow(0, *self._shown(self._first))]
        for more in bars:
            rows.append(DelayRow(more, *self._shown(self._delayed(more))))
            tick()
        return tuple(rows)

    def capacity(self, multipliers: Sequence[float], tick: Tick, why_not: str) -> Capacity:
        """Start cash times each multiplier; the volume stays what it was. `why_not`: of `why_no_capacity`."""
        if why_not:
            return Capacity(False, why_not, ())
        rows = []
        for multiplier in multipliers:
            rows.append(self._row(multiplier, self._with_cash(multiplier)))
            tick()
        return Capacity(True, "", tuple(rows))

    def _at_cost(self, multiplier: float) -> Ledgers:
        if multiplier == self._market.cost_multiplier:
            return self._first
        return self._contest.again(at_cost(self._market, self._config, multiplier), self._config, self._span)

    def _with_cash(self, multiplier: float) -> Ledgers:
        if multiplier == 1.0:
            return self._first
        episode = self._config.episode
        richer = episode.model_copy(update={"start_cash": episode.start_cash * multiplier})
        return self._contest.again(self._market, self._config.model_copy(update={"episode": richer}), self._span)

    def _delayed(self, more: int) -> Ledgers:
        """A policy keeps the eyes of its training: without latency there, it sees nothing of orders under way."""
        execution = self._config.exec
        later = execution.model_copy(update={"latency_bars": execution.latency_bars + more})
        return self._contest.again(self._market, self._config.model_copy(update={"exec": later}), self._span)

    def _theta(self, ledgers: Ledgers) -> float:
        least = least_excess(ledgers, self._contest.subject.key, self._against, self._market.periods_per_year)
        return math.nan if least is None else least[0]

    def _row(self, multiplier: float, ledgers: Ledgers) -> Row:
        return Row(multiplier, *self._shown(ledgers))

    def _shown(self, ledgers: Ledgers) -> tuple[float | None, str | None, tuple[Rerun, ...]]:
        """Excess a year, the hardest baseline, and the figures of all."""
        least = least_excess(ledgers, self._contest.subject.key, self._against, self._market.periods_per_year)
        excess, baseline = (None, None) if least is None else (grown(least[0]), least[1])
        periods = self._market.periods_per_year
        return excess, baseline, tuple(figures(key, ledgers[key], self._rf, periods) for key in self._contest.shown)

    def _break_even(self, tick: Tick) -> BreakEven:
        """Bisection of re-runs in [0, 20], to 1 % of the multiplier."""
        if not self._against:
            return BreakEven("unknown", None, None)
        free = self._at_cost(0.0)
        if not self._theta(free) > 0:
            return BreakEven("none", None, None)
        far = self._at_cost(MOST)
        tick()
        if self._theta(far) > 0:
            own = self._contest.subject.key
            pays = not np.array_equal(free[own].equity, far[own].equity)
            return BreakEven("beyond" if pays else "unknown", None, None)
        low, high, ledgers = 0.0, MOST, far
        while high - low > max(CLOSE * high, CLOSEST):
            middle = (low + high) / 2
            tried = self._at_cost(middle)
            if self._theta(tried) > 0:
                low = middle
            else:
                high, ledgers = middle, tried
            tick()
        return BreakEven("found", high, optional(self._paid(ledgers)))

    def _paid(self, ledgers: Ledgers) -> float:
        """The subject's cost of the value traded, of several seeds their median."""
        own = ledgers[self._contest.subject.key]
        return medians_of(own, lambda book: {"paid": cost_of_value(book)})["paid"]


def figures(key: str, ledger: Ledger, rf: Floats, periods: float) -> Rerun:
    """What a re-run is told by: of several seeds the median of each figure, as their metrics are."""
    found = medians_of(ledger, lambda book: _figures(book, rf, periods))
    total, growth = found.pop("total_return"), found.pop("cagr")
    return Rerun(key, total, growth, **{name: optional(value) for name, value in found.items()})


def _figures(book: Ledger, rf: Floats, periods: float) -> dict[str, float]:
    """Of one account, NaN where undefined, in the order of `Rerun`."""
    costs = cost_figures(book, periods)
    return {
        "total_return": simple_total(book),
        "cagr": float(growth_a_year(float(book.equity[0]), float(book.equity[-1]), book.n_bars, periods)),
        "sharpe": sharpe_sortino(returns_of(book), rf, periods)[0],
        "turnover": costs["turnover"],
        "cost_drag_bps": costs["cost_drag_bps"],
        "cost_bps": cost_of_value(book),
        "filled": filled_share(book),
    }


def cost_of_value(ledger: Ledger) -> float:
    """Fees, spread and impact in bps of the value traded; NaN where nothing was."""
    traded = float(ledger.traded.sum())
    return float(ledger.costs[-1]) / traded * IN_BPS if traded > 0 else math.nan
