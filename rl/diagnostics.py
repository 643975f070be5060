"""What a rollout looked like, for TensorBoard: actions and weights, what the reward is made of, memory."""

import resource
import sys

from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback
from torch import Tensor

from rl.observation_layout import ObservationLayout
from rl.rollout import Rollout


class RolloutDiagnostics(BaseCallback):
    """Records at the end of each rollout of a learner on indices:

    | tag                  | what                                                                                      |
    |----------------------|-------------------------------------------------------------------------------------------|
    | `actions/hist`       | histogram of the raw actions as drawn, before they are clipped to the box                 |
    | `actions/saturation` | share of them on or beyond the bounds of the box; not for `discrete`                      |
    | `weights/hist`       | histogram of the weights held at the closes of the rollout                                |
    | `weights/gross`      | mean sum of their sizes                                                                   |
    | `reward/<term>`      | mean of each term of the reward a bar, scaled; they sum to `reward/total`                 |
    | `time/peak_mb`       | largest resident size of this process so far, MB                                          |
    """

    def __init__(self, layout: ObservationLayout) -> None:
        super().__init__()
        widths = dict(zip(layout.portfolio, (width for width, _ in layout.parts), strict=True))
        before = layout.portfolio[: layout.portfolio.index("weights")]
        first = sum(widths[part] for part in before)
        self._weights = slice(first, first + layout.n_assets)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        rollout = self.model.rollout_buffer
        if not isinstance(rollout, Rollout):
            return
        self._histogram("actions/hist", rollout.actions)
        if isinstance(self.model.action_space, spaces.Box):
            self.logger.record("actions/saturation", saturation(rollout.actions))
        held = rollout.portfolio[..., self._weights]
        self._histogram("weights/hist", held)
        self.logger.record("weights/gross", float(held.abs().sum(dim=-1).mean()))
        terms = rollout.terms()
        for name, value in (*terms.items(), ("total", sum(terms.values()))):
            self.logger.record(f"reward/{name}", value)
        self.logger.record("time/peak_mb", peak_mb())

    def _histogram(self, tag: str, values: Tensor) -> None:
        self.logger.record(tag, values.flatten().cpu(), exclude="csv")


def saturation(actions: Tensor) -> float:
    """The share of raw actions whose size is at least 1, the bound of every mapping's box."""
    return float((actions.abs() >= 1.0).float().mean())


def peak_mb() -> float:
    """The largest resident size of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
