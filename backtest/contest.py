"""Subject and baselines side by side: run once for the verdict, and again under other rules or on other days."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from backtest.config import JudgedConfig
from backtest.lineup import wanted_baselines
from backtest.metrics import Metrics, compute
from backtest.registry import load, spec_for
from backtest.runner import Judged, Runner, Spread, notes_of, returns_of, run_with_waterfall
from backtest.seed_books import SeedBooks, books_of, medians, returns_by_seed
from backtest.series import Floats
from backtest.short_past import clause
from backtest.statistics import log_excess
from backtest.strategy import Strategy
from backtest.trades import fifo
from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.ledger import Ledger
from simulator.market import Market
from simulator.waterfall import Waterfall

Ledgers = dict[str, Ledger]


Account = tuple[Ledger, Spread | None, Waterfall | None]


def beside(config: JudgedConfig, subject: str) -> tuple[list[str], list[str]]:
    """Keys of the baselines of the report, and of cash and benchmark, the measure of the others, where these are not
    among them and not the subject.
    """
    others = wanted_baselines(config, subject)
    return others, [key for key in ("cash", "benchmark") if key not in others and key != subject]


def first_judged(
    strategies: Sequence[Strategy], run: Callable[[Strategy], Account], config: JudgedConfig, market: Market,
    span: Range, tick: Callable[[], None],
) -> list[Judged]:  # fmt: skip
    """Each strategy run once, with trades and figures; cash and benchmark are among them. `tick` is called after each.

    Raises StrategyUnfit, ConfigFault.
    """
    runs = []
    for strategy in strategies:
        runs.append(run(strategy))
        tick()
    keys = [strategy.key for strategy in strategies]
    rf, benchmark = (returns_of(runs[keys.index(key)][0]) for key in ("cash", "benchmark"))
    chosen = config.evaluation
    found = []
    for strategy, key, (ledger, spread, waterfall) in zip(strategies, keys, runs, strict=True):
        trades = fifo(ledger)
        of_each: list[Metrics] = [
            compute(book, trades if book is ledger else fifo(book), market, benchmark, rf, trials=chosen.trials,
                    variance=chosen.trials_variance)
            for book in books_of(ledger)
        ]  # fmt: skip
        by_seed = tuple(of_each) if isinstance(ledger, SeedBooks) else ()
        short = clause(strategy, span.t0, span.t1)
        notes = (*([short] if short else []), *notes_of(strategy))
        returns = returns_of(ledger)
        spec, metrics = spec_for(key), of_each[0]
        if by_seed:
            spec = dataclasses.replace(spec, label=f"{spec.label} ({len(by_seed)} seeds)")
            metrics = medians(by_seed)
        found.append(Judged(spec, ledger, trades, metrics, returns, spread, waterfall, notes, by_seed))
    return found


class Contest:
    """The subject first, then the baselines of the report; then cash and benchmark, the measure of the others."""

    def __init__(self, config: JudgedConfig, subject: Strategy) -> None:
        others, extra = beside(config, subject.key)
        self.config = config
        self.subject = subject
        self.shown: tuple[str, ...] = (subject.key, *others)
        self.strategies: list[Strategy] = [subject, *(load(key)(config) for key in (*others, *extra))]
        self._runner = Runner(config)

    def judge(self, market: Market, span: Range, tick: Callable[[], None]) -> list[Judged]:
        """The first run, with trades and figures; `tick` is called after each strategy.

        Raises StrategyUnfit, ConfigFault.
        """
        return first_judged(
            self.strategies, lambda strategy: self._first_run(strategy, market, span), self.config, market, span, tick
        )

    def _first_run(self, strategy: Strategy, market: Market, span: Range) -> Account:
        """A waterfall is kept of the subject alone, and only where it is asked for."""
        if strategy is self.subject and self.config.evaluation.waterfall:
            ledger, waterfall = run_with_waterfall(strategy, market, self.config, span.t0, span.t1)
            return ledger, None, waterfall
        return (*self._runner.run(strategy, market, self.config, span.t0, span.t1), None)

    def alone(self, key: str, market: Market, span: Range) -> Ledger:
        """One of the strategies, from cash, over another range."""
        strategy = next(one for one in self.strategies if one.key == key)
        return self._runner.run(strategy, market, self.config, span.t0, span.t1)[0]

    @property
    def compared(self) -> list[Strategy]:
        """The strategies of the report."""
        return [strategy for strategy in self.strategies if strategy.key in self.shown]

    def again(self, market: Market, config: SimulatorConfig, span: Range) -> Ledgers:
        """The strategies of the report once more, each from cash, under other rules or over another range."""
        return {
            strategy.key: self._runner.run(strategy, market, config, span.t0, span.t1)[0] for strategy in self.compared
        }


def least_excess(ledgers: Ledgers, subject: str, against: Sequence[str], periods: float) -> tuple[float, str] | None:
    """(theta, baseline) of the baseline that is hardest to beat, a logarithm a year; None without a baseline."""
    if not against:
        return None
    baselines: Floats = np.column_stack([returns_of(ledgers[key]) for key in against])
    theta = log_excess(returns_by_seed(ledgers[subject]), baselines).mean(axis=0) * periods
    best = int(np.argmin(theta))
    return float(theta[best]), against[best]
