"""A zip of stock SB3's `PPO.save` as a policy document: what its pickles say is read, never run.

Everything that is not needed is ignored, but not unread: one name in any pickle that no plain PPO policy has refuses
the whole file, so that its owner learns that it is hostile.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rl.policy_format.fault import PolicyFileFault
from rl.policy_format.fields import read_json
from rl.policy_format.hyper import DEFAULTS, SCHEDULED, check_setting
from rl.policy_format.own import PolicyDocument, check_size
from rl.policy_format.spec import MOST_LAYERS, PolicySpec, check_net_arch
from rl.policy_format.weights import Weights
from rl.policy_format.weights import check as check_weights
from rl.policy_import import described, names, torch_zip
from rl.policy_import.pickle_reader import Budget, Call, Global, Read, read
from runfiles.hashes import sha256_of

MOST_DATA: Final = 8 << 20
SERIALIZED: Final = ":serialized:"
PICKLED: Final = frozenset(
    {"policy_class", "policy_kwargs", "observation_space", "action_space", "lr_schedule", "rollout_buffer_class",
     "rollout_buffer_kwargs", "_last_obs", "_last_original_obs", "_last_episode_starts", "ep_info_buffer",
     "ep_success_buffer", *DEFAULTS}
)  # fmt: skip
"""Attributes of a PPO that a save may hold as a pickle."""
SCHEDULES: Final = frozenset({"lr_schedule", *SCHEDULED, "clip_range_vf"})
KWARGS: Final = frozenset(
    {"net_arch", "ortho_init", "log_std_init", "optimizer_kwargs", "device", "share_features_extractor",
     "normalize_images", "activation_fn", "use_sde"}
)  # fmt: skip
_LAYER = re.compile(r"mlp_extractor\.(policy|value)_net\.(\d{1,3})\.weight")
_OTHER_KINDS = ("stable_baselines3.", "sb3_contrib.", "torch.optim.", "torch.nn.")

_PTH = ("policy.pth", "policy.optimizer.pth", "pytorch_variables.pth")
_NO_SHA256 = "0" * 64  # until the weights are written

Notes = list[str]


def read_foreign(content: bytes, members: Mapping[str, bytes]) -> tuple[PolicyDocument, Notes]:
    """The policy in the members of the zip `content`, and what of it was left out. Raises PolicyFileFault."""
    for name in ("data", "policy.pth"):
        if name not in members:
            raise PolicyFileFault(f"it lacks {name}, so that it is no policy that PPO.save wrote", "missing")
    budget, notes = Budget(), Notes()
    plain, pickled = _attributes(members["data"], budget)
    opened = {name: torch_zip.open_members(members[name], name) for name in _PTH if name in members}
    read_there = {name: read(inside["data.pkl"], name, budget) for name, inside in opened.items()}
    _check_names(read_there, lambda _: names.IN_WEIGHTS)
    _check_kind(plain, pickled)
    weights = torch_zip.tensors(opened["policy.pth"], read_there["policy.pth"].value, "policy.pth")
    check_weights(weights)
    spec = PolicySpec(
        **_network(plain, pickled, weights),
        hyper=_hyper(plain, pickled, notes),
        steps=_steps(plain),
        weights_sha256=_NO_SHA256,
        observation_sha256=None,
        source_sha256=sha256_of(content),
        sb3=_version(members),
    )
    checked = PolicySpec.from_dict(spec.as_dict())
    check_size(checked, weights)
    return PolicyDocument(checked, weights), notes


def _attributes(data: bytes, budget: Budget) -> tuple[dict[str, Any], dict[str, Read]]:
    """The attributes of the saved PPO that are plain JSON, and those that are pickles."""
    if len(data) > MOST_DATA:
        raise PolicyFileFault(f"data is larger than {MOST_DATA >> 20} MiB", "too_large")
    values = read_json(data, "data")
    if not isinstance(values, dict):
        raise PolicyFileFault("data must be an object", "json")
    pickled = {key: value for key, value in values.items() if isinstance(value, dict) and SERIALIZED in value}
    for key, value in values.items():
        if (key in pickled and key not in PICKLED) or _hides_pickle(value.values() if key in pickled else [value]):
            raise PolicyFileFault(f"data.{key[:40]} is a pickle where PPO.save writes none", "suspicious_pickle")
    found = {}
    for key, value in pickled.items():
        found[key] = read(_decoded(value[SERIALIZED], f"data.{key}"), f"data.{key}", budget)
    _check_names({f"data.{key}": each for key, each in found.items()}, _allowed)
    return {key: value for key, value in values.items() if key not in pickled}, found


def _decoded(text: Any, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise PolicyFileFault(f"the pickle in {where} is damaged", "pickle") from error


def _hides_pickle(values: Iterable[Any]) -> bool:
    """Whether a pickle stands below the first level."""
    return any(
        (isinstance(each, dict) and (SERIALIZED in each or _hides_pickle(each.values())))
        or (isinstance(each, list) and _hides_pickle(each))
        for each in values
    )  # fmt: skip


def _allowed(where: str) -> frozenset[Global]:
    return names.IN_DATA | names.IN_CODE if where.removeprefix("data.") in SCHEDULES else names.IN_DATA


def _check_names(found: Mapping[str, Read], allowed: Any) -> None:
    for where, each in found.items():
        for name in sorted(each.names - allowed(where), key=str):
            if name.module.startswith(_OTHER_KINDS):
                raise PolicyFileFault(
                    f"{where} is of {name}; PPO with MlpPolicy or MultiInputPolicy of plain SB3 is read", "unsupported"
                )
            if name.module.startswith("cloudpickle"):
                raise PolicyFileFault(f"{where} holds code of its own, which is never run", "suspicious_pickle")
            raise PolicyFileFault(
                f"{where} would import {name}, which no plain PPO policy does: it is hostile, or has its own classes",
                "suspicious_pickle",
            )


def _check_kind(plain: Mapping[str, Any], pickled: Mapping[str, Read]) -> None:
    if plain.get("use_sde"):
        raise PolicyFileFault("it explores by gSDE (use_sde), which is not read", "unsupported")
    for key in ("n_steps", "n_epochs", "clip_range", "gae_lambda"):
        if key not in plain and key not in pickled:
            raise PolicyFileFault(f"it is no PPO: data has no {key}", "unsupported")
    for key in ("policy_class", "observation_space", "action_space"):
        if key not in pickled:
            raise PolicyFileFault(f"data lacks {key}, as PPO.save writes it", "missing")


def _network(plain: Mapping[str, Any], pickled: Mapping[str, Read], weights: Weights) -> dict[str, Any]:
    """The fields of a PolicySpec that tell the network. Widths come from the weights, never from the file's word."""
    policy = pickled["policy_class"].value
    if policy not in (names.MLP, names.MULTI_INPUT):
        raise PolicyFileFault("data.policy_class is neither MlpPolicy nor MultiInputPolicy", "unsupported")
    multi = policy == names.MULTI_INPUT
    spaces = {key: described.space(pickled[key].value, key) for key in ("observation_space", "action_space")}
    return {
        "policy": "MultiInputPolicy" if multi else "MlpPolicy",
        "policy_kwargs": {},
        **spaces,
        "net_arch": {head: _widths(weights, stack) for head, stack in (("pi", "policy"), ("vf", "value"))},
        "activation_fn": _activation(plain, pickled),
        "extractor": "combined" if multi else "flatten",
        "extractor_version": 1,
        "extractor_kwargs": {},
    }


def _widths(weights: Weights, stack: str) -> list[int]:
    layers = {}
    for name, value in weights.items():
        found = _LAYER.fullmatch(name)
        if found and found[1] == stack:
            if value.ndim != 2:
                raise PolicyFileFault(f"the weights {name} are no table", "weights")
            layers[int(found[2])] = value.shape[0]
    if len(layers) > MOST_LAYERS or sorted(layers) != list(range(0, 2 * len(layers), 2)):
        raise PolicyFileFault(f"the hidden layers of {stack}_net must be 0 to {MOST_LAYERS} in a row", "weights")
    return check_net_arch([layers[place] for place in sorted(layers)], f"{stack}_net")


def _activation(plain: Mapping[str, Any], pickled: Mapping[str, Read]) -> str:
    told = pickled["policy_kwargs"].value if "policy_kwargs" in pickled else plain.get("policy_kwargs", {})
    kwargs = described.mapping(told, "policy_kwargs")
    if unknown := sorted(str(key)[:40] for key in set(kwargs) - KWARGS):
        raise PolicyFileFault(f"policy_kwargs has {unknown[0]}, which is not read", "unsupported")
    if kwargs.get("share_features_extractor", True) is not True or kwargs.get("use_sde", False) is not False:
        said = "policy_kwargs asks for two features extractors or gSDE, which is not read"
        raise PolicyFileFault(said, "unsupported")
    function = kwargs.get("activation_fn")
    if function is None:
        return "tanh"
    if not isinstance(function, Global) or function not in names.ACTIVATION:
        raise PolicyFileFault("policy_kwargs.activation_fn is none that is read", "unsupported")
    return names.ACTIVATION[function]


def _hyper(plain: Mapping[str, Any], pickled: Mapping[str, Read], notes: Notes) -> dict[str, Any]:
    """The settings that are plain numbers within bounds; for the others SB3's own, with a note."""
    found = {}
    for key, default in DEFAULTS.items():
        value = plain[key] if key in plain else _schedule(pickled[key].value) if key in pickled else default
        try:
            found[key] = check_setting(key, value, key)
        except PolicyFileFault:
            found[key] = default
            what = "is code, which is never run" if key in pickled else "is out of bounds"
            notes.append(f"{key} {what}; {default} is kept in its place, which matters only to training on")
    return found


def _schedule(value: Any) -> Any:
    """A schedule of SB3's own as JSON; of anything else what `check_setting` refuses."""
    if not isinstance(value, Call) or value.args or not isinstance(value.state, dict):
        return "code"
    if value.calls(names.FLOAT_SCHEDULE):
        return _schedule(value.state.get("value_schedule"))
    if value.calls(names.CONSTANT_SCHEDULE):
        return value.state.get("val")
    return dict(value.state) if value.calls(names.LINEAR_SCHEDULE) else "code"


def _steps(plain: Mapping[str, Any]) -> int:
    value = plain.get("num_timesteps")
    return value if type(value) is int and 0 <= value <= 2**53 else 0


def _version(members: Mapping[str, bytes]) -> str:
    told = members.get("_stable_baselines3_version", b"").decode("latin-1").strip()
    return told if re.fullmatch(r"[0-9A-Za-z.+-]{1,32}", told) else "unknown"
