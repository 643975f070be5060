"""The members of a policy file that stock SB3 reads: what `PPO.save` writes for this policy, and nothing else.

They are made from the spec and the weights alone, so that nothing of a training (clocks, paths, last observations,
generators, an optimiser's state) can be in them, and an imported policy gives the same bytes as one trained here.
"""

import copy
import io
import json
import zipfile
from typing import Any, Final

from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.save_util import save_to_zip_file
from stable_baselines3.common.utils import FloatSchedule

from rl.policy_format.build import parts_of, schedule_of
from rl.policy_format.own import SB3_MEMBERS
from rl.policy_format.spec import PolicySpec, plain_json

# Bound to a clock, a machine, a path or one rollout; `PPO.load` does without all of them.
LEFT_OUT: Final = frozenset(
    {"start_time", "_last_obs", "_last_original_obs", "_last_episode_starts", "ep_info_buffer", "ep_success_buffer",
     "tensorboard_log", "rollout_buffer_class", "rollout_buffer_kwargs", "_logger", "_custom_logger"}
)  # fmt: skip
_ADAM: Final = {
    "betas": (0.9, 0.999), "eps": 1e-05, "weight_decay": 0, "amsgrad": False, "maximize": False, "foreach": None,
    "capturable": False, "differentiable": False, "fused": None, "decoupled_weight_decay": False,
}  # fmt: skip


def sb3_members(spec: PolicySpec, policy: ActorCriticPolicy) -> dict[str, bytes]:
    """`policy` is `spec` built; it is only read."""
    model = _untrained(spec, policy)
    data = {
        key: value for key, value in vars(model).items() if key not in LEFT_OUT | set(model._excluded_save_params())
    }
    params = {"policy": policy.state_dict(), "policy.optimizer": fresh_adam(policy, model.lr_schedule(1.0))}
    buffer = io.BytesIO()
    save_to_zip_file(buffer, data=data, params=params, pytorch_variables={})
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in SB3_MEMBERS}
    members["data"] = _readable_only(members["data"])
    return members


def fresh_adam(policy: ActorCriticPolicy, rate: float) -> dict[str, Any]:
    """What `Adam(policy.parameters(), lr=rate, eps=1e-5).state_dict()` gives before its first step.

    Written down, because importing an optimiser brings torch's compiler, which takes longer than all else here.
    """
    count = len(list(policy.parameters()))
    return {"state": {}, "param_groups": [{"lr": rate, **_ADAM, "params": list(range(count))}]}


def _untrained(spec: PolicySpec, policy: ActorCriticPolicy) -> PPO:
    """A PPO whose attributes are those of `PPO.load`, with neither environment nor buffer."""
    parts, hyper = parts_of(spec), dict(spec.hyper)
    rates = {key: hyper.pop(key) for key in ("learning_rate", "clip_range")}
    model = PPO(
        parts.policy_class, None, policy_kwargs=parts.kwargs, device="cpu", _init_setup_model=False, **hyper,
        **{key: schedule_of(value) for key, value in rates.items()},
    )  # fmt: skip
    model.observation_space = _without_generator(policy.observation_space)
    model.action_space = _without_generator(policy.action_space)
    model.n_envs = 1  # sizes a buffer when it is loaded, which then need not be as large as in training
    model.num_timesteps = spec.steps
    model.lr_schedule = FloatSchedule(model.learning_rate)
    model.clip_range = FloatSchedule(model.clip_range)
    return model


def _readable_only(data: bytes) -> bytes:
    """`data` without the readable copies beside each pickled value: they show memory addresses."""
    values: dict[str, Any] = json.loads(data)
    kept = (":type:", ":serialized:")
    for key, value in values.items():
        if isinstance(value, dict) and ":serialized:" in value:
            values[key] = {name: value[name] for name in kept}
    return plain_json(values)


def _without_generator(space: spaces.Space) -> spaces.Space:
    clean = copy.deepcopy(space)
    for part in (clean, *(clean.spaces.values() if isinstance(clean, spaces.Dict) else ())):
        part._np_random = None
    return clean
