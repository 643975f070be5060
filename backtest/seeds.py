"""A policy that was trained with several seeds, as one subject, and how it is run."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from backtest.registry import POLICY
from backtest.runner import prepare, run_prepared
from backtest.strategy import Learned, Related, Remembers, Sees, Strategy, Taught, Travelled
from marketdata.config import FeaturesConfig
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.ledger import Ledger
from simulator.market import Market


class TrainedPolicy(Strategy, Learned, Related, Remembers, Sees, Taught, Travelled, Protocol):
    """What a policy's file gives (rl.policy_strategy), and what a relay of such policies gives (backtest.relay)."""


class SeveralSeeds:
    """Policies that differ in their seed alone, each with a book of its own from the whole start."""

    key = POLICY

    def __init__(self, members: Mapping[int, TrainedPolicy]) -> None:
        """Raises ValueError with one sentence where they were not trained alike."""
        self.seeds = tuple(members)
        self.members: tuple[TrainedPolicy, ...] = tuple(members.values())
        self.layers = self.members[0].layers
        of_first = made_by(self.members[0])
        for seed, one in members.items():
            if other := [name for name, value in made_by(one).items() if value != of_first[name]]:
                raise ValueError(f"seed {seed} was trained with other {', '.join(other)} than seed {self.seeds[0]}")

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Each looks at the market. Raises StrategyUnfit, ConfigFault."""
        for one in self.members:
            prepare(one, market, config)

    def books(self, market: Market, config: SimulatorConfig, t0: int, t1: int) -> list[Ledger]:
        """The ledger of each seed, as that of a training with this seed alone."""
        return [run_prepared(one, market, config, t0, t1)[0] for one in self.members]

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        raise TypeError("several seeds share no decision; run them with `books`")

    def decide(self, t: int, session: BookSession) -> None:
        raise TypeError("several seeds share no decision; run them with `books`")

    @property
    def sees(self) -> FeaturesConfig:
        return self.members[0].sees

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        """Of bars that any of them was trained or selected on; they all have the same days."""
        return self.members[0].seen_bars(market, t0, t1)

    def learned_spans(self) -> tuple[tuple[str, dt.date, dt.date], ...]:
        return self.members[0].learned_spans()

    def trained_symbols(self) -> tuple[str, ...]:
        return self.members[0].trained_symbols()

    def taught(self) -> Mapping[str, BaseModel] | None:
        """How they were trained, with all of their seeds."""
        beside = tuple(seed for seed in self.family() if seed not in self.seeds)
        return _with_seeds(self.members[0].taught(), self.seeds, beside)

    def family(self) -> tuple[int, ...]:
        """These seeds, then what else any of them was trained beside."""
        others = {seed for one in self.members for seed in one.family()} - set(self.seeds)
        return (*self.seeds, *sorted(others))


def made_by(one: TrainedPolicy) -> dict[str, Any]:
    """What must be the same of all seeds, by the words for it; of all folds too, but for the days."""
    return {
        "features": one.sees,
        "days": one.learned_spans(),
        "symbols": one.trained_symbols(),
        "layers": one.layers,
        "settings": _with_seeds(one.taught(), (), ()),
    }


def _with_seeds(
    taught: Mapping[str, BaseModel] | None, seeds: tuple[int, ...], siblings: tuple[int, ...]
) -> Mapping[str, BaseModel] | None:
    if taught is None or "training" not in taught:
        return taught
    return {**taught, "training": taught["training"].model_copy(update={"seeds": seeds, "siblings": siblings})}
