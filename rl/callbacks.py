"""What happens beside PPO's loop: news once a second, looks at the validation range, the best policy kept."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat

from rl.checkpoint import curves
from runfiles import layout
from runfiles.events import EventWriter

NEWS_EVERY_S = 1.0


class _GoingOn(Logger):
    """SB3 counts the rollouts of a process; the curves count those of the training."""

    def __init__(self, folder: str, formats: list[KVWriter], rollouts: int) -> None:
        super().__init__(folder, formats)
        self._rollouts = rollouts

    def record(self, key: str, value: Any, exclude: str | tuple[str, ...] | None = None) -> None:
        super().record(key, value + self._rollouts if key == "time/iterations" else value, exclude)


def make_logger(folder: Path, step: int, rollout: int, log: Callable[[str], None]) -> Logger:
    """TensorBoard scalars (flushed at each dump, one a rollout) and SB3's CSV in a run directory; no terminal.

    Behind the curves up to `step` that are there already, where `rollout` steps are one; what lies after it is cut off,
    and what is damaged left out, of which `log` hears.
    """
    if step:
        curves.cut(folder, step, log)
    table = curves.continued(folder / layout.PROGRESS_CSV, step)
    return _GoingOn(str(folder), [TensorBoardOutputFormat(str(folder / layout.TENSORBOARD)), table], step // rollout)


class Progress(BaseCallback):
    """A progress event at the start, once a second, and at the end.

    The rate is that of this process so far, up to the newest update of the policy: a rate between two updates would not
    know what the next one takes. Before the first it is what was `expected`, or none. The time left counts from there.

    Beside SB3's scalars it records `rollout/ep_growth_mean`, the mean ln(E/E₀) of the last episodes.
    """

    def __init__(self, events: EventWriter, total: int, clock: Callable[[], float] = time.monotonic,
                 expected: float | None = None) -> None:  # fmt: skip
        super().__init__()
        self._events, self._total, self._clock, self._rate = events, total, clock, expected
        self._began = self._told = self._updated = 0.0
        self._from = self._learned = 0

    def _on_training_start(self) -> None:
        self._began = self._updated = self._clock()
        self._from = self._learned = self.num_timesteps
        self._tell(self._began)

    def _on_step(self) -> bool:
        now = self._clock()
        if now - self._told >= NEWS_EVERY_S:
            self._tell(now)
        return True

    def _on_rollout_start(self) -> None:
        self._measure()
        self._on_step()

    def _on_rollout_end(self) -> None:
        ended = self.model.ep_info_buffer
        if ended:
            self.logger.record("rollout/ep_growth_mean", sum(episode["growth"] for episode in ended) / len(ended))

    def _on_training_end(self) -> None:
        self._measure()
        self._tell(self._updated)

    def _measure(self) -> None:
        """Between two rollouts: all steps so far have been learned from."""
        now = self._clock()
        if self.num_timesteps > self._from and now > self._began:
            self._rate = (self.num_timesteps - self._from) / (now - self._began)
            self._updated, self._learned = now, self.num_timesteps

    def _tell(self, now: float) -> None:
        self._told = now
        left = (self._total - self._learned) / self._rate - (now - self._updated) if self._rate else None
        self._events.progress(self.num_timesteps, self._total, self._rate, None if left is None else max(0.0, left))


@dataclass(frozen=True)
class Look:
    """One look at the validation range: `score` is the mean log return a bar."""

    step: int
    score: float


class Selection(BaseCallback):
    """Scores the policy on the validation range every `every` steps and at the end; calls `keep` for each new best.

    Looks fall between updates, on the policy that the next rollout is collected with. `told` hears of each look and
    whether it is the best. After `patience` looks in a row without a new best the training ends: `stopped`.
    """

    def __init__(self, score: Callable[[], float], keep: Callable[[], None], told: Callable[[Look, bool], None],
                 every: int, patience: int | None = None) -> None:  # fmt: skip
        super().__init__()
        self._score, self._keep, self._told, self._every = score, keep, told, every
        self._patience, self._in_vain = patience, 0
        self.looks: list[Look] = []
        self.best = Look(0, -math.inf)

    def recall(self, looks: Iterable[Look]) -> None:
        """Count looks of an earlier process of this training, whose best policy is kept already."""
        for look in looks:
            self._count(look)

    @property
    def stopped(self) -> bool:
        """Whether too many looks brought no new best."""
        return self._patience is not None and self._in_vain >= self._patience

    def _on_step(self) -> bool:
        return not self.stopped

    def _on_rollout_start(self) -> None:
        if self.num_timesteps // self._every > self._last_step // self._every:
            self._look()

    def _on_training_end(self) -> None:
        if not self.stopped and self._last_step < self.num_timesteps:
            self._look()

    @property
    def _last_step(self) -> int:
        return self.looks[-1].step if self.looks else 0

    def _look(self) -> None:
        look = Look(self.num_timesteps, self._score())
        is_best = self._count(look)
        if is_best:
            self._keep()
        self.logger.record("validation/score", look.score)
        self.logger.record("validation/best_score", self.best.score)
        self.logger.record("time/total_timesteps", self.num_timesteps, exclude="tensorboard")
        self.logger.dump(self.num_timesteps)  # now: the next dump is a rollout later, and would say that step
        self._told(look, is_best)

    def _count(self, look: Look) -> bool:
        """Whether it is the best so far."""
        self.looks.append(look)
        is_best = look.score > self.best.score
        self._in_vain = 0 if is_best else self._in_vain + 1
        if is_best:
            self.best = look
        return is_best
