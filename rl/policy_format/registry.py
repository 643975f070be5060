"""Policies and features extractors by name. What a policy file may name is here, and nothing else is built from one.

A new network is one entry of EXTRACTORS (and one of POLICIES where it has a policy class of its own): name, version,
class by dotted path, the arguments that a file may give it. `version` goes up when the same arguments and weights mean
another function. Nothing here imports torch.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Protocol

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import number, whole

ACTIVATIONS: Final = {
    "tanh": "torch.nn.modules.activation:Tanh",
    "relu": "torch.nn.modules.activation:ReLU",
    "elu": "torch.nn.modules.activation:ELU",
    "leaky_relu": "torch.nn.modules.activation:LeakyReLU",
    "gelu": "torch.nn.modules.activation:GELU",
    "silu": "torch.nn.modules.activation:SiLU",
}


class Argument(Protocol):
    """A keyword argument that a file may give."""

    def read(self, value: Any, where: str) -> Any:
        """What the class is given. Raises PolicyFileFault."""

    def plain(self, value: Any) -> Any:
        """The JSON value of what the class was given."""


@dataclass(frozen=True)
class Whole:
    """An integer from `least` to `most`."""

    least: int
    most: int

    def read(self, value: Any, where: str) -> int:
        return whole(value, self.least, self.most, where)

    def plain(self, value: Any) -> Any:
        return int(value)


@dataclass(frozen=True)
class Number:
    """A finite number from `least` to `most`."""

    least: float
    most: float

    def read(self, value: Any, where: str) -> float:
        return number(value, self.least, self.most, where)

    def plain(self, value: Any) -> Any:
        return float(value)


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def read(self, value: Any, where: str) -> bool:
        if not isinstance(value, bool):
            raise PolicyFileFault(f"{where} must be true or false", "json")
        return value

    def plain(self, value: Any) -> Any:
        return bool(value)


@dataclass(frozen=True)
class Wholes:
    """A list of at most `count` integers, given as a tuple."""

    least: int
    most: int
    count: int

    def read(self, value: Any, where: str) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) > self.count:
            raise PolicyFileFault(f"{where} must be a list of at most {self.count}", "json")
        return tuple(whole(each, self.least, self.most, where) for each in value)

    def plain(self, value: Any) -> Any:
        return [int(each) for each in value]


@dataclass(frozen=True)
class Parts:
    """Parts of `portfolio`: the width of each, and whether it holds one number an asset."""

    most: int = 64

    def read(self, value: Any, where: str) -> tuple[tuple[int, bool], ...]:
        if not isinstance(value, list) or len(value) > self.most:
            raise PolicyFileFault(f"{where} must be a list of at most {self.most}", "json")
        for pair in value:
            if not isinstance(pair, list) or len(pair) != 2:
                raise PolicyFileFault(f"{where} must hold pairs of a width and true or false", "json")
        return tuple((whole(width, 1, 10_000, where), Flag().read(flag, where)) for width, flag in value)

    def plain(self, value: Any) -> Any:
        return [[int(width), bool(flag)] for width, flag in value]


@dataclass(frozen=True)
class Entry:
    """A class that a file may name.

    `arguments`: what the file gives it; `activation`: it takes `activation_fn` as well. Of an extractor, `policies`
    that may have it, and `least`: a number of weights that it has at least, from its arguments and the numbers of one
    asset's window; of a policy, `one_net_arch` where it takes one list of widths instead of two, `any_assets` where
    the same weights act on any number of assets (`parts` of its extractor follow them).
    """

    dotted: str
    version: int = 1
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    activation: bool = False
    policies: tuple[str, ...] = ()
    one_net_arch: bool = False
    any_assets: bool = False
    least: Callable[[Mapping[str, Any], int], int] = lambda given, numbers: 0


POLICIES: Final[Mapping[str, Entry]] = {
    "MlpPolicy": Entry("stable_baselines3.common.policies:ActorCriticPolicy"),
    "MultiInputPolicy": Entry("stable_baselines3.common.policies:MultiInputActorCriticPolicy"),
    "AssetSharedPolicy": Entry("rl.networks:AssetSharedPolicy", one_net_arch=True),
    "SetAttentionPolicy": Entry("rl.set_attention:SetAttentionPolicy", one_net_arch=True, any_assets=True),
}

EXTRACTORS: Final[Mapping[str, Entry]] = {
    "flatten": Entry("stable_baselines3.common.torch_layers:FlattenExtractor", policies=("MlpPolicy",)),
    "combined": Entry("stable_baselines3.common.torch_layers:CombinedExtractor", policies=("MultiInputPolicy",)),
    "asset_shared": Entry(
        "rl.networks:AssetEncoder",
        arguments={"features_dim": Whole(1, 4096), "parts": Parts()},
        activation=True,
        policies=("AssetSharedPolicy",),
        least=lambda given, numbers: given["features_dim"] * numbers,
    ),
    "window_cnn": Entry(
        "rl.window_cnn:ConvEncoder",
        arguments={
            "features_dim": Whole(1, 4096),
            "parts": Parts(),
            "channels": Wholes(1, 128, 6),
            "kernel": Whole(1, 16),
        },
        activation=True,
        policies=("AssetSharedPolicy",),
        least=lambda given, numbers: given["kernel"] * sum(map(math.prod, pairwise(given["channels"]))),
    ),
    "window_lstm": Entry(
        "rl.window_lstm:LstmEncoder",
        arguments={"features_dim": Whole(1, 4096), "parts": Parts(), "hidden": Whole(1, 256), "layers": Whole(1, 2)},
        activation=True,
        policies=("AssetSharedPolicy",),
        least=lambda given, numbers: given["hidden"] * (4 * given["layers"] * given["hidden"] + given["features_dim"]),
    ),
    "set_attention": Entry(
        "rl.set_attention:AttentionEncoder",
        arguments={"features_dim": Whole(1, 4096), "parts": Parts(), "heads": Whole(1, 16)},
        activation=True,
        policies=("SetAttentionPolicy",),
        least=lambda given, numbers: given["features_dim"] * (numbers + 4 * given["features_dim"]),
    ),
}


def read_arguments(entry: Entry, given: Any, where: str) -> dict[str, Any]:
    """The keyword arguments of an entry out of a JSON object. Raises PolicyFileFault."""
    if not isinstance(given, dict) or set(given) != set(entry.arguments):
        wanted = ", ".join(sorted(entry.arguments)) or "nothing"
        raise PolicyFileFault(f"{where} must hold {wanted}", "json")
    return {name: argument.read(given[name], f"{where}.{name}") for name, argument in entry.arguments.items()}


def plain_arguments(entry: Entry, given: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of an entry's keyword arguments."""
    return {name: argument.plain(given[name]) for name, argument in entry.arguments.items()}
