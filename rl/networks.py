"""One small network applied to every asset, so that it cannot memorise the panel as a flat net does.

Each asset's window and own state become a code; the mean and the largest of all codes, with the book's own numbers,
are the context. A score head reads code and context of one asset, a cash head and the critic read the context alone.
Weights are shared over assets: reordering the assets reorders the scores. The networks differ in how they read a
window: `asset_shared` by one linear layer, here; others in modules of their own.
"""

from typing import cast

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import DiagGaussianDistribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.type_aliases import Schedule
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU}
Codes = tuple[Tensor, Tensor]


class SharedEncoder(BaseFeaturesExtractor):
    """Observation → codes (B, n_assets, features_dim) and context (B, context_dim)."""

    def __init__(
        self,
        observation_space: spaces.Dict,
        features_dim: int,
        parts: tuple[tuple[int, bool], ...],
        activation_fn: type[nn.Module],
        window: nn.Module,
    ) -> None:
        """`parts` of `portfolio`: the width of each, and whether it holds one number an asset.

        `window`: from windows (B, n_assets, lookback, n_features) to (B, n_assets, features_dim).
        """
        super().__init__(observation_space, features_dim)
        self.n_assets = observation_space["window"].shape[1]
        self._widths = [width for width, _ in parts]
        self._per_asset = [per_asset for _, per_asset in parts]
        shared = sum(width for width, per_asset in parts if not per_asset)
        self.context_dim = 2 * features_dim + shared
        self.window = window
        self.own = nn.Linear(sum(self._per_asset), features_dim, bias=False)
        self.activation = activation_fn()

    def forward(self, observations: dict[str, Tensor]) -> Codes:
        # (B, L, A, F) → one row an asset; free of copies where the memory is already (B, A, L, F)
        return self.codes(self.window(observations["window"].transpose(1, 2)), observations["portfolio"])

    def codes(self, seen: Tensor, portfolio: Tensor, kept: Tensor | None = None) -> Codes:
        """From what `window` makes of each asset's (B, n_assets, features_dim).

        `kept` (B, features_dim): factors on the codes of a sample, the same for each asset (rl.dropout).
        """
        pieces = list(zip(torch.split(portfolio, self._widths, dim=1), self._per_asset, strict=True))
        own = torch.stack([piece for piece, per_asset in pieces if per_asset], dim=2)
        codes = self.activation(seen + self.own(own))
        if kept is not None:
            codes = codes * kept[:, None]
        book = torch.cat([piece for piece, per_asset in pieces if not per_asset], dim=1)
        return codes, torch.cat((codes.mean(dim=1), codes.amax(dim=1), book), dim=1)


class LinearWindow(nn.Linear):
    """One layer over all numbers of a window: (B, n_assets, lookback, n_features) → (B, n_assets, out_features)."""

    def forward(self, input: Tensor) -> Tensor:
        batch, assets = input.shape[:2]  # not len, which an export to ONNX would take for a constant
        return super().forward(input.reshape(batch * assets, -1)).view(batch, assets, -1)


class AssetEncoder(SharedEncoder):
    """`asset_shared`: a linear layer on each window."""

    def __init__(
        self,
        observation_space: spaces.Dict,
        features_dim: int,
        parts: tuple[tuple[int, bool], ...],
        activation_fn: type[nn.Module],
    ) -> None:
        lookback, _, n_features = observation_space["window"].shape
        window = LinearWindow(lookback * n_features, features_dim)
        super().__init__(observation_space, features_dim, parts, activation_fn, window)


class SharedHeads(nn.Module):
    """Hidden layers behind the encoder: one stack for every asset's score, one for cash, one for the value."""

    def __init__(self, code_dim: int, context_dim: int, widths: list[int], activation_fn: type[nn.Module]) -> None:
        super().__init__()
        self.latent_dim_vf = widths[-1] if widths else context_dim
        self.latent_dim_pi = widths[-1] if widths else code_dim
        self.from_code = nn.Linear(code_dim, widths[0]) if widths else nn.Identity()
        self.from_context = nn.Linear(context_dim, widths[0] if widths else code_dim, bias=False)
        self.activation = activation_fn()
        self.deeper = _stack(widths[:1], widths[1:], activation_fn)
        self.cash = _stack([context_dim], widths, activation_fn)
        self.critic = _stack([context_dim], widths, activation_fn)

    def forward(self, features: Codes) -> tuple[Codes, Tensor]:
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: Codes) -> Codes:
        """Latent of each asset (B, n_assets, width) and of cash (B, width)."""
        codes, context = features
        first = self.activation(self.from_code(codes) + self.from_context(context).unsqueeze(1))
        return self.deeper(first), self.cash(context)

    def forward_critic(self, features: Codes) -> Tensor:
        return cast(Tensor, self.critic(features[1]))


def _stack(inputs: list[int], widths: list[int], activation_fn: type[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, width in zip(inputs + widths[:-1], widths, strict=False):
        layers += [nn.Linear(before, width), activation_fn()]
    return nn.Sequential(*layers)


class Scores(nn.Module):
    """Latents → the mean action: cash first where the mapping has it, then one score (or its logits) an asset."""

    def __init__(self, latent_dim: int, cash_dim: int, per_asset: int, with_cash: bool) -> None:
        super().__init__()
        self.asset = nn.Linear(latent_dim, per_asset)
        self.cash = nn.Linear(cash_dim, 1) if with_cash else None

    def forward(self, latents: Codes) -> Tensor:
        scores = self._of_assets(latents[0]).flatten(1)
        return scores if self.cash is None else torch.cat((self.cash(latents[1]), scores), dim=1)

    def _of_assets(self, latents: Tensor) -> Tensor:
        """`asset` of (B, n_assets, width), as a product for each sample: the gradient of its few weights is then summed
        over a sample's assets, and pairwise over the samples. Summed over all rows in turn, float32 would lose a digit
        of the largest part of the whole gradient.
        """
        weights = self.asset.weight.t().expand(latents.shape[0], -1, -1)
        return torch.baddbmm(self.asset.bias, latents, weights)


class AssetSharedPolicy(ActorCriticPolicy):
    """An actor-critic policy that stock PPO trains, saves and loads; its features extractor is a `SharedEncoder`."""

    def _build_mlp_extractor(self) -> None:
        encoder = self.features_extractor
        self.mlp_extractor = SharedHeads(
            encoder.features_dim, encoder.context_dim, list(self.net_arch), self.activation_fn
        )

    def _build(self, lr_schedule: Schedule) -> None:
        self._build_mlp_extractor()
        heads, n_assets = self.mlp_extractor, self.features_extractor.n_assets
        if isinstance(self.action_dist, DiagGaussianDistribution):
            n_actions = self.action_space.shape[0]
            self.action_net = Scores(heads.latent_dim_pi, heads.latent_dim_vf, 1, with_cash=n_actions > n_assets)
            self._make_noise(n_actions)
        else:
            choices = int(self.action_space.nvec[0])
            self.action_net = Scores(heads.latent_dim_pi, heads.latent_dim_vf, choices, with_cash=False)
        self.value_net = nn.Linear(heads.latent_dim_vf, 1)
        self._initialise()
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def _make_noise(self, n_actions: int) -> None:
        """`log_std` (n_actions,): one deviation an action."""
        self.log_std = nn.Parameter(torch.full((n_actions,), float(self.log_std_init)))

    def _initialise(self) -> None:
        """Orthogonal weights; scores begin near 0, so that the first policy is near equal weight."""
        gains = ((self.features_extractor, np.sqrt(2)), (self.mlp_extractor, np.sqrt(2)), (self.action_net, 0.01),
                 (self.value_net, 1.0))  # fmt: skip
        for module, gain in gains:
            for layer in module.modules():
                self.init_weights(layer, gain=float(gain))

    @staticmethod
    def init_weights(module: nn.Module, gain: float = 1) -> None:
        """SB3's, which knows no convolution over time."""
        if isinstance(module, nn.Conv1d) and module.bias is not None:
            nn.init.orthogonal_(module.weight, gain=gain)
            module.bias.data.fill_(0.0)
        else:
            ActorCriticPolicy.init_weights(module, gain)
