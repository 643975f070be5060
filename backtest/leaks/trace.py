"""A strategy run over a window, with everything it said and saw on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from backtest.leaks.probes import Numbers, Probed
from backtest.runner import run_prepared
from backtest.strategy import Floats, Several, Strategy
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.ledger import Ledger
from simulator.market import Market


@dataclass
class Trace:
    """By bar: the target or action (None: nothing is changed) and the parts of the observation behind it."""

    ledger: Ledger
    decided: Mapping[int, Floats | None] = field(default_factory=dict)
    observed: Mapping[int, Mapping[str, Numbers]] = field(default_factory=dict)


class Recorder:
    """The strategy itself to the runner; keeps what goes through."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self.key, self.layers = strategy.key, strategy.layers
        self.decided: dict[int, Floats | None] = {}
        self.observed: dict[int, Mapping[str, Numbers]] = {}

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        self._strategy.prepare(market, config)

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
        return Trace(run_prepared(strategy, market, config, first, last)[0])
    recorder = Recorder(strategy)
    ledger = run_prepared(recorder, market, config, first, last)[0]
    return Trace(ledger, recorder.decided, recorder.observed)


def decision_bars(found: Trace) -> list[int]:
    """Bars at which something was said; of a fund of books, at which something was ordered."""
    if found.decided:
        return sorted(t for t, target in found.decided.items() if target is not None)
    return sorted({int(t) for t in found.ledger.orders.decided})
