"""What a training tells of itself while it runs: events for its page, and lines for its log."""

import math
from collections.abc import Callable, Mapping

from stable_baselines3 import PPO

from rl.alarms import Alarm
from rl.callbacks import Look
from rl.checkpoint.file import Checkpoint
from rl.checkpoint.made_with import changes
from runfiles.events import EventWriter


class News:
    """The news of one training of `total` steps."""

    def __init__(self, events: EventWriter, log: Callable[[str], None], model: PPO, total: int) -> None:
        self._events, self._log, self._model, self._total = events, log, model, total

    def begins(self, name: str) -> None:
        """With the network of this name."""
        weights = sum(parameter.numel() for parameter in self._model.policy.parameters())
        self._log(f"{name} with {weights:,} weights; {self._total:,} steps of {self._model.n_envs} books")

    def goes_on(self, begun: Checkpoint, made: Mapping[str, str]) -> None:
        """From a checkpoint; a warning where what it was `made` with has changed."""
        self._log(f"goes on from step {begun.step:,} of {begun.total:,}")
        if other := changes(begun.made_with, made):
            self._events.warning(
                f"The training was begun with another {'; '.join(other)}. What comes of it need not be what it would "
                "have been without the stop."
            )

    def looked(self, look: Look, best: Look, is_best: bool) -> None:
        """At the validation range: a metric event, and a line."""
        self._events.metric(
            validation_score=look.score, best_validation_score=best.score, best_step=best.step, step=look.step
        )
        mark = ", the best so far" if is_best else ""
        self._log(f"step {look.step:,} of {self._total:,}: {look.score * 1e4:+.2f} bps a bar on the validation range"
                  f"{mark}")  # fmt: skip

    def alarm(self, alarm: Alarm) -> None:
        """An event of the run, and a line."""
        value, step = alarm.value if math.isfinite(alarm.value) else None, self._model.num_timesteps
        self._events.alarm(alarm.sentence, rule=alarm.rule, value=value, step=step)
        self._log(f"alarm at step {step:,}: {alarm.sentence}")

    def stopped_early(self, patience: int | None, best: Look) -> None:
        self._log(f"stopped early: {patience} looks without a better policy than that of step {best.step:,}")

    def stopped(self, held: Checkpoint | None) -> None:
        """As it was told to, with this checkpoint written."""
        if held is not None:
            self._log(f"stopped; the checkpoint is of step {held.step:,}")

    def lacks_checkpoint(self, error: OSError) -> None:
        self._log(f"no checkpoint could be written ({error.strerror})")
