"""Real saves of the pinned SB3, one of each kind of space, action, activation and network that is read."""

import copy
import functools
import io
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.utils import LinearSchedule
from torch import nn


class Bandit(gym.Env):
    """Random observations, no reward: what is learned does not matter, only that weights move."""

    def __init__(self, seen: spaces.Space, done: spaces.Space) -> None:
        self.observation_space, self.action_space = copy.deepcopy(seen), copy.deepcopy(done)
        self.observation_space.seed(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.observation_space.sample(), float(np.asarray(action).sum()), False, True, {}


def box(*shape: int, low: float = -1.0, high: float = 1.0, dtype: Any = np.float32) -> spaces.Box:
    return spaces.Box(low, high, shape, dtype)


MIXED = spaces.Dict(
    {
        "book": box(2, 3, high=np.inf, dtype=np.float64),
        "choice": spaces.Discrete(4),
        "flags": spaces.MultiBinary([2, 3]),
        "choices": spaces.MultiDiscrete([2, 5]),
        "bytes": spaces.Box(0, 3, (4,), np.uint8),
    }
)
KINDS: dict[str, tuple[spaces.Space, spaces.Space, dict[str, Any]]] = {
    "box, discrete": (box(4), spaces.Discrete(3), {}),
    "box of bounds of its own, box": (
        spaces.Box(np.array([-1, -2], np.float32), np.array([1, 3], np.float32)),
        box(2, low=-0.5, high=0.25),
        {"policy_kwargs": {"activation_fn": nn.ReLU, "net_arch": {"pi": [8], "vf": [4, 4]}, "log_std_init": -1.0}},
    ),
    "box of doubles, multi-discrete": (
        box(2, 3, dtype=np.float64),
        spaces.MultiDiscrete([3, 2]),
        {"policy_kwargs": {"activation_fn": nn.ELU, "net_arch": []}},
    ),
    "discrete, multi-binary": (spaces.Discrete(5), spaces.MultiBinary(3), {"policy_kwargs": {"net_arch": [16]}}),
    "multi-discrete, box": (
        spaces.MultiDiscrete([3, 4]),
        box(1),
        {"policy_kwargs": {"net_arch": {"pi": [8, 8, 8]}}, "learning_rate": LinearSchedule(1e-3, 1e-4, 0.5)},
    ),
    "multi-binary, discrete": (spaces.MultiBinary(6), spaces.Discrete(5), {"clip_range_vf": 0.3, "target_kl": 0.05}),
    "dict, multi-discrete": (
        MIXED,
        spaces.MultiDiscrete([3, 2]),
        {"policy_kwargs": {"activation_fn": nn.ReLU, "net_arch": {"pi": [8], "vf": [4]}},
         "learning_rate": lambda left: 1e-3 * left},
    ),
    "dict, box": (spaces.Dict({"a": box(2), "b": box(3)}), box(2), {"policy_kwargs": {"net_arch": [256, 256]}}),
}  # fmt: skip


@functools.cache
def saved(kind: str = "box, discrete") -> bytes:
    """What `PPO.save` writes after one short learning."""
    seen, done, settings = KINDS[kind]
    policy = "MultiInputPolicy" if isinstance(seen, spaces.Dict) else "MlpPolicy"
    return save_of(PPO, policy, seen, done, **settings)


def save_of(algorithm: Any, policy: str, seen: spaces.Space, done: spaces.Space, **settings: Any) -> bytes:
    torch.manual_seed(0)
    more = {"batch_size": 16, "n_epochs": 2} if algorithm is PPO else {}
    model = algorithm(policy, Bandit(seen, done), n_steps=16, seed=0, device="cpu", **more, **settings)
    model.learn(32)
    with torch.no_grad():
        model.policy.action_net.weight.mul_(100)  # so that the samples do not all lead to the same action
        model.policy.action_net.bias.zero_()
    buffer = io.BytesIO()
    model.save(buffer)
    return buffer.getvalue()


def a2c() -> bytes:
    return save_of(A2C, "MlpPolicy", box(4), spaces.Discrete(3))


def samples(space: spaces.Space, count: int = 200) -> Any:
    """`count` observations in one batch."""
    space.seed(7)
    found = [space.sample() for _ in range(count)]
    if isinstance(space, spaces.Dict):
        return {key: np.stack([each[key] for each in found]) for key in found[0]}
    return np.stack(found)


def told(predict: Callable[..., Any], space: spaces.Space) -> np.ndarray:
    """Deterministic actions on the samples."""
    return np.asarray(predict(samples(space), deterministic=True)[0])
