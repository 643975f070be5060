"""R7: one trained policy over the whole panel, beside SB3's `predict` and the same simulator, a decision at a time.

Ours is a whole episode, what is made of every date included and made anew each time. The reference is the loop that a
user of SB3 writes: `PPO.load`, `predict(deterministic=True)` on what a training's environment shows, one step of that
environment. The network of R1 is the figure of R7; the others are beside it. Equality, which voids the figure: every
action over the panel to 1e-6, on the same books; and the equity of both at every close, each with a book of its own.
"""

import importlib.metadata
from pathlib import Path

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger

from benchmarks.figure import Figure, Goal, Work
from benchmarks.timing import clock, interleave, measure
from benchmarks.training_process import LOOKBACK, NEAR, task
from rl.actor import Actor
from rl.config import TrainingConfig
from rl.episodes import Episodes
from rl.model_config import ModelConfig
from rl.ppo import make_model
from rl.task import Task
from simulator.engine import BookSession

R7 = Work("R7", "a policy over 20 x 8,313 bars, flat network", "decisions/s", "rate", Goal(30, "ratio"))
NO_SLOWER = Goal(1, "ratio")
WORKS = {
    "mlp": R7,
    "asset_shared": Work("R7-shared", "over 2,000 of them, asset_shared", "decisions/s", "rate", NO_SLOWER),
    "set_attention": Work("R7-attention", "the same, set_attention", "decisions/s", "rate", NO_SLOWER),
    "window_cnn": Work("R7-cnn", "the same, window_cnn", "decisions/s", "rate", NO_SLOWER),
    "window_lstm": Work("R7-lstm", "the same, window_lstm", "decisions/s", "rate", NO_SLOWER),
}
BEGIN = LOOKBACK + 20
TRAINED, BOOKS = 16_384, 64
FEWER = 2000
"""Decisions of the networks beside R7."""
STEPS = 500
"""Decisions of a turn of the reference; its time for one does not depend on how many there are."""
SAME_PATH = 1e-6


def run(folder: Path, wanted: list[str]) -> list[Figure]:
    """The figure of R7 and those of the other networks."""
    seen = task()
    versions = {name: importlib.metadata.version(name) for name in ("torch", "stable_baselines3", "numpy", "numba")}
    return [figure(work, trained(seen, policy), seen, folder, versions) for policy, work in WORKS.items()]


def trained(seen: Task, policy: str) -> PPO:
    settings = ModelConfig.model_validate({"policy": policy, "n_steps": TRAINED // BOOKS // 4, "batch_size": 1024})
    model = make_model(seen, settings, TrainingConfig(n_envs=BOOKS))
    model.set_logger(Logger(None, []))
    return model.learn(TRAINED)


def figure(work: Work, model: PPO, seen: Task, folder: Path, versions: dict[str, str]) -> Figure:
    model.save(folder / "policy.zip", exclude=["rollout_buffer_class", "rollout_buffer_kwargs"])
    end = seen.market.n_bars - 1 if work is R7 else BEGIN + FEWER
    loop = PredictLoop(PPO.load(folder / "policy.zip", device="cpu"), seen, end)

    def clocks() -> tuple[float, float]:
        loop.begin()
        mine, theirs = interleave(
            clock(lambda: whole(model, seen, end)), clock(lambda: loop.go(STEPS)), rounds=3, ours_a_round=3
        )
        return mine / (end - BEGIN), theirs / STEPS

    return measure(work, lambda: differences(model, loop, seen, end), clocks, lambda seconds: 1.0 / seconds, versions)


def whole(model: PPO, seen: Task, end: int) -> BookSession:
    """An episode to the close of `end` by an actor that has seen no date of it."""
    session = BookSession(seen.market, seen.config, BEGIN, end)
    Actor(model.policy, seen.layout, seen.windows, seen.market).fly(session)
    return session


class PredictLoop:
    """SB3's loop: predict, step, look."""

    def __init__(self, stock: PPO, seen: Task, end: int) -> None:
        self._stock, self._seen, self._end = stock, seen, end
        self.episodes = Episodes(seen, 1)
        self.begin()

    def begin(self) -> None:
        """All cash at the first bar."""
        self.episodes.begin(np.zeros(1, np.int64), np.array([BEGIN]), np.array([self._end - BEGIN]))

    def predict(self) -> np.ndarray:
        sight = self.episodes.sight()
        observation = {"window": self._seen.windows.gather(sight.bars), "portfolio": sight.portfolio}
        action: np.ndarray = self._stock.predict(observation, deterministic=True)[0]
        return action

    def go(self, steps: int) -> None:
        """So many decisions on, anew from the first bar where the bars end."""
        if int(self.episodes.books.t[0]) + steps > self._end:
            self.begin()
        for _ in range(steps):
            self.episodes.step(self.predict().astype(np.float64))


def differences(model: PPO, loop: PredictLoop, seen: Task, end: int) -> list[str]:
    """Sentences where an action or the equity is another one."""
    actor, worst, equity = Actor(model.policy, seen.layout, seen.windows, seen.market), 0.0, []
    session = BookSession(seen.market, seen.config, BEGIN, end)
    loop.begin()
    while not session.done:
        wanted, acted = loop.predict(), actor.decide(session)
        worst = max(worst, float(np.abs(acted - wanted[0]).max()) if acted is not None else np.inf)
        session.step(acted)
        loop.episodes.step(wanted.astype(np.float64))
        equity.append(float(loop.episodes.books.equity[0]))
    found = [f"an action is {worst:.1e} from that of PPO.load"] if worst > NEAR else []
    apart = float(np.abs(whole(model, seen, end).ledger().equity[1:] / np.array(equity) - 1.0).max())
    return found + ([f"the equity is {apart:.1e} apart"] if apart > SAME_PATH else [])
