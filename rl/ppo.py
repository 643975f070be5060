"""SB3's PPO from the configuration, with every source of chance seeded from one number."""

import os
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.utils import LinearSchedule

from rl.config import DEFAULT_THREADS, TrainingConfig, rollout_steps
from rl.dropout import Dropout
from rl.learner import IndexedPPO
from rl.model_config import ModelConfig
from rl.nets import NETS, policy_of
from rl.rollout import Rollout
from rl.stock_buffer import BarRolloutBuffer
from rl.task import Task
from rl.vec_env import PortfolioVecEnv

Kind = TypeVar("Kind", bound=PPO)


class DeviceMissing(ValueError):
    """The device that was asked for is not there; the message is one sentence."""


@dataclass(frozen=True)
class Streams:
    """Independent sources of chance of one seed: episode starts, network and minibatches, first episode lengths."""

    draw: np.random.Generator
    torch_seed: int
    cut: np.random.Generator


def make_streams(seed: int) -> Streams:
    draw, network, cut = np.random.SeedSequence(seed).spawn(3)
    return Streams(np.random.default_rng(draw), int(network.generate_state(1)[0]), np.random.default_rng(cut))


def set_up_torch(training: TrainingConfig) -> torch.device:
    """Threads, determinism and device of this process. Raises DeviceMissing where CUDA is asked for and absent."""
    if training.device == "cuda" and not torch.cuda.is_available():
        raise DeviceMissing("training.device cuda needs a CUDA device and a CUDA build of torch; use auto or cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA needs to be deterministic
    torch.set_num_threads(training.threads or DEFAULT_THREADS)
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda" if training.device == "cuda" else "cpu")


def total_steps(model: ModelConfig, training: TrainingConfig) -> int:
    """`training.total_timesteps` rounded up to whole rollouts."""
    rollout = rollout_steps(model, training)
    return -(-training.total_timesteps // rollout) * rollout


def make_model(task: Task, model: ModelConfig, training: TrainingConfig) -> IndexedPPO:
    """A PPO on indices with fresh weights. Raises DeviceMissing."""
    made = _made(IndexedPPO, Rollout, {"lookback": task.layout.lookback}, task, model, training)
    made.net = NETS[model.policy].net(made.policy, task.windows, made.device)
    made.dropout = Dropout(model.dropout, made.net.units)
    return made


def make_stock(task: Task, model: ModelConfig, training: TrainingConfig) -> PPO:
    """SB3's own PPO with the same weights and environment, which ours is held against.

    Raises DeviceMissing, and ValueError for dropout, which SB3's lacks.
    """
    if model.dropout:
        raise ValueError("model.dropout must be 0 for a network that stock PPO trains")
    return _made(PPO, BarRolloutBuffer, {"windows": task.windows}, task, model, training)


def _made(kind: type[Kind], buffer: type[Any], of_buffer: dict[str, Any], task: Task, model: ModelConfig,
          training: TrainingConfig) -> Kind:  # fmt: skip
    device, streams = set_up_torch(training), make_streams(training.seeds[0])
    env = PortfolioVecEnv(task, training.books, streams.draw, streams.cut)
    policy, kwargs = policy_of(model, task.layout)
    made: Kind = kind(
        policy,
        env,
        learning_rate=_schedule(model.learning_rate, model.learning_rate_end),
        n_steps=model.n_steps,
        batch_size=model.batch_size,
        n_epochs=model.n_epochs,
        gamma=model.gamma,
        gae_lambda=model.gae_lambda,
        clip_range=_schedule(model.clip_range, model.clip_range_end),
        ent_coef=model.ent_coef,
        vf_coef=model.vf_coef,
        max_grad_norm=model.max_grad_norm,
        target_kl=model.target_kl,
        rollout_buffer_class=buffer,
        rollout_buffer_kwargs=of_buffer,
        policy_kwargs={**kwargs, "log_std_init": model.log_std_init},
        seed=streams.torch_seed,
        device=device,
    )
    return made


def _schedule(start: float, end: float | None) -> float | LinearSchedule:
    """SB3's, by the part of the training that remains: 1 before the first rollout, 0 in the last update."""
    return start if end is None else LinearSchedule(start, end, end_fraction=1.0)
