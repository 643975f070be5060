"""`stockbot/policy.json`: all that makes a policy but its weights. Strict JSON, sorted keys; no clock, no path."""

import json
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import Fields, whole
from rl.policy_format.hyper import check_hyper
from rl.policy_format.registry import ACTIVATIONS, EXTRACTORS, POLICIES, read_arguments
from rl.policy_format.space_spec import Space, check_action_space, check_space, flat_size

FORMAT: Final = "stockbot-policy"
VERSION: Final = 1
MEMBER: Final = "stockbot/policy.json"
MOST_LAYERS, MOST_WIDTH = 8, 4096
MOST_NUMBERS: Final = 1 << 28
"""Weights of a policy."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PolicySpec:
    """A policy as the file tells it. `net_arch`: widths of the hidden layers of policy and value.

    `policy_kwargs`, `extractor_kwargs`: plain JSON values of the entries in rl.policy_format.registry. `steps`: how
    long it was trained. `observation_sha256`: of `stockbot/observation.json`, None without one. `source_sha256`: of
    the file that it was imported from, None for one that was trained here; `sb3`: the version that wrote it first.
    """

    policy: str
    policy_kwargs: dict[str, Any]
    observation_space: Space
    action_space: Space
    net_arch: dict[str, list[int]]
    activation_fn: str
    extractor: str
    extractor_version: int
    extractor_kwargs: dict[str, Any]
    hyper: dict[str, Any]
    steps: int
    weights_sha256: str
    observation_sha256: str | None
    source_sha256: str | None
    sb3: str

    def as_dict(self) -> dict[str, Any]:
        """The member's value."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "algo": "PPO",
            "policy": self.policy,
            "policy_kwargs": self.policy_kwargs,
            "observation_space": self.observation_space,
            "action_space": self.action_space,
            "net_arch": self.net_arch,
            "activation_fn": self.activation_fn,
            "features_extractor": {
                "name": self.extractor, "version": self.extractor_version, "kwargs": self.extractor_kwargs,
            },
            "hyper": self.hyper,
            "steps": self.steps,
            "weights_sha256": self.weights_sha256,
            "observation_sha256": self.observation_sha256,
            "source": {"sha256": self.source_sha256, "sb3": self.sb3},
        }  # fmt: skip

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Raises PolicyFileFault, which names the field."""
        fields = Fields(value, MEMBER)
        _check_version(fields)
        policy = fields.choice("policy", POLICIES)
        extractor, version, kwargs = _extractor(fields.object("features_extractor"), policy)
        policy_kwargs = fields.take("policy_kwargs")
        read_arguments(POLICIES[policy], policy_kwargs, f"{MEMBER}.policy_kwargs")
        source = fields.object("source")
        found = cls(
            policy=policy,
            policy_kwargs=policy_kwargs,
            observation_space=check_space(fields.take("observation_space"), f"{MEMBER}.observation_space"),
            action_space=check_action_space(fields.take("action_space"), f"{MEMBER}.action_space"),
            net_arch=_net_arch(fields.object("net_arch"), POLICIES[policy].one_net_arch),
            activation_fn=fields.choice("activation_fn", ACTIVATIONS),
            extractor=extractor,
            extractor_version=version,
            extractor_kwargs=kwargs,
            hyper=check_hyper(fields.take("hyper"), f"{MEMBER}.hyper"),
            steps=fields.whole("steps", 0, 2**53),
            weights_sha256=_sha256(fields, "weights_sha256"),
            observation_sha256=_optional_sha256(fields, "observation_sha256"),
            source_sha256=_optional_sha256(source, "sha256"),
            sb3=source.text("sb3", 32),
        )
        source.end()
        fields.end()
        if (found.observation_space["type"] == "dict") != (policy != "MlpPolicy"):
            raise PolicyFileFault(f"{MEMBER}: {policy} does not take such an observation_space", "space")
        return found

    def least_weights(self) -> int:
        """How many weights its layers have at least: with fewer in the file the network is not even built."""
        first = flat_size(self.observation_space) if self.extractor in ("flatten", "combined") else 0
        layers = [[first, *self.net_arch["pi"], flat_size(self.action_space)], [first, *self.net_arch["vf"], 1]]
        hidden = sum(before * after for widths in layers for before, after in pairwise(widths))
        return hidden + EXTRACTORS[self.extractor].least(self.extractor_kwargs, self._window_numbers())

    def _window_numbers(self) -> int:
        """Numbers in the window of one asset; 0 without windows."""
        shape = dict(self.observation_space.get("spaces", ())).get("window", {}).get("shape", ())
        return math.prod(shape[:1] + shape[2:]) if len(shape) == 3 else 0


def plain_json(value: Any) -> bytes:
    """A JSON member: sorted keys, no NaN, one form for one value."""
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def check_net_arch(value: Any, where: str) -> list[int]:
    """Widths of hidden layers. Raises PolicyFileFault."""
    if not isinstance(value, list) or len(value) > MOST_LAYERS:
        raise PolicyFileFault(f"{where} must be a list of at most {MOST_LAYERS}", "json")
    return [whole(width, 1, MOST_WIDTH, where) for width in value]


def _check_version(fields: Fields) -> None:
    if fields.take("format") != FORMAT or fields.take("algo") != "PPO":
        raise PolicyFileFault(f"{MEMBER} is no {FORMAT} of PPO", "version")
    version = fields.take("version")
    if version != VERSION or type(version) is not int:
        raise PolicyFileFault(f"{MEMBER} is of version {str(version)[:20]}; version {VERSION} is read", "version")


def _extractor(fields: Fields, policy: str) -> tuple[str, int, dict[str, Any]]:
    name = fields.choice("name", EXTRACTORS)
    version, kwargs = fields.whole("version", 1, 1000), fields.take("kwargs")
    entry = EXTRACTORS[name]
    if version != entry.version:
        raise PolicyFileFault(
            f"{fields.where} {name} is of version {version}; version {entry.version} is read", "version"
        )
    if policy not in entry.policies:
        raise PolicyFileFault(f"{fields.where} {name} does not go with {policy}", "json")
    read_arguments(entry, kwargs, f"{fields.where}.kwargs")
    fields.end()
    return name, version, kwargs


def _net_arch(fields: Fields, one: bool) -> dict[str, list[int]]:
    found = {name: check_net_arch(fields.take(name), f"{fields.where}.{name}") for name in ("pi", "vf")}
    fields.end()
    if one and found["pi"] != found["vf"]:
        raise PolicyFileFault(f"{fields.where} must hold the same widths twice for this policy", "json")
    return found


def _sha256(fields: Fields, key: str) -> str:
    value = fields.text(key)
    if not _SHA256.fullmatch(value):
        fields.refuse(key, "a sha256 in hexadecimal")
    return value


def _optional_sha256(fields: Fields, key: str) -> str | None:
    value = fields.take(key)
    if value is None:
        return None
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        fields.refuse(key, "null or a sha256 in hexadecimal")
    return value
