"""A training that leaves nothing behind but its policy: the weights that `rl.training.train` would keep of it."""

import gc
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import BasePolicy
from torch import Tensor

from marketdata.splits import Range
from rl.actor import Actor, whole_episode
from rl.callbacks import NEWS_EVERY_S, Selection
from rl.config import TrainConfig
from rl.ppo import make_model, total_steps
from rl.task import Task
from rl.training import TrainingDiverged, diverged
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.ledger import Ledger
from simulator.market import Market

Told = Callable[[int], None]


class LearnedHere:
    """A policy as a strategy (backtest.strategy) of the one task that it was trained on."""

    key = "policy"
    layers = "policy"

    def __init__(self, policy: BasePolicy, task: Task) -> None:
        self._policy, self._task = policy, task

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """It knows its market already."""
        self._actor = Actor(self._policy, self._task.layout, self._task.windows, market)

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """None: what it does depends on its book."""
        return None

    def decide(self, t: int, session: BookSession) -> NDArray[np.float64] | None:
        return self._actor.decide(session)


class LearnedBySeeds:
    """Policies that differ in their seed alone, each with a book of its own."""

    key = LearnedHere.key
    layers = LearnedHere.layers

    def __init__(self, seeds: tuple[int, ...], members: tuple[LearnedHere, ...]) -> None:
        self.seeds, self.members = seeds, members

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        for one in self.members:
            one.prepare(market, config)

    def books(self, market: Market, config: SimulatorConfig, t0: int, t1: int) -> list[Ledger]:
        """The ledger of each seed."""
        return [_ledger(one, BookSession(market, config, t0, t1, one.layers)) for one in self.members]

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        raise TypeError("several seeds share no decision; run them with `books`")

    def decide(self, t: int, session: BookSession) -> None:
        raise TypeError("several seeds share no decision; run them with `books`")


def _ledger(one: LearnedHere, session: BookSession) -> Ledger:
    while not session.done:
        session.step(None if session.terminated else one.decide(session.t, session))
    return session.ledger()


def learn(task: Task, config: TrainConfig, validation: Range, told: Told) -> LearnedHere:
    """Train with the one seed of `config`; `told` hears once a second how many steps are made.

    Raises TrainingDiverged, and rl.ppo.DeviceMissing.
    """
    model = make_model(task, config.model, config.training)
    model.set_logger(Logger(folder=None, output_formats=[]))
    best: dict[str, Tensor] = {}

    def score() -> float:
        actor = Actor(model.policy, task.layout, task.windows, task.market)
        return whole_episode(actor, task.market, task.config, validation.t0, validation.t1).score

    def keep() -> None:
        best.update({name: value.clone() for name, value in model.policy.state_dict().items()})

    every, patience = config.training.eval_every, config.training.early_stop
    selection = Selection(score, keep, lambda look, is_best: None, every, patience)
    try:
        model.learn(total_steps(config.model, config.training), callback=[_Steps(told), selection])
    except ValueError as error:  # SB3's distributions and our simulator both refuse what is not finite
        if (said := diverged(error, model)) is None:
            raise
        raise TrainingDiverged(said) from error
    finally:
        gc.collect()  # books and rollouts of the training before lie in cycles
    if config.evaluation.policy == "best":
        model.policy.load_state_dict(best)
    return LearnedHere(model.policy, task)


class _Steps(BaseCallback):
    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told, self._last = told, time.monotonic()

    def _on_step(self) -> bool:
        if time.monotonic() - self._last >= NEWS_EVERY_S:
            self._last = time.monotonic()
            self._told(self.num_timesteps)
        return True
