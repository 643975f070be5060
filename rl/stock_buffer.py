"""PPO's rollout buffer that keeps the bar instead of the window: 8 bytes a sample instead of kilobytes.

Windows are gathered again from the shared tensor for each minibatch, which costs what copying them would have cost.
It is the `rollout_buffer_class` of the stock PPO that ours is held against.
"""

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import DictRolloutBuffer
from stable_baselines3.common.type_aliases import DictRolloutBufferSamples

from rl.observation import Windows

_LAST_BAR = np.iinfo(np.int64).max


class Observation(dict[str, NDArray[np.float32]]):
    """An observation of N books that also knows its bars (N,), from which its windows can be gathered again."""

    def __init__(self, window: NDArray[np.float32], portfolio: NDArray[np.float32], bars: NDArray[np.int64]) -> None:
        super().__init__(window=window, portfolio=portfolio)
        self.bars = bars


class BarRolloutBuffer(DictRolloutBuffer):
    """Stores (bar, portfolio); samples hold (window, portfolio), equal to what was observed."""

    def __init__(self, buffer_size: int, observation_space: spaces.Dict, action_space: spaces.Space, *args: Any,
                 windows: Windows, **kwargs: Any) -> None:  # fmt: skip
        self._windows = windows
        bar = spaces.Box(0, _LAST_BAR, (), np.int64)
        compact = spaces.Dict({"bar": bar, "portfolio": observation_space["portfolio"]})
        super().__init__(buffer_size, compact, action_space, *args, **kwargs)

    def add(self, obs: Observation, *args: Any, **kwargs: Any) -> None:
        super().add({"bar": obs.bars, "portfolio": obs["portfolio"]}, *args, **kwargs)

    def _get_samples(self, batch_inds: NDArray[np.int64], env: Any = None) -> DictRolloutBufferSamples:
        samples = super()._get_samples(batch_inds, env)
        window = self._windows.gather(self.observations["bar"][batch_inds].reshape(-1))
        observations = {
            "window": torch.from_numpy(window).to(self.device),
            "portfolio": samples.observations["portfolio"],
        }
        return samples._replace(observations=observations)
