"""A strategy run over a window, with everything it said and saw on the way; also on bars whose future is altered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.leaks.alter import alter
from backtest.leaks.probes import Numbers, Probed
from backtest.runner import StrategyUnfit, prepare, run_prepared
from backtest.strategy import Floats, Outsider, Several, Strategy
from marketdata.bars import Bars
from marketdata.config_base import ConfigFault
from simulator.books import ActionError
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.ledger import Ledger, Orders
from simulator.market import Market

COLUMNS = (
    "equity", "cash", "gross_value", "net_value", "traded", "fees", "spread", "impact", "borrow", "interest", "shares"
)  # fmt: skip
"""What is compared of a ledger, beside its orders."""

MakeMarket = Callable[[Bars, SimulatorConfig], Market]


@dataclass(frozen=True)
class Book:
    """What is compared of a ledger: `columns` (N+1, ...) by name, their row 0 the bar `t0`, and all orders."""

    t0: int
    columns: Mapping[str, NDArray[Any]]
    orders: Orders

    @classmethod
    def of(cls, ledger: Ledger) -> "Book":
        return cls(ledger.t0, {name: getattr(ledger, name) for name in COLUMNS}, ledger.orders)


@dataclass
class Trace:
    """By bar: the target or action (None: nothing is changed) and the parts of the observation behind it."""

    book: Book
    decided: Mapping[int, Floats | None] = field(default_factory=dict)
    observed: Mapping[int, Mapping[str, Numbers]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A run on the bars as they are altered after the close of `cut` by `mode` and `seed`; on the true ones with None.

    The book goes from all cash at the close of `first` to the mark of `last`; `first` None: the strategy is only
    prepared, as nothing is decided there.
    """

    cut: int
    mode: str | None
    first: int | None
    last: int
    seed: int


@dataclass(frozen=True)
class Unmade:
    """A run that could not be made, and what was said."""

    why: str


Outcome = Trace | Unmade | None


class Recorder:
    """The strategy itself to the runner; keeps what goes through."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self.key, self.layers = strategy.key, strategy.layers
        self.decided: dict[int, Floats | None] = {}
        self.observed: dict[int, Mapping[str, Numbers]] = {}

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        self._strategy.prepare(market, config)

    def market_for(self, market: Market) -> Market:
        return self._strategy.market_for(market) if isinstance(self._strategy, Outsider) else market

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        found = self._strategy.decisions(market, t0, t1)
        if found is not None:
            self.decided = {int(t): np.array(row) for t, row in zip(found.bars, found.targets, strict=True)}
        return found

    def decide(self, t: int, session: BookSession) -> Floats | None:
        found = self._strategy.decide(t, session)
        self.decided[t] = None if found is None else np.array(found)
        if isinstance(self._strategy, Probed):
            self.observed[t] = {name: np.array(value) for name, value in self._strategy.observed().items()}
        return found


def trace(strategy: Strategy, market: Market, config: SimulatorConfig, first: int, last: int) -> Trace:
    """A prepared strategy from all cash at the close of `first` to the mark of `last`.

    A fund of books is one thing to the runner, so that only its ledger is seen. Raises what the strategy raises.
    """
    if isinstance(strategy, Several):
        return Trace(Book.of(run_prepared(strategy, market, config, first, last)[0]))
    recorder = Recorder(strategy)
    ledger = run_prepared(recorder, market, config, first, last)[0]
    return Trace(Book.of(ledger), recorder.decided, recorder.observed)


def rerun(ask: Ask, strategy: Strategy, bars: Bars, config: SimulatorConfig, make_market: MakeMarket) -> Outcome:
    """The strategy prepared for the bars that are asked for, and run there."""
    try:
        if ask.mode is not None:
            bars = alter(bars, ask.cut, ask.mode, np.random.default_rng(ask.seed), config.exec.latency_bars)
        market = make_market(bars, config)
        prepare(strategy, market, config)
        return None if ask.first is None else trace(strategy, market, config, ask.first, ask.last)
    except (ConfigFault, StrategyUnfit, ActionError, ValueError, IndexError) as fault:
        return Unmade(str(fault))


def decision_bars(found: Trace) -> list[int]:
    """Bars at which something was said; of a fund of books, at which something was ordered."""
    if found.decided:
        return sorted(t for t, target in found.decided.items() if target is not None)
    return sorted({int(t) for t in found.book.orders.decided})


def largest_changes(found: Trace, count: int) -> list[int]:
    """Up to `count` bars whose target lies farthest from the one before: a peek on rare bars shows there."""
    bars = decision_bars(found)
    said = [found.decided.get(t) for t in bars]
    if len(bars) < 2 or any(row is None for row in said):
        return []
    moved = np.abs(np.diff(np.array(said), axis=0)).sum(axis=1)
    return [bars[int(i) + 1] for i in np.argsort(-moved, kind="stable")[:count]]
