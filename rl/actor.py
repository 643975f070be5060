"""A policy at work: from a book at the close of t to the raw mean action, by one forward pass of one row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy

from rl.observation import Windows
from rl.observation_layout import ObservationLayout
from rl.observer import Observer
from rl.rewards import log_growth
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import Market


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch, whatever the process has been given: sums split over threads end in other bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Actor:
    """The mean action of `policy` on one book.

    Always one row at a time on one thread, so that the same book gives the same bits on every count of threads.
    """

    def __init__(self, policy: BasePolicy, layout: ObservationLayout, windows: Windows, market: Market) -> None:
        self._policy, self._device = policy, policy.device
        self._policy.set_training_mode(False)
        self.observer = Observer(layout, windows, market)
        self._bounds = policy.action_space if isinstance(policy.action_space, spaces.Box) else None

    def decide(self, session: BookSession) -> NDArray[np.float64] | None:
        """Raw action (width,) of the policy for the book's present close; None once the book has ended."""
        if session.terminated:
            return None
        observation = self.observer.observe(session)
        with one_thread(), torch.inference_mode():
            tensors = {key: torch.from_numpy(value).to(self._device) for key, value in observation.items()}
            action = self._policy._predict(tensors, deterministic=True)[0].cpu().numpy()
        if self._bounds is not None:
            action = np.clip(action, self._bounds.low, self._bounds.high)
        return np.asarray(action, dtype=np.float64)


class Episode(NamedTuple):
    """One episode from cash: `score`, the mean log return a bar, and `weights` (N, A) at the closes after its bars."""

    score: float
    weights: NDArray[np.float64]


def whole_episode(actor: Actor, market: Market, config: SimulatorConfig, t0: int, t1: int) -> Episode:
    """Of a policy by its mean action from t0 to t1, at full costs. Bars after an early end score 0."""
    session = BookSession(market, config, t0, t1, layers="policy")
    equity, weights = [session.equity], []
    while not session.done and not session.terminated:
        session.step(actor.decide(session))
        equity.append(session.equity)
        weights.append(session.weights)
    path = np.array(equity)
    return Episode(float(log_growth(path[1:], path[:-1]).sum()) / (t1 - t0), np.array(weights))
