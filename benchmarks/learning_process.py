"""One training of R6 in a process of its own: `python -m benchmarks.learning_process '{"side": "ours", "k": 0, ...}'`.

It looks at held-out bars at the end of an update, every `look_every` steps, outside its clock, and stops when `target`
is captured. It prints `{"curve": [[CPU seconds, steps, capture]], "differences": [...]}`.
"""

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger

from benchmarks.training_process import differences
from marketdata.splits import Ranges, make_ranges
from rl.actor import Actor, whole_episode
from rl.calibrate.attempt import task_of
from rl.calibrate.oracle import Oracle
from rl.calibrate.planted import TEST, VALIDATION, Setup, configuration, planted
from rl.config import TrainConfig
from rl.ppo import make_model, make_stock
from rl.task import Task

KAPPA = 0.9
SETUP = Setup("asset_shared", n_assets=20, lookback=64, n_noise=4)
Point = tuple[float, int, float]
"""CPU seconds, steps, capture."""


@dataclass(frozen=True)
class Asked:
    """Which training: `side` is ours or stock, `k` the seed of market and training; where it ends, when it looks."""

    side: str
    k: int
    batch: int
    learning_rate: float
    steps: int
    target: float
    look_every: int = 16_384
    train_bars: int = 8_313


class Looks(BaseCallback):
    """Notes what is captured, and how much of the clock was spent until then."""

    def __init__(self, capture: Callable[[], float], asked: Asked) -> None:
        super().__init__()
        self._capture, self._asked = capture, asked
        self._spent, self._began, self._looked = 0.0, time.process_time(), 0
        self.curve: list[Point] = []

    def _on_training_start(self) -> None:
        self._began = time.process_time()

    def _on_step(self) -> bool:
        return not self.curve or self.curve[-1][2] < self._asked.target

    def _on_rollout_start(self) -> None:
        if self.num_timesteps // self._asked.look_every > self._looked // self._asked.look_every:
            self._look()

    def _on_training_end(self) -> None:
        if self.num_timesteps > self._looked:
            self._look()

    def _look(self) -> None:
        self._spent += time.process_time() - self._began
        self._looked = self.num_timesteps
        self.curve.append((self._spent, self.num_timesteps, self._capture()))
        self._began = time.process_time()


def prepared(asked: Asked) -> tuple[Task, TrainConfig, Ranges, Callable[[Actor], float]]:
    """The task, its configuration and ranges, and what share of the oracle's growth a policy makes on test bars."""
    world = planted(asked.k, asked.train_bars + VALIDATION + TEST, SETUP.n_assets, KAPPA, SETUP.n_noise)
    config = configuration(SETUP, train_bars=asked.train_bars, steps=asked.steps, seed=asked.k)
    settings = {"batch_size": asked.batch, "learning_rate": asked.learning_rate}
    config = config.model_copy(update={"model": config.model.model_copy(update=settings)})
    ranges = make_ranges(config.split, world.bars.session, lookback=SETUP.lookback, warmup=0)
    task, test = task_of(world, config, ranges.train), ranges.test
    best = Oracle.fitted(task.market, config, world.signal, ranges.train).growth(test)
    return (
        task,
        config,
        ranges,
        lambda actor: whole_episode(actor, task.market, task.config, test.t0, test.t1).score / best,
    )


def run(asked: Asked) -> dict[str, object]:
    """The curve of one training, and for ours what differs from SB3 before it begins."""
    task, config, _, share = prepared(asked)
    make = make_model if asked.side == "ours" else make_stock
    found: list[str] = []
    if asked.side == "ours":
        with tempfile.TemporaryDirectory() as folder:
            probe = make(task, config.model, config.training)
            probe.set_logger(Logger(None, []))
            probe.learn(config.model.n_steps * config.training.books)
            found = differences(probe, task, Path(folder))
    model = make(task, config.model, config.training)
    model.set_logger(Logger(None, []))
    looks = Looks(lambda: share(Actor(model.policy, task.layout, task.windows, task.market)), asked)
    model.learn(asked.steps, callback=looks)
    return {"curve": looks.curve, "differences": found}


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    print(json.dumps(run(Asked(**json.loads(sys.argv[1])))))
