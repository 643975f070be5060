"""How long a training will take, by a few of its own steps: bars of all its books and minibatches of its own network.

It grows from two bars until the real minibatch is reached or its time is spent; what was not reached is extrapolated
along a line. It leaves nothing behind: the training seeds every generator anew, and builds a network of its own.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger

from marketdata.splits import Range
from rl.actor import Actor
from rl.config import TrainConfig, rollout_steps
from rl.ppo import DeviceMissing, make_model, total_steps
from rl.rollout import Rollout
from rl.task import Task
from simulator.engine import BookSession

BUDGET_S = 2.0
GROWTH = 4
LOOKED_AT = 128
"""Bars of the validation range by which a look at it is timed."""
Clock = Callable[[], float]


@dataclass(frozen=True)
class Expected:
    """Seconds of `rollout`, all that is collected before one update, of the `update`, and of a `look` at the validation
    range; `steps` that are still to be made, `rollouts` and `looks` in them. `exact`: the real minibatch was reached.
    """

    rollout: float
    update: float
    look: float
    steps: int
    rollouts: int
    looks: int
    exact: bool

    @property
    def seconds(self) -> float:
        """Of the training, without the judgement behind it."""
        return self.rollouts * (self.rollout + self.update) + self.looks * self.look

    @property
    def rate(self) -> float:
        """Environment steps a second."""
        return self.steps / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class _Timed:
    """Seconds of what is made once a rollout, of a bar of every book, and of a minibatch of `batch` samples."""

    batch: int
    once: float
    bar: float
    minibatch: float


def expect(task: Task, config: TrainConfig, validation: Range, done: int = 0, budget: float = BUDGET_S,
           clock: Clock = time.perf_counter) -> Expected | None:  # fmt: skip
    """Of a training that has made `done` steps already; None where it diverges at once. Raises rl.ppo.DeviceMissing."""
    try:
        return _measured(task, config, validation, done, budget, clock)
    except ValueError as fault:  # SB3's distributions, our simulator and rl.gradients refuse what is not finite
        if isinstance(fault, DeviceMissing):
            raise
        return None
    finally:
        gc.collect()  # network, environment and curves hold each other: they would lie beside those of the training


def _measured(task: Task, config: TrainConfig, validation: Range, done: int, budget: float, clock: Clock) -> Expected:
    model, training = config.model, config.training
    made = make_model(task, model, training)
    made.set_logger(Logger(folder=None, output_formats=[]))
    made.lr_schedule, made.target_kl = _nothing_learned, None
    rollout = rollout_steps(model, training)
    samples = min(model.batch_size, rollout)
    watch = _Watch(clock, task.train.t0 - task.layout.lookback + 1, task.train.n_bars)
    _timed(made, 2, samples, watch)  # what is loaded and compiled at the first call
    found = _grow(made, samples, watch, clock() + budget)
    steps = total_steps(model, training) - done
    return Expected(
        rollout=found[-1].once + model.n_steps * found[-1].bar,
        update=model.n_epochs * -(-rollout // samples) * _minibatch(found, samples),
        look=_look(made, task, validation, clock),
        steps=steps,
        rollouts=steps // rollout,
        looks=min(steps // rollout, -(-steps // training.eval_every)),
        exact=found[-1].batch >= samples,
    )


def _nothing_learned(progress: float) -> float:
    return 0.0


def _grow(made: PPO, samples: int, watch: "_Watch", until: float) -> list[_Timed]:
    """Measurements of more and more samples, at least one, as long as the next is likely to end in time."""
    found: list[_Timed] = []
    most = max(2, -(-samples // made.n_envs))
    bars = 2
    while True:
        before = watch.clock()
        found.append(_timed(made, bars, samples, watch))
        if bars >= most or watch.clock() + GROWTH * (watch.clock() - before) > until:
            return found
        bars = min(most, GROWTH * bars)


def _minibatch(found: list[_Timed], samples: int) -> float:
    """Seconds of one of `samples`, along the line through the last two measurements."""
    last = found[-1]
    before = found[-2] if len(found) > 1 else _Timed(0, 0.0, 0.0, 0.0)
    if last.batch >= samples or before.batch >= last.batch:
        return last.minibatch * samples / last.batch
    slope = max(0.0, (last.minibatch - before.minibatch) / (last.batch - before.batch))
    return last.minibatch + slope * (samples - last.batch)


def _timed(made: PPO, bars: int, samples: int, watch: "_Watch") -> _Timed:
    """One rollout of so many bars and one pass over it in minibatches of at most `samples`."""
    collected = bars * made.n_envs
    made.n_steps, made.n_epochs, made.batch_size = bars, 1, min(samples, collected)
    made.rollout_buffer = made.rollout_buffer_class(
        bars, made.observation_space, made.action_space, device=made.device, gamma=made.gamma,
        gae_lambda=made.gae_lambda, n_envs=made.n_envs, **made.rollout_buffer_kwargs,
    )  # fmt: skip
    made.learn(collected, callback=watch, reset_num_timesteps=False)
    began, *stepped, full, ended = watch.moments
    bar = (stepped[-1] - stepped[0]) / (bars - 1)
    count = -(-collected // made.batch_size)
    return _Timed(made.batch_size, max(0.0, full - began - bars * bar), bar, (ended - full) / count)


class _Watch(BaseCallback):
    """Moments: the rollout's begin, the end of each bar, the rollout's end, the update's end.

    Few bars of a book lie side by side, where a real minibatch has dates from anywhere in the training, whose windows
    no cache holds: so dates are drawn over its `rows`, from the `first` one on, before the update.
    """

    def __init__(self, clock: Clock, first: int, rows: int) -> None:
        super().__init__()
        self.clock, self._first, self._rows = clock, first, rows
        self.moments: list[float] = []

    def _on_rollout_start(self) -> None:
        self.moments = [self.clock()]

    def _on_step(self) -> bool:
        self.moments.append(self.clock())
        return True

    def _on_rollout_end(self) -> None:
        self.moments.append(self.clock())
        if isinstance(self.model.rollout_buffer, Rollout):
            self.model.rollout_buffer.rows.random_(self._first, self._first + self._rows)

    def _on_training_end(self) -> None:
        self.moments.append(self.clock())


def _look(made: PPO, task: Task, validation: Range, clock: Clock) -> float:
    """Seconds of a look at the whole range, by its first bars."""
    end = min(validation.t1, validation.t0 + LOOKED_AT)

    def flown() -> int:
        session = BookSession(task.market, task.config, validation.t0, end, layers="policy")
        Actor(made.policy, task.layout, task.windows, task.market).fly(session)
        return session.t - validation.t0

    flown()  # what is loaded at the first call
    began = clock()
    bars = flown()
    return (clock() - began) / bars * (validation.t1 - validation.t0)
