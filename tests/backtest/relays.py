"""Policies by hand that may take a book over from each other."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel

from backtest.relay import Leg, Relay
from marketdata.config import FeaturesConfig
from runfiles.policy_list import Start
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import Market


class Holds:
    """All of the book in one asset, and what the relay asks of a policy; `looked` are the closes it was shown."""

    key, layers = "policy", "mandate"

    def __init__(self, asset: int, *, seen: tuple[int, int] = (0, -1), lookback: int = 4, steps: int = 0,
                 told: int | None = None) -> None:  # fmt: skip
        self.asset, self._seen, self.steps, self._told = asset, seen, steps, told
        self.sees = FeaturesConfig(lookback=lookback)
        self.looked: list[int] = []
        self.decided: list[int] = []

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        self.market = market

    def decisions(self, market: Market, t0: int, t1: int) -> None:
        return None

    def decide(self, t: int, session: BookSession) -> Any:
        self.decided.append(t)
        return np.eye(session.market.n_assets)[self.asset]

    def watch(self, session: BookSession) -> None:
        self.looked.append(session.t)

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        return sum(self._seen[0] <= t <= self._seen[1] for t in range(t0 + 1, t1 + 1))

    def learned_spans(self) -> tuple[tuple[str, dt.date, dt.date], ...]:
        return (("train", dt.date(2019, 1, 2), dt.date(2019, 6, 3)),)

    def trained_symbols(self) -> tuple[str, ...]:
        return ("S0", "S1")

    def taught(self) -> Mapping[str, BaseModel] | None:
        """Any settings that tell one from another; None without `told`."""
        return None if self._told is None else {"features": FeaturesConfig(lookback=self._told)}

    def family(self) -> tuple[int, ...]:
        return ()


def relay(market: Market, begins: Sequence[int], policies: Sequence[Any]) -> Relay:
    """Each policy in charge from the bar beside it on."""
    session = market.bars.session
    legs = []
    for fold, (bar, policy) in enumerate(zip(begins, policies, strict=True), start=1):
        place = bar - int(np.searchsorted(session, session[bar], side="left"))
        legs.append(Leg(Start(fold, session[bar].item(), place), policy))
    return Relay(legs)
