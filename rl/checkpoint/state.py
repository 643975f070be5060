"""A training between two updates, as arrays and plain values, and a fresh PPO brought to where it stood.

| arrays                     | content                                                                               |
|----------------------------|---------------------------------------------------------------------------------------|
| `policy.*`                 | every parameter and kept buffer, by torch's name                                      |
| `optimizer.<key>.*`        | the optimiser's numbers of each parameter                                             |
| `book.*` `total.*` `extra.*` `sharpe.*` `episode.*` | each book, float64, with its episode's counters              |
| `seen.*`                   | last observation: bars and `portfolio`; and which books had just begun                |
| `ended.*`                  | reward, bars and growth of the last episodes, which the curves average                |
| `log.*`                    | what the next row of the curves has so far                                            |
| `chance.*`                 | generators (rl.checkpoint.chance)                                                     |
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO

from rl.checkpoint import chance
from rl.checkpoint.chance import Chance
from rl.checkpoint.fault import CheckpointFault, CheckpointMisfit
from rl.policy_format.fault import PolicyFileFault
from rl.vec_env import PortfolioVecEnv

Arrays = dict[str, NDArray[Any]]
_ENDED = {"r": np.float64, "l": np.int64, "growth": np.float64}


@dataclass(frozen=True)
class State:
    """`step` environment steps and `updates` (SB3's count of epochs) done. `log`: where each pending value does not go;
    `chance`: plain values of the generators.
    """

    step: int
    updates: int
    log: dict[str, list[str]]
    chance: dict[str, Any]
    arrays: Arrays


def take(model: PPO) -> State:
    """Copies of all that the rest of the training depends on. Nothing of the model changes."""
    env = _env(model)
    generators = chance.taken(env.chance, model.device)
    live = {**_policy(model), **_optimiser(model), **env.arrays(), **_seen(model, env)}
    arrays = {name: np.array(value) for name, value in live.items()} | _ended(model) | _log(model) | generators.arrays
    log = {name: [word for word in words if word] for name, words in model.logger.name_to_excluded.items()}
    return State(int(model.num_timesteps), int(model._n_updates), log, generators.plain, arrays)


def put(model: PPO, state: State) -> None:
    """Bring a fresh model of the same configuration to `state`; its logger is set already.

    Raises CheckpointMisfit where the arrays are those of another network or other books, CheckpointFault where a value
    is none.
    """
    env = _env(model)
    live = {**_policy(model), **env.arrays()}
    told = {name: value for name, value in state.arrays.items() if name.partition(".")[0] in _groups(live)}
    if {name: (value.shape, value.dtype) for name, value in told.items()} != {
        name: (value.shape, value.dtype) for name, value in live.items()
    }:
        raise CheckpointMisfit("its arrays are not those of this network and these books")
    for name, value in env.arrays().items():
        value[...] = told[name]
    _fill_policy(model, state.arrays)
    try:
        _fill_optimiser(model, state.arrays)
        _fill_counters(model, env, state)
        own = {name: value for name, value in state.arrays.items() if name.startswith("chance.")}
        chance.put(Chance(state.chance, own), env.chance, model.device)
    except (PolicyFileFault, ValueError, TypeError, KeyError, RuntimeError) as fault:
        raise CheckpointFault(f"a value in it is none that a training has ({fault})") from fault


def _env(model: PPO) -> PortfolioVecEnv:
    assert isinstance(model.env, PortfolioVecEnv)
    return model.env


def _groups(arrays: Arrays) -> set[str]:
    return {name.partition(".")[0] for name in arrays}


def _tensors(model: PPO) -> Iterator[tuple[str, torch.Tensor]]:
    """Every parameter and kept buffer once."""
    kept = model.policy.state_dict(keep_vars=True)
    for group in (model.policy.named_parameters(), model.policy.named_buffers()):
        yield from ((name, tensor) for name, tensor in group if name in kept)


def _policy(model: PPO) -> Arrays:
    return {f"policy.{name}": tensor.detach().cpu().numpy() for name, tensor in _tensors(model)}


def _fill_policy(model: PPO, arrays: Arrays) -> None:
    with torch.no_grad():
        for name, tensor in _tensors(model):
            tensor.copy_(torch.from_numpy(arrays[f"policy.{name}"]))


def _optimiser(model: PPO) -> Arrays:
    held = model.policy.optimizer.state
    return {
        f"optimizer.{key}.{name}": value.detach().cpu().numpy()
        for name, parameter in model.policy.named_parameters()
        for key, value in held.get(parameter, {}).items()
    }


def _fill_optimiser(model: PPO, arrays: Arrays) -> None:
    parameters = dict(model.policy.named_parameters())
    held = model.policy.optimizer.state
    held.clear()
    for full, value in arrays.items():
        group, _, rest = full.partition(".")
        if group != "optimizer":
            continue
        key, _, name = rest.partition(".")
        parameter = parameters[name]
        if value.shape not in ((), tuple(parameter.shape)):
            raise CheckpointMisfit(f"its optimiser's {key} of {name} has another shape than the parameter")
        tensor = torch.from_numpy(value.copy())
        held[parameter][key] = tensor if not value.shape else tensor.to(parameter.device)


def _seen(model: PPO, env: PortfolioVecEnv) -> Arrays:
    sight = env.sight()
    begun = np.asarray(model._last_episode_starts, dtype=np.bool_)
    return {"seen.bars": sight.bars.astype(np.int32), "seen.portfolio": sight.portfolio, "seen.begun": begun}


def _ended(model: PPO) -> Arrays:
    found = model.ep_info_buffer or ()
    return {f"ended.{key}": np.array([each[key] for each in found], kind) for key, kind in _ENDED.items()}


def _log(model: PPO) -> Arrays:
    """Whole numbers stay whole: the table of curves writes 3 and 3.0 apart."""
    return {f"log.{name}": _plain(value) for name, value in model.logger.name_to_value.items()}


def _plain(value: Any) -> NDArray[Any]:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    return np.array(value, np.int64 if isinstance(value, int) else None)


def _fill_counters(model: PPO, env: PortfolioVecEnv, state: State) -> None:
    """SB3's own counters, its last observation, its last episodes and the curves' pending row."""
    sight, arrays = env.sight(), state.arrays
    if not (
        np.array_equal(sight.bars, arrays["seen.bars"]) and np.array_equal(sight.portfolio, arrays["seen.portfolio"])
    ):
        raise CheckpointMisfit("its books see something else here than what they saw")
    model._last_obs = env.observed()
    model._last_episode_starts = arrays["seen.begun"].copy()
    model.num_timesteps, model._n_updates = state.step, state.updates
    columns = [arrays[f"ended.{key}"].tolist() for key in _ENDED]
    ended = [dict(zip(_ENDED, row, strict=True)) for row in zip(*columns, strict=True)]
    model.ep_info_buffer = deque(ended, maxlen=model._stats_window_size)
    model.ep_success_buffer = deque(maxlen=model._stats_window_size)
    for name, words in state.log.items():
        value = arrays[f"log.{name}"]
        model.logger.record(name, value.item() if not value.shape else value, tuple(words) or None)
