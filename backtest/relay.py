"""A walk-forward as one subject: a policy for each fold, and one book that is handed on from one to the next.

At a fold's first decision its policy takes charge of the account as it stands, positions and all, and pays for what it
changes. Nothing starts again from cash, so that the curve is one that somebody could have had.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from pydantic import BaseModel

from backtest.registry import POLICY
from backtest.runner import prepare
from backtest.seeds import TrainedPolicy, made_by
from backtest.strategy import Floats, Trained, Turn
from marketdata.bars import Days
from marketdata.config import FeaturesConfig
from marketdata.splits import Range
from runfiles.policy_list import Start
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market


class FoldPolicy(TrainedPolicy, Trained, Protocol):
    """A policy that may take a book over."""

    def watch(self, session: BookSession) -> None:
        """See a close at which another decides. Called once a bar, in order."""


@dataclass(frozen=True)
class Leg:
    """A fold's policy, in charge from `start` on."""

    start: Start
    policy: FoldPolicy


class Relay:
    """The policies of a walk-forward's folds, in order of time. Before the first fold its policy is in charge."""

    key = POLICY

    def __init__(self, legs: Sequence[Leg]) -> None:
        """Raises ValueError with one sentence where they were not trained alike."""
        self.legs = tuple(legs)
        first = self.legs[0].policy
        self.layers = first.layers
        self._starts: list[int] = []
        of_first = made_by(first)
        for leg in self.legs:
            theirs = made_by(leg.policy).items()
            if other := [name for name, value in theirs if name != "days" and value != of_first[name]]:
                raise ValueError(f"fold {leg.start.fold} was trained with other {', '.join(other)} than fold 1")

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Each looks at the market. Raises StrategyUnfit, ConfigFault."""
        for leg in self.legs:
            prepare(leg.policy, market, config)
        self._starts = [first_bar(leg.start, market.bars.session) for leg in self.legs]

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """None: each of the policies looks at the book. Raises ConfigFault as they do."""
        for turn in self.turns(market.bars.session, t0, t1):
            turn.strategy.decisions(market, turn.span.t0, turn.span.t1)
        return None

    def decide(self, t: int, session: BookSession) -> Floats | None:
        """What the policy in charge says at the close of t; the others look on, so that they know the book."""
        acting = max(bisect_right(self._starts, t) - 1, 0)
        for place, leg in enumerate(self.legs):
            if place != acting:
                leg.policy.watch(session)
        return self.legs[acting].policy.decide(t, session)

    def turns(self, session: Days, t0: int, t1: int) -> tuple[Turn, ...]:
        """Who is in charge of which decisions; a fold without one of them is left out."""
        starts = [t0, *(min(max(first_bar(leg.start, session), t0), t1) for leg in self.legs[1:]), t1]
        return tuple(
            Turn(leg.start.fold, leg.policy, Range(first, last))
            for leg, (first, last) in zip(self.legs, pairwise(starts), strict=True)
            if first < last
        )

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        """Of bars that the policy then in charge was trained or selected on."""
        legs = {leg.start.fold: leg.policy for leg in self.legs}
        return sum(
            legs[turn.fold].seen_bars(market, turn.span.t0, turn.span.t1)
            for turn in self.turns(market.bars.session, t0, t1)
        )

    def learned_spans(self) -> tuple[tuple[str, dt.date, dt.date], ...]:
        """Of a single fold; several have no range in common, and each of their turns tells its own."""
        return self.legs[0].policy.learned_spans() if len(self.legs) == 1 else ()

    @property
    def sees(self) -> FeaturesConfig:
        return self.legs[0].policy.sees

    def trained_symbols(self) -> tuple[str, ...]:
        return self.legs[0].policy.trained_symbols()

    def taught(self) -> Mapping[str, BaseModel] | None:
        """How they were trained, which is the same for all."""
        return self.legs[0].policy.taught()

    def family(self) -> tuple[int, ...]:
        """The seed of this book and the others of the same training, which are the same in all folds."""
        return self.legs[0].policy.family()


def first_bar(start: Start, session: Days) -> int:
    """The bar of `session` (T,) at which a fold begins; on bars without that day the first one after it, T for none."""
    day = np.datetime64(start.day, "D")
    first, after = (int(np.searchsorted(session, day, side=side)) for side in ("left", "right"))
    return min(first + start.bar, after)
