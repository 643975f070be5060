"""`set_attention`: assets look at each other before they are scored, and no weight depends on how many there are.

What the layer of windows makes of each asset is compared with that of every other (scaled dot-product attention,
Vaswani et al. 2017), which is the same in every order of the assets. It depends on the date alone; the book's own
numbers are added behind it. One policy acts on any number of assets, also on some that it has never seen.
"""

from typing import cast

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from rl.model_config import MOST_COMPARED
from rl.networks import AssetSharedPolicy, LinearWindow, SharedEncoder


class AttendedWindow(nn.Module):
    """Windows (B, n_assets, lookback, n_features) → (B, n_assets, width): what an asset shows, and what others do."""

    def __init__(self, inputs: int, width: int, heads: int, activation_fn: type[nn.Module]) -> None:
        """Raises ValueError where the heads do not divide the width."""
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self._heads = heads
        self.linear = LinearWindow(inputs, width)
        self.activation = activation_fn()
        self.compare = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)

    def forward(self, windows: Tensor) -> Tensor:
        return self.attend(cast(Tensor, self.linear(windows)))

    def attend(self, seen: Tensor) -> Tensor:
        """From what the linear layer makes of each asset, (B, n_assets, width)."""
        batch, assets, width = seen.shape
        asked, offered, told = (
            part.view(batch, assets, self._heads, width // self._heads).transpose(1, 2)
            for part in self.compare(self.activation(seen)).chunk(3, dim=2)
        )
        heard = scaled_dot_product_attention(asked, offered, told).transpose(1, 2).reshape(batch, assets, width)
        return seen + cast(Tensor, self.mix(heard))


class AttentionEncoder(SharedEncoder):
    """Observation → codes and context, attention between the assets' windows."""

    def __init__(
        self,
        observation_space: spaces.Dict,
        features_dim: int,
        parts: tuple[tuple[int, bool], ...],
        heads: int,
        activation_fn: type[nn.Module],
    ) -> None:
        """Raises ValueError for more assets than can be compared, and for heads that do not divide `features_dim`."""
        lookback, n_assets, n_features = observation_space["window"].shape
        if n_assets > MOST_COMPARED:
            raise ValueError(f"attention compares at most {MOST_COMPARED:,} assets, not {n_assets:,}")
        window = AttendedWindow(lookback * n_features, features_dim, heads, activation_fn)
        super().__init__(observation_space, features_dim, parts, activation_fn, window)


class SetAttentionPolicy(AssetSharedPolicy):
    """One deviation for every asset's score, and one for cash where the mapping has it."""

    def _make_noise(self, n_actions: int) -> None:
        cash = n_actions - self.features_extractor.n_assets
        self.noise = nn.Parameter(torch.full((cash + 1,), float(self.log_std_init)))

    @property
    def log_std(self) -> Tensor:  # type: ignore[override]  # a parameter of the class above; made of fewer here
        """(n_actions,) for SB3's distribution; there is none with discrete actions."""
        cash, asset = self.noise[:-1], self.noise[-1:]
        return torch.cat((cash, asset.expand(self.action_space.shape[0] - len(cash))))
