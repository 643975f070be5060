"""The policy file: an SB3 zip that plain `PPO.load` opens, re-packed so that the same policy gives the same bytes.

| member                        | content                                                                        |
|-------------------------------|--------------------------------------------------------------------------------|
| `data`                        | SB3's attributes as JSON, without clocks, paths, last observations, generators |
| `policy.pth`, `policy.optimizer.pth`, `pytorch_variables.pth` | tensors                                        |
| `_stable_baselines3_version`  | version of the writer                                                          |
| `stockbot/obsnorm.json`       | mean, std, clip of each feature                                                |
| `stockbot/observation.json`   | what it sees, how its action is read (rl.observation), which days it learned from |
| `stockbot/training.json`      | how it was trained: groups of the training's configuration                     |
| `stockbot/regime.json`        | only with regimes: the model that was fitted on the training bars              |

`PPO.load` unpickles, so `load` compares the sha256 with the one that our own row or run holds *before* it opens the
file; it is called in a child process only.
"""

import copy
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.save_util import load_from_zip_file, save_to_zip_file

from marketdata.regime import RegimeFault, RegimeModel
from rl.learned_days import LearnedDays
from rl.normaliser import Normaliser
from rl.observation_layout import ObservationLayout
from runfiles import atomic

OBSNORM = "stockbot/obsnorm.json"
OBSERVATION = "stockbot/observation.json"
TRAINED = "trained"
MEMBERS = ("data", "policy.pth", "policy.optimizer.pth", "pytorch_variables.pth", "_stable_baselines3_version",
           OBSNORM, OBSERVATION)  # fmt: skip
REGIME = "stockbot/regime.json"
TAUGHT = "stockbot/training.json"
FIRST_DATE = (1980, 1, 1, 0, 0, 0)

# Bound to a clock, a machine, a path or one rollout; `PPO.load` does without all of them.
LEFT_OUT = frozenset(
    {"start_time", "_last_obs", "_last_original_obs", "_last_episode_starts", "ep_info_buffer", "ep_success_buffer",
     "tensorboard_log", "rollout_buffer_class", "rollout_buffer_kwargs", "_logger", "_custom_logger"}
)  # fmt: skip


class PolicyFileFault(ValueError):
    """The file is not the policy that was asked for; the message is one sentence."""


@dataclass(frozen=True)
class StoredPolicy:
    """A policy as it lies in a file, with what is needed to show it a market. `taught`: None in files of an
    earlier version. `model` acts; it cannot learn on."""

    model: PPO
    normaliser: Normaliser
    layout: ObservationLayout
    learned: LearnedDays
    regime: RegimeModel | None = None
    taught: dict[str, Any] | None = None


def pack(model: PPO, normaliser: Normaliser, layout: ObservationLayout, learned: LearnedDays,
         regime: RegimeModel | None = None, taught: dict[str, Any] | None = None) -> bytes:  # fmt: skip
    """The policy file's bytes; the same model gives the same bytes. `taught`: of `TrainConfig.taught`."""
    members = _sb3_members(model)
    members[OBSNORM] = _json(normaliser.as_dict())
    members[OBSERVATION] = _json(layout.as_dict() | {TRAINED: learned.as_dict()})
    if taught is not None:
        members[TAUGHT] = _json(taught)
    if regime is not None:
        members[REGIME] = _json(regime.as_dict())
    return _zip(members)


def save(path: Path, model: PPO, normaliser: Normaliser, layout: ObservationLayout, learned: LearnedDays,
         regime: RegimeModel | None = None, taught: dict[str, Any] | None = None) -> str:  # fmt: skip
    """Writes the policy file beside and renames it. Returns its sha256."""
    content = pack(model, normaliser, layout, learned, regime, taught)
    atomic.write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def load(path: Path, sha256: str) -> StoredPolicy:
    """Opens a policy of ours. Raises PolicyFileFault where the file is missing, another one, or not whole."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyFileFault(f"the policy file {path.name} cannot be read") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PolicyFileFault(f"the policy file {path.name} is not the one that was kept: its sha256 differs")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        missing = [name for name in MEMBERS if name not in archive.namelist()]
        if missing:
            raise PolicyFileFault(f"the policy file {path.name} lacks {', '.join(missing)}")
        seen = json.loads(archive.read(OBSERVATION))
        try:
            learned = LearnedDays.from_dict(seen.pop(TRAINED, None))
        except ValueError as error:
            raise PolicyFileFault(f"the policy file {path.name} does not fit this version: {error}") from error
        layout = ObservationLayout.from_dict(seen)
        normaliser = Normaliser.from_dict(json.loads(archive.read(OBSNORM)), len(layout.features))
        regime = _regime(path, archive, layout)
        taught = json.loads(archive.read(TAUGHT)) if TAUGHT in archive.namelist() else None
    return StoredPolicy(_open(content), normaliser, layout, learned, regime, taught)


def _regime(path: Path, archive: zipfile.ZipFile, layout: ObservationLayout) -> RegimeModel | None:
    """The model whose beliefs the layout names. Raises PolicyFileFault where the file holds another one, or none."""
    if not layout.regime:
        return None
    if REGIME not in archive.namelist():
        raise PolicyFileFault(f"the policy file {path.name} lacks {REGIME}")
    try:
        model = RegimeModel.from_dict(json.loads(archive.read(REGIME)))
    except RegimeFault as error:
        raise PolicyFileFault(f"the policy file {path.name} does not fit this version: {error}") from error
    if model.names != layout.regime:
        raise PolicyFileFault(
            f"the policy file {path.name} has {model.n_states} regimes, and sees {len(layout.regime)}"
        )
    return model


class NoOptimiser:
    """Stands where SB3 makes an optimiser: a policy that only acts needs none, and torch's brings its compiler."""

    def __init__(self, parameters: Any, lr: float, **settings: Any) -> None:
        """Takes what an optimiser takes, and keeps nothing."""

    def load_state_dict(self, state: dict[str, Any], strict: bool = True) -> None:
        """The stored state is for learning on."""


def _open(content: bytes) -> PPO:
    """The model of a policy file, for acting only."""
    data, _, _ = load_from_zip_file(io.BytesIO(content), device="cpu")
    settings = {**(data or {})["policy_kwargs"], "optimizer_class": NoOptimiser}
    return PPO.load(io.BytesIO(content), device="cpu", custom_objects={"policy_kwargs": settings})


def _sb3_members(model: PPO) -> dict[str, bytes]:
    """What SB3 would save, without LEFT_OUT and without the spaces' random generators."""
    data = {
        key: value for key, value in vars(model).items() if key not in LEFT_OUT | set(model._excluded_save_params())
    }
    data["observation_space"] = _without_generator(model.observation_space)
    data["action_space"] = _without_generator(model.action_space)
    data["n_envs"] = 1  # sizes a buffer when it is loaded, which then need not be as large as in training
    buffer = io.BytesIO()
    save_to_zip_file(buffer, data=data, params=model.get_parameters(), pytorch_variables={})
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name in MEMBERS}
    members["data"] = _readable_only(members["data"])
    return members


def _readable_only(data: bytes) -> bytes:
    """`data` without the readable copies beside each pickled value: they show memory addresses."""
    values: dict[str, Any] = json.loads(data)
    kept = (":type:", ":serialized:")
    for key, value in values.items():
        if isinstance(value, dict) and ":serialized:" in value:
            values[key] = {name: value[name] for name in kept}
    return _json(values)


def _without_generator(space: spaces.Space) -> spaces.Space:
    clean = copy.deepcopy(space)
    for part in (clean, *(clean.spaces.values() if isinstance(clean, spaces.Dict) else ())):
        part._np_random = None
    return clean


def _json(value: Any) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in (*MEMBERS, *(name for name in members if name not in MEMBERS)):
            entry = zipfile.ZipInfo(name, FIRST_DATE)
            entry.create_system = 3  # the same byte on every platform
            entry.external_attr = 0o640 << 16
            archive.writestr(entry, members[name])
    return buffer.getvalue()
