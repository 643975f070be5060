"""How many weights a network has, by arithmetic on its configuration: what torch counts, without torch."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rl.model_config import ModelConfig

BOOK = 3
"""Numbers of the whole book in `portfolio` at the least: cash, gross, drawdown (rl.observation)."""


@dataclass(frozen=True)
class Seen:
    """What a network sees and gives: `lookback` bars, `channels` of each of `assets`, `portfolio` numbers of the book;
    `scores` of an asset (more than one where actions are discrete), `cash` 1 where cash has a score, `noise` where
    actions have a deviation.
    """

    assets: int
    channels: int
    lookback: int
    portfolio: int
    scores: int = 1
    cash: int = 1
    noise: bool = True

    @property
    def outputs(self) -> int:
        return self.assets * self.scores + self.cash


def weight_count(model: ModelConfig, seen: Seen) -> int:
    """Every parameter of the policy."""
    widths = list(model.net_arch)
    if model.policy == "mlp":
        stack = [seen.lookback * seen.channels * seen.assets + seen.portfolio, *widths]
        deviations = seen.outputs * seen.noise
        return 2 * _layers(stack) + _layers([stack[-1], seen.outputs]) + _layers([stack[-1], 1]) + deviations
    width = model.features_dim
    per_asset, shared = divmod(seen.portfolio - BOOK, seen.assets)
    context = 2 * width + shared + BOOK
    code, book = (widths[-1], widths[-1]) if widths else (width, context)
    heads = _layers([width, *widths]) + context * (widths[0] if widths else width) + 2 * _layers([context, *widths])
    scores = _layers([code, seen.scores]) + seen.cash * _layers([book, 1]) + _layers([book, 1])
    deviations = (seen.cash + 1 if model.policy == "set_attention" else seen.outputs) * seen.noise
    return window_weights(model, seen) + per_asset * width + heads + scores + deviations


def window_weights(model: ModelConfig, seen: Seen) -> int:
    """Those that read a window."""
    width = model.features_dim
    if model.policy == "window_cnn":
        places = seen.lookback
        layers = 0
        for before, after in itertools.pairwise((seen.channels, *model.channels)):
            places = (places - model.kernel) // 2 + 1
            layers += (before * model.kernel + 1) * after
        return layers + _layers([model.channels[-1] * places, width])
    if model.policy == "window_lstm":
        hidden = model.hidden
        inputs = seen.channels + hidden * (model.recurrences - 1)
        return 4 * hidden * (inputs + model.recurrences * (hidden + 1)) + _layers([hidden, width])
    linear = _layers([seen.lookback * seen.channels, width])
    return linear + (4 * width * (width + 1) if model.policy == "set_attention" else 0)


def _layers(widths: list[int]) -> int:
    """Linear layers of these widths, with their biases."""
    return sum((before + 1) * after for before, after in itertools.pairwise(widths))
