"""What goes wrong in a training and can be seen while it runs: each rule is told once, as an event of the run."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback

from backtest.degenerate import CASH, CONSTANT, is_one_asset
from rl.learner import IndexedPPO, Update

MUCH_KL, KL_UPDATES = 0.1, 3
"""PPO's clip of 0.2 leaves an update at a KL of 0.01 to 0.02; five times as much, several times, is no accident."""
LITTLE_NOISE = 0.01
"""Standard deviation of an action, whose box is 2 wide, below which nothing is tried any more."""
LITTLE_CHOICE = 0.02
"""Of discrete actions: entropy as a share of that of a fair draw."""
BAD_CRITIC, CRITIC_UPDATES = -1.0, 5
"""Explained variance: at -1 the critic's errors are twice as large, squared, as those of the mean."""
SAME_LOOKS = 3


@dataclass(frozen=True)
class Alarm:
    """`rule` names it for a program, `sentence` for a person."""

    rule: str
    sentence: str
    value: float


class Rules:
    """The rules on updates, one after another. `dimensions` of an action; `choices` of each, None for a normal."""

    def __init__(self, dimensions: int, choices: int | None) -> None:
        self._dimensions, self._choices = dimensions, choices
        self._told: set[str] = set()
        self._far = self._blind = 0

    def look(self, update: Update) -> list[Alarm]:
        """Alarms that this update gives and none before it gave."""
        self._far = self._far + 1 if update.kl > MUCH_KL else 0
        self._blind = self._blind + 1 if update.explained_variance < BAD_CRITIC else 0
        found = [alarm for alarm in (self._kl(update), self._entropy(update), self._critic(update)) if alarm]
        fresh = [alarm for alarm in found if alarm.rule not in self._told]
        self._told |= {alarm.rule for alarm in fresh}
        return fresh

    def _kl(self, update: Update) -> Alarm | None:
        if self._far < KL_UPDATES:
            return None
        return Alarm("kl", f"The policy has moved far in each of {KL_UPDATES} updates (KL {update.kl:.2g}, above "
                     f"{MUCH_KL:g}): a smaller model.learning_rate, fewer model.n_epochs or a model.target_kl holds "
                     "it back.", update.kl)  # fmt: skip

    def _entropy(self, update: Update) -> Alarm | None:
        if self._choices is None:
            noise = math.exp(update.entropy / self._dimensions - 0.5 * math.log(2 * math.pi * math.e))
            little, said = noise < LITTLE_NOISE, f"its actions vary by {noise:.2g}, below {LITTLE_NOISE:g}"
        else:
            noise = update.entropy / (self._dimensions * math.log(self._choices))
            little, said = noise < LITTLE_CHOICE, f"{noise:.1%} of a fair draw's entropy is left"
        if not little:
            return None
        return Alarm("entropy", f"The policy hardly tries anything else any more ({said}): what it has not found by "
                     "now it will not find; a larger model.ent_coef keeps it trying.", noise)  # fmt: skip

    def _critic(self, update: Update) -> Alarm | None:
        if self._blind < CRITIC_UPDATES:
            return None
        value = update.explained_variance
        return Alarm("critic", f"The value estimate has been worse than a constant in each of {CRITIC_UPDATES} updates "
                     f"(explained variance {value:.2g}): advantages are noise; a smaller model.learning_rate or "
                     "reward.scale may help.", value)  # fmt: skip


class Sameness:
    """The rule on looks at the validation range: a policy that does one thing only, look after look."""

    def __init__(self) -> None:
        self._name, self._looks, self._told = "", 0, False

    def look(self, weights: NDArray[np.float64]) -> Alarm | None:
        """`weights` (N, A) held over the range of one look."""
        name = one_thing(weights)
        self._looks = self._looks + 1 if name and name == self._name else 1
        self._name = name
        if not name or self._told or self._looks < SAME_LOOKS:
            return None
        self._told = True
        return Alarm("degenerate", f"The policy {name} at each of {SAME_LOOKS} looks at the validation range: it has "
                     "not learned to choose.", float(np.abs(weights).sum(axis=1).mean()))  # fmt: skip


def one_thing(weights: NDArray[np.float64]) -> str:
    """What a policy with these weights (N, A) does all the time, as a clause; empty where it chooses. The bounds are
    those by which the report names a degenerate strategy (`backtest.degenerate`).
    """
    gross = np.abs(weights).sum(axis=1)
    if gross.mean() < CASH:
        return "holds cash"
    if weights.std(axis=0).max() < CONSTANT:
        return "holds constant weights"
    return "holds one asset" if is_one_asset(weights, gross) else ""


class Watch(BaseCallback):
    """Looks at each update of a learner on indices and tells its alarms."""

    def __init__(self, told: Callable[[Alarm], None]) -> None:
        super().__init__()
        self._tell = told
        self._seen: Update | None = None

    def _on_training_start(self) -> None:
        space = self.model.action_space
        choices: Sequence[int] | None = getattr(space, "nvec", None)
        width = len(choices) if choices is not None else int(np.prod(space.shape or (1,)))
        self._rules = Rules(width, None if choices is None else int(choices[0]))

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        update = self.model.update if isinstance(self.model, IndexedPPO) else None
        if update is None or update is self._seen:
            return
        self._seen = update
        for alarm in self._rules.look(update):
            self._tell(alarm)

    def _on_training_end(self) -> None:
        self._on_rollout_start()
