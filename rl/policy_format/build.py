"""From a spec and weights to an SB3 policy that acts, and from a policy to its spec and weights."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.utils import ConstantSchedule, FloatSchedule, LinearSchedule
from torch import nn

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.hyper import DEFAULTS, SCHEDULED
from rl.policy_format.registry import ACTIVATIONS, EXTRACTORS, POLICIES, Entry, plain_arguments, read_arguments
from rl.policy_format.spaces import plain_space, space_of
from rl.policy_format.spec import MEMBER, PolicySpec
from rl.policy_format.weights import Weights

_PLAIN_KWARGS = frozenset(
    {"net_arch", "activation_fn", "features_extractor_class", "features_extractor_kwargs", "log_std_init", "ortho_init",
     "optimizer_class", "optimizer_kwargs"}
)  # fmt: skip
"""Of `policy_kwargs`: told by fields of their own, or of no account once there are weights."""


class NoOptimiser:
    """Stands where SB3 makes an optimiser: a policy that only acts needs none, and torch's brings its compiler."""

    def __init__(self, parameters: Any, lr: float, **settings: Any) -> None:
        """Takes what an optimiser takes, and keeps nothing."""


@dataclass(frozen=True)
class Parts:
    """What SB3 makes a policy from: its class, and the `policy_kwargs` that PPO is given."""

    policy_class: type[ActorCriticPolicy]
    kwargs: dict[str, Any]


def parts_of(spec: PolicySpec) -> Parts:
    """Class and keyword arguments, by the registry's names alone. Raises PolicyFileFault."""
    policy, extractor = POLICIES[spec.policy], EXTRACTORS[spec.extractor]
    activation = _named(ACTIVATIONS[spec.activation_fn])
    kwargs = read_arguments(policy, spec.policy_kwargs, f"{MEMBER}.policy_kwargs")
    kwargs |= {"net_arch": _net_arch(spec, policy), "activation_fn": activation}
    if extractor.arguments or extractor.activation:
        given = read_arguments(extractor, spec.extractor_kwargs, f"{MEMBER}.features_extractor.kwargs")
        kwargs["features_extractor_class"] = _named(extractor.dotted)
        kwargs["features_extractor_kwargs"] = given | ({"activation_fn": activation} if extractor.activation else {})
    return Parts(_named(policy.dotted), kwargs)


def build_policy(spec: PolicySpec, weights: Weights) -> ActorCriticPolicy:
    """The policy on the CPU, in evaluation mode. Draws nothing from torch's generator.

    Raises PolicyFileFault where the weights are not exactly those of the network.
    """
    parts = parts_of(spec)
    observation_space, action_space = space_of(spec.observation_space), space_of(spec.action_space)
    with torch.random.fork_rng(devices=[]):
        try:
            policy = parts.policy_class(
                observation_space, action_space, ConstantSchedule(0.0), **parts.kwargs, ortho_init=False,
                optimizer_class=NoOptimiser,
            )  # fmt: skip
        except (ValueError, TypeError, AssertionError, RuntimeError, KeyError, AttributeError) as error:
            raise PolicyFileFault("its network cannot be built: spaces and arguments do not fit", "weights") from error
    _fill(policy, weights)
    policy.set_training_mode(False)
    return policy


def weights_of(policy: nn.Module) -> dict[str, NDArray[np.float32]]:
    """Every parameter and kept buffer of a module once, by its first name, copied to float32 of the CPU."""
    return {name: tensor.detach().cpu().numpy().astype(np.float32) for name, tensor in _tensors(policy).items()}


def check_acts(policy: ActorCriticPolicy) -> None:
    """One forward pass on seeded samples. Raises PolicyFileFault where it fails, or an answer is not finite."""
    space = policy.observation_space
    space.seed(0)
    seen = [space.sample() for _ in range(4)]
    batch = (
        {key: np.stack([each[key] for each in seen]) for key in seen[0]}
        if isinstance(seen[0], dict)
        else np.stack(seen)
    )
    try:
        with torch.inference_mode():
            answers = policy(policy.obs_to_tensor(batch)[0], deterministic=True)
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AssertionError) as error:
        raise PolicyFileFault("the network cannot read what its observation space holds", "weights") from error
    if not all(bool(torch.isfinite(each.float()).all()) for each in answers):
        raise PolicyFileFault("the network's answer to an observation is not finite", "weights")


def describe(
    policy: ActorCriticPolicy, settings: Mapping[str, Any], policy_kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of a PolicySpec that a living policy tells. Raises PolicyFileFault for a class without a name."""
    name = _name_of(type(policy), POLICIES, "policy")
    extractor = _name_of(type(policy.features_extractor), EXTRACTORS, "features extractor")
    _check_told(policy_kwargs, _PLAIN_KWARGS | set(POLICIES[name].arguments))
    _check_told(policy.features_extractor_kwargs, {"activation_fn"} | set(EXTRACTORS[extractor].arguments))
    widths = policy.net_arch if isinstance(policy.net_arch, dict) else {"pi": policy.net_arch, "vf": policy.net_arch}
    return {
        "policy": name,
        "policy_kwargs": plain_arguments(POLICIES[name], policy_kwargs),
        "observation_space": plain_space(policy.observation_space),
        "action_space": plain_space(policy.action_space),
        "net_arch": {head: [int(width) for width in widths.get(head, [])] for head in ("pi", "vf")},
        "activation_fn": _activation_name(policy.activation_fn),
        "extractor": extractor,
        "extractor_version": EXTRACTORS[extractor].version,
        "extractor_kwargs": plain_arguments(EXTRACTORS[extractor], policy.features_extractor_kwargs),
        "hyper": {key: _setting(key, settings[key]) for key in DEFAULTS},
    }


def _check_told(given: Mapping[str, Any], told: set[str] | frozenset[str]) -> None:
    """An argument that the file does not tell could change what the policy does."""
    if untold := sorted(set(given) - told):
        raise PolicyFileFault(f"the argument {untold[0]} stands in no registry", "unsupported")


def schedule_of(value: Any) -> Any:
    """SB3's schedule of a setting, or the number itself."""
    return LinearSchedule(**value) if isinstance(value, dict) else float(value)


def _setting(key: str, value: Any) -> Any:
    if key in SCHEDULED:
        return _plain_schedule(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(DEFAULTS[key], int):
        return int(value)
    return float(value(1.0)) if callable(value) else float(value)


def _plain_schedule(value: Any) -> Any:
    """A number, or a linear schedule; of any other schedule what it begins with."""
    if isinstance(value, FloatSchedule):
        value = value.value_schedule
    if isinstance(value, LinearSchedule):
        return {name: float(getattr(value, name)) for name in ("start", "end", "end_fraction")}
    return float(value(1.0)) if callable(value) else float(value)


def _fill(policy: nn.Module, weights: Weights) -> None:
    tensors = _tensors(policy)
    told, wanted = ({name: tuple(each.shape) for name, each in group.items()} for group in (weights, tensors))
    if told != wanted:
        name = min(name for name in {**told, **wanted} if told.get(name) != wanted.get(name))
        shapes = (str(list(each[name])) if name in each else "absent" for each in (told, wanted))
        raise PolicyFileFault("the weights {} are {}, where the network has {}".format(name[:80], *shapes), "weights")
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(np.array(weights[name], dtype=np.float32)))


def _tensors(policy: nn.Module) -> dict[str, torch.Tensor]:
    kept = policy.state_dict(keep_vars=True)
    return {
        name: tensor
        for group in (policy.named_parameters(), policy.named_buffers())
        for name, tensor in group
        if name in kept
    }


def _net_arch(spec: PolicySpec, policy: Entry) -> Any:
    return list(spec.net_arch["pi"]) if policy.one_net_arch else {key: list(w) for key, w in spec.net_arch.items()}


def _named(dotted: str) -> Any:
    module, name = dotted.split(":")
    return getattr(importlib.import_module(module), name)


def _name_of(found: type, entries: Mapping[str, Entry], what: str) -> str:
    dotted = f"{found.__module__}:{found.__name__}"
    for name, entry in entries.items():
        if entry.dotted == dotted:
            return name
    raise PolicyFileFault(f"the {what} {found.__name__} stands in no registry", "unsupported")


def _activation_name(found: type[nn.Module]) -> str:
    dotted = f"{found.__module__}:{found.__name__}"
    for name, each in ACTIVATIONS.items():
        if each == dotted:
            return name
    raise PolicyFileFault(f"the activation {found.__name__} stands in no registry", "unsupported")
