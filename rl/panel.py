"""The features of a task as one tensor on the learner's device: every window of a training is a stretch of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rl.observation import Windows


@dataclass(frozen=True)
class Panel:
    """`features` (G, T, C), float32: G series that share their weights, each of C channels.

    Row r is the window of bars r..r+lookback−1, which is what is seen at the close of bar r+lookback−1.
    """

    features: Tensor
    lookback: int

    @classmethod
    def per_asset(cls, windows: Windows, device: torch.device) -> "Panel":
        """One series an asset: G = A, C = F."""
        return cls(torch.from_numpy(windows.table.transpose(1, 0, 2).copy()).to(device), windows.lookback)

    @classmethod
    def flat(cls, windows: Windows, device: torch.device) -> "Panel":
        """All assets side by side: G = 1, C = A·F."""
        table = windows.table
        return cls(torch.from_numpy(table.reshape(1, len(table), -1).copy()).to(device), windows.lookback)

    @property
    def n_rows(self) -> int:
        return self.features.shape[1] - self.lookback + 1

    def windows(self, rows: Tensor) -> Tensor:
        """(n, G, lookback, C), copied."""
        groups, bars, channels = self.features.shape
        every = self.features.as_strided(
            (self.n_rows, groups, self.lookback, channels), (channels, bars * channels, channels, 1)
        )
        return every[rows]
