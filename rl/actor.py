"""A policy at work: from a book at the close of t to its mean action, and whole episodes of it."""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from rl.acting import Net, answer
from rl.date_parts import DateParts, one_thread
from rl.flight import fly
from rl.observation import Windows
from rl.observation_layout import ObservationLayout
from rl.observer import Observer
from rl.rewards import log_growth
from rl.tail import taken_apart
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import Market

Action = NDArray[np.float64]


class Mind(Protocol):
    """How a network comes to its mean action on one book."""

    def action(self, bar: int, observer: Observer) -> Action:
        """Raw action (width,) on what `observer` saw last, at `bar`."""

    def fly(self, session: BookSession, observer: Observer) -> None:
        """Steps a book that lives on by a bar or more."""


class Actor:
    """The mean action of `policy` on one book.

    The same book at the same date gives the same bits, on every count of threads and wherever its episode began.
    """

    def __init__(self, policy: BasePolicy, layout: ObservationLayout, windows: Windows, market: Market) -> None:
        policy.set_training_mode(False)
        self.observer = Observer(layout, windows, market)
        apart = taken_apart(policy, layout)
        self._mind: Mind
        if apart is None:
            self._mind = _Whole(policy)
        else:
            self._mind = _Apart(DateParts(apart[0], windows, policy.device), apart[1])

    def decide(self, session: BookSession) -> Action | None:
        """Raw action (width,) of the policy for the book's present close; None once the book has ended."""
        if session.terminated:
            return None
        self.observer.observe(session)
        return self._mind.action(session.t, self.observer)

    def fly(self, session: BookSession) -> None:
        """Step a book to its last mark or its end, bar for bar and to the bit as by `decide`. Raises ActionError."""
        while not session.done and not session.terminated:
            self._mind.fly(session, self.observer)


class _Apart:
    """What the layers of windows make of a date once, the rest compiled."""

    def __init__(self, dates: DateParts, net: Net) -> None:
        self._dates, self._net = dates, net

    def action(self, bar: int, observer: Observer) -> Action:
        stretch = self._dates.at(bar)
        answer(stretch.seen[bar - stretch.first], observer.eyes.row[0], self._net)
        return np.array(self._net.action[0])

    def fly(self, session: BookSession, observer: Observer) -> None:
        stretch = self._dates.at(session.t)
        session.fly(stretch.end, fly, observer.eyes, self._net, stretch.seen, stretch.first)
        if session.t < min(stretch.end, session.t1) and not session.terminated:
            session.step(self._net.action[0])  # which is no number: this says of what


class _Whole:
    """A network that is not one of ours: one forward pass of one row for each decision."""

    def __init__(self, policy: BasePolicy) -> None:
        self._policy = policy
        self._bounds = policy.action_space if isinstance(policy.action_space, spaces.Box) else None

    def action(self, bar: int, observer: Observer) -> Action:
        with one_thread(), torch.inference_mode():
            seen = {key: torch.from_numpy(value).to(self._policy.device) for key, value in observer.last.items()}
            action = self._policy._predict(seen, deterministic=True)[0].cpu().numpy()
        if self._bounds is not None:
            action = np.clip(action, self._bounds.low, self._bounds.high)
        return np.asarray(action, dtype=np.float64)

    def fly(self, session: BookSession, observer: Observer) -> None:
        observer.observe(session)
        session.step(self.action(session.t, observer))


class Episode(NamedTuple):
    """One episode from cash: `score`, the mean log return a bar, and `weights` (N, A) at the closes after its bars."""

    score: float
    weights: NDArray[np.float64]


def whole_episode(actor: Actor, market: Market, config: SimulatorConfig, t0: int, t1: int) -> Episode:
    """Of a policy by its mean action from t0 to t1, at full costs. Bars after an early end score 0."""
    session = BookSession(market, config, t0, t1, layers="policy")
    actor.fly(session)
    lived = session.t - t0
    while not session.done:
        session.step(None)
    ledger = session.ledger()
    growth = log_growth(ledger.equity[1 : lived + 1], ledger.equity[:lived])
    return Episode(float(growth.sum()) / (t1 - t0), ledger.weights[1 : lived + 1])
