"""A features extractor that no file of ours knows until it is registered."""

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn


class Wide(BaseFeaturesExtractor):
    """One layer over the part `book`."""

    def __init__(self, observation_space: spaces.Dict, width: int) -> None:
        super().__init__(observation_space, width)
        self.layer = nn.Linear(6, width)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        return torch.tanh(self.layer(observations["book"].flatten(1)))
