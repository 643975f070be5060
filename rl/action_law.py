"""How actions are drawn: SB3's diagonal normal with one deviation an action, or its independent categories."""

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.distributions import DiagGaussianDistribution
from torch import Tensor

LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)


class Likelihood(NamedTuple):
    """Of given actions: log probability (B,) and entropy, (B,) or one number for all."""

    log_prob: Tensor
    entropy: Tensor


class ActionLaw(ABC):
    """The distribution of actions of a policy, from what its heads give."""

    @staticmethod
    def of(policy: Any) -> "ActionLaw":
        return Normal(policy) if isinstance(policy.action_dist, DiagGaussianDistribution) else Categories(policy)

    @abstractmethod
    def draw(self, found: Tensor) -> tuple[Tensor, Tensor]:
        """Actions and their log probabilities (B,), by torch's generator."""

    @abstractmethod
    def executed(self, actions: Tensor) -> NDArray[np.float64]:
        """What the environment is given."""

    @abstractmethod
    def likelihood(self, found: Tensor, actions: Tensor) -> Likelihood:
        """Of actions drawn earlier."""


class Normal(ActionLaw):
    """Log probabilities are those of the action before it is clipped to the box, as SB3's."""

    def __init__(self, policy: Any) -> None:
        self._log_std, self._space = policy.log_std, policy.action_space

    def draw(self, found: Tensor) -> tuple[Tensor, Tensor]:
        actions = found + torch.randn_like(found) * self._log_std.exp()
        return actions, self.likelihood(found, actions).log_prob

    def executed(self, actions: Tensor) -> NDArray[np.float64]:
        clipped: NDArray[np.float32] = np.clip(actions.cpu().numpy(), self._space.low, self._space.high)
        return clipped.astype(np.float64)

    def likelihood(self, found: Tensor, actions: Tensor) -> Likelihood:
        log_std = self._log_std.double()
        scaled = (actions.double() - found.double()) * torch.exp(-log_std)
        constant = log_std.sum() + LOG_ROOT_2PI * found.shape[1]
        return Likelihood(-0.5 * scaled.square().sum(dim=1) - constant, (constant + 0.5 * found.shape[1]).float())


class Categories(ActionLaw):
    def __init__(self, policy: Any) -> None:
        self._law = policy.action_dist

    def draw(self, found: Tensor) -> tuple[Tensor, Tensor]:
        law = self._law.proba_distribution(action_logits=found)
        actions = law.sample()
        return actions, law.log_prob(actions)

    def executed(self, actions: Tensor) -> NDArray[np.float64]:
        return actions.cpu().numpy().astype(np.float64)

    def likelihood(self, found: Tensor, actions: Tensor) -> Likelihood:
        law = self._law.proba_distribution(action_logits=found)
        return Likelihood(law.log_prob(actions), law.entropy())
