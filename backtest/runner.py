"""Runs strategies over ranges and keeps what came of it."""

from dataclasses import dataclass, field

import numpy as np

from backtest.metrics import Metrics
from backtest.random_fund import add_up
from backtest.registry import StrategySpec
from backtest.seed_books import SeedBooks
from backtest.series import Floats, simple_returns
from backtest.strategy import Outsider, Pilot, Seeded, Several, Strategy, Telling
from backtest.trades import Trades
from marketdata.config_base import ConfigFault
from simulator.books import ActionError
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import Market
from simulator.waterfall import MAX_CELLS, Waterfall

Decided = dict[tuple[int, int], Decisions]
"""One strategy's targets by first decision and last mark."""


class StrategyUnfit(ValueError):
    """The strategy cannot act on this market; the message is one sentence."""


@dataclass(frozen=True)
class Spread:
    """Total returns (fractions) of the books that a fund is made of."""

    books: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Judged:
    """A strategy with its account, trades and figures over the range; `returns` (N,) of a bar.

    `notes`: what it has to say of its own decisions, clauses for the stamps. `by_seed`: the metrics of each seed, of
    which `metrics` are the medians; empty of a strategy without seeds.
    """

    spec: StrategySpec
    ledger: Ledger
    trades: Trades
    metrics: Metrics
    returns: Floats
    spread: Spread | None = None
    waterfall: Waterfall | None = None
    notes: tuple[str, ...] = ()
    by_seed: tuple[Metrics, ...] = ()

    @property
    def key(self) -> str:
        return self.spec.key


def run_with_spread(
    strategy: Strategy, market: Market, config: SimulatorConfig, t0: int, t1: int
) -> tuple[Ledger, Spread | None]:
    """The ledger from all cash at the close of t0 to the mark of t1, and for a fund of books how far these lie apart.

    Raises StrategyUnfit, also for an action that is not finite or has the wrong shape, and ConfigFault.
    """
    return Runner(config).run(strategy, market, config, t0, t1)


@dataclass(frozen=True)
class _Kept:
    """A strategy that has looked at the bars, and what it has decided since."""

    strategy: Strategy
    decided: Decided = field(default_factory=dict)


class Runner:
    """Runs strategies again and again over the same bars: other costs, latency or money, or other ranges.

    A strategy looks at the bars once, under `config`, whatever it is then run under: a policy is refused a state of
    its book that it was not trained on, and a rule that is only tried must not show it one. Targets that do not depend
    on a book are decided once a range and kept; one that looks at its book acts anew.
    """

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._kept: dict[int, _Kept] = {}

    def run(
        self, strategy: Strategy, market: Market, config: SimulatorConfig, t0: int, t1: int
    ) -> tuple[Ledger, Spread | None]:
        """As `run_with_spread`; between calls `market` may differ in its costs, `config` in start cash and latency.

        No other rule may, as targets that were kept could hang on it.
        """
        if id(strategy) not in self._kept:  # two strategies may have one key; a kept one's id is nobody else's
            prepare(strategy, market, self._config)
            self._kept[id(strategy)] = _Kept(strategy)
        return run_prepared(strategy, market, config, t0, t1, self._kept[id(strategy)].decided)


def run_prepared(
    strategy: Strategy, market: Market, config: SimulatorConfig, t0: int, t1: int, decided: Decided | None = None
) -> tuple[Ledger, Spread | None]:
    """As `run_with_spread`, of a strategy that `prepare` has shown this market.

    `decided` keeps its targets that do not depend on a book, for the next run over the same range.
    """
    try:
        return _run(strategy, market, config, t0, t1, {} if decided is None else decided)
    except ActionError as fault:
        raise StrategyUnfit(f"{strategy.key}: {fault}.") from fault


def _run(
    strategy: Strategy, market: Market, config: SimulatorConfig, t0: int, t1: int, decided: Decided
) -> tuple[Ledger, Spread | None]:
    if isinstance(strategy, Seeded):
        return SeedBooks.of(strategy.books(market, config, t0, t1), strategy.seeds), None
    if isinstance(strategy, Several):
        books = strategy.books(market, config, t0, t1)
        return add_up(books), _spread(books)
    market = _market_for(strategy, market)
    known = decided.get((t0, t1)) or strategy.decisions(market, t0, t1)
    if known is None:
        return _step_through(strategy, BookSession(market, config, t0, t1, strategy.layers)), None
    decided[t0, t1] = known
    return run_decisions(market, config, known, t0, t1), None


def _market_for(strategy: Strategy, market: Market) -> Market:
    """What it may buy: all that the market offers, and for an outsider what it brings along."""
    return strategy.market_for(market) if isinstance(strategy, Outsider) else market


def run_with_waterfall(
    strategy: Strategy, market: Market, config: SimulatorConfig, t0: int, t1: int
) -> tuple[Ledger, Waterfall]:
    """The ledger, stepped decision by decision, and what each layer did to each of them.

    Raises StrategyUnfit, ConfigFault.
    """
    cells = (t1 - t0) * market.n_assets
    if isinstance(strategy, Several):
        sentence = f"{strategy.key} is several books, which have no decision in common."
        raise ConfigFault({"evaluation.waterfall": [sentence]})
    if cells > MAX_CELLS:
        sentence = f"A waterfall holds at most {MAX_CELLS:,} bars times symbols; this range has {cells:,}."
        raise ConfigFault({"evaluation.waterfall": [sentence]})
    prepare(strategy, market, config)
    market = _market_for(strategy, market)
    session = BookSession(market, config, t0, t1, strategy.layers, trail=True)
    try:
        decisions = strategy.decisions(market, t0, t1)
        if decisions is None:
            ledger = _step_through(strategy, session)
        else:
            said = dict(zip(decisions.bars.tolist(), decisions.targets, strict=True))
            while not session.done:
                session.step(said.get(session.t))
            ledger = session.ledger()
    except ActionError as fault:
        raise StrategyUnfit(f"{strategy.key}: {fault}.") from fault
    return ledger, session.waterfall()


def prepare(strategy: Strategy, market: Market, config: SimulatorConfig) -> None:
    """Let a strategy look at its market. Raises StrategyUnfit, ConfigFault."""
    try:
        strategy.prepare(market, config)
    except ConfigFault:
        raise
    except ValueError as fault:
        raise StrategyUnfit(str(fault)) from fault


def _step_through(strategy: Strategy, session: BookSession) -> Ledger:
    if isinstance(strategy, Pilot):
        strategy.fly(session)
    while not session.done:
        session.step(None if session.terminated else strategy.decide(session.t, session))
    return session.ledger()


def _spread(books: list[Ledger]) -> Spread:
    totals = [simple_total(book) for book in books]
    return Spread(len(books), min(totals), float(np.median(totals)), max(totals))


def simple_total(ledger: Ledger) -> float:
    """E_N / E_0 - 1, at least -1."""
    return max(float(ledger.equity[-1] / ledger.equity[0]) - 1.0, -1.0)


def notes_of(strategy: Strategy) -> tuple[str, ...]:
    """What a strategy tells of the decisions it has made."""
    return tuple(strategy.notes()) if isinstance(strategy, Telling) else ()


def returns_of(ledger: Ledger) -> Floats:
    """(N,) returns of a bar."""
    returns: Floats = simple_returns(ledger.equity)
    return returns
