"""One training: PPO on a task, looked at on the validation range, best and last policy kept in a run directory."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO

from marketdata.config_base import config_hash
from marketdata.regime import inputs_hash
from marketdata.splits import Range
from rl import policy_file
from rl.actor import Actor, Episode, whole_episode
from rl.alarms import Alarm, Sameness, Watch
from rl.callbacks import Look, Progress, Selection, make_logger
from rl.checkpoint import state
from rl.checkpoint.callback import Checkpoints
from rl.checkpoint.file import Checkpoint, Fit
from rl.checkpoint.made_with import made_with
from rl.config import TrainConfig, rollout_steps
from rl.diagnostics import RolloutDiagnostics
from rl.gradients import GradientNotFinite
from rl.learned_days import LearnedDays
from rl.news import News
from rl.ppo import make_model, total_steps
from rl.task import Task
from runfiles import atomic, layout
from runfiles.events import EventWriter
from runfiles.hashes import sha256_of
from runfiles.job import JobCancelled


class TrainingDiverged(ValueError):
    """The network's numbers are no longer finite; the message is one sentence."""


@dataclass(frozen=True)
class Trained:
    """The looks at the validation range, in order, and the best of them; `sha256` of each policy file as written."""

    looks: tuple[Look, ...]
    best: Look
    sha256: dict[str, str]


class _Kept:
    """The policy files of a run directory: `best` holds the bytes of the best one, `sha256` of each as written."""

    def __init__(self, folder: Path, pack: Callable[[], bytes]) -> None:
        self._folder, self._pack = folder, pack
        self.best: bytes | None = None
        self.sha256: dict[str, str] = {}

    def keep_last(self) -> None:
        self._write(layout.LAST_POLICY, self._pack())

    def keep_best(self) -> None:
        self.put_best(self._pack())

    def put_best(self, content: bytes) -> None:
        self._write(layout.BEST_POLICY, content)
        self.best = content

    def _write(self, name: str, content: bytes) -> None:
        atomic.write_bytes(self._folder / name, content)
        self.sha256[name] = sha256_of(content)


def train(task: Task, config: TrainConfig, validation: Range, folder: Path, events: EventWriter,
          log: Callable[[str], None], rows_sha256: str = "", begun: Checkpoint | None = None,
          rate: float | None = None) -> Trained:  # fmt: skip
    """Train by `config` and leave `ppo_policy.zip`, `best_policy.zip`, `checkpoints/`, `tb/` and `progress.csv` in
    `folder`; where the training has `begun` already, from there on, as if it had never stopped.

    `rows_sha256`: `learned_days.rows_hash` of the features on the training bars, for the policy files. `rate`: steps a
    second that are expected, for the first news.
    Raises TrainingDiverged, DeviceMissing where the device is not there, and CheckpointMisfit or CheckpointFault where
    `begun` is of another training. Told to stop (JobCancelled) it writes a checkpoint first.
    """
    model, total = make_model(task, config.model, config.training), total_steps(config.model, config.training)
    news = News(events, log, model, total)
    news.begins(config.model.policy)
    model.set_logger(make_logger(folder, begun.step if begun else 0, rollout_steps(config.model, config.training), log))
    learned = LearnedDays.of(task.market.bars.session, task.train, validation, rows_sha256, _regime_rows(task))
    kept = _Kept(folder, lambda: policy_file.pack(
        model, task.normaliser, task.layout, learned, task.regime, config.taught
    ))  # fmt: skip
    selection = Selection(
        score=_scorer(model, task, validation, news.alarm),
        keep=kept.keep_best,
        told=lambda look, is_best: news.looked(look, selection.best, is_best),
        every=config.training.eval_every,
        patience=config.training.early_stop,
    )
    fit, made = _fit(task, config), made_with(model.device)
    checkpoints = Checkpoints(
        folder,
        lambda: Checkpoint(fit, total, tuple(selection.looks), kept.best, state.take(model), made),
        config.training.checkpoint_every,
    )
    try:
        if begun is not None:
            _go_on(begun, fit, model, selection, kept)
            news.goes_on(begun, made)
        model.learn(
            total - model.num_timesteps,
            callback=[
                Progress(events, total, expected=rate),
                RolloutDiagnostics(task.layout),
                Watch(news.alarm),
                selection,
                checkpoints,
            ],
            reset_num_timesteps=False,  # a fresh model has none; one that goes on keeps its books
        )
    except (JobCancelled, KeyboardInterrupt):
        _save_what_is_held(checkpoints, news)
        raise
    except ValueError as error:  # SB3's distributions and our simulator both refuse what is not finite
        if (said := diverged(error, model)) is None:
            raise
        news.alarm(Alarm("nan", f"{said}.", math.nan))
        raise TrainingDiverged(said) from error
    finally:
        model.logger.close()
    if selection.stopped:
        news.stopped_early(config.training.early_stop, selection.best)
    kept.keep_last()
    return Trained(tuple(selection.looks), selection.best, kept.sha256)


def _fit(task: Task, config: TrainConfig) -> Fit:
    """What a checkpoint of this training fits."""
    normaliser = task.normaliser
    numbers = {"mean": normaliser.mean, "std": normaliser.std, "clip": np.array(normaliser.clip)}
    return Fit(config_hash(config), task.windows.sha256, numbers)


def _go_on(begun: Checkpoint, fit: Fit, model: PPO, selection: Selection, kept: _Kept) -> None:
    """Bring everything to where the training stood. Raises CheckpointMisfit, CheckpointFault."""
    begun.fit.require(fit)
    state.put(model, begun.state)
    selection.recall(begun.looks)
    if begun.best is not None:
        kept.put_best(begun.best)


def _save_what_is_held(checkpoints: Checkpoints, news: News) -> None:
    try:
        checkpoints.write()
    except OSError as error:  # the end that was asked for must come all the same
        news.lacks_checkpoint(error)
        return
    news.stopped(checkpoints.held)


def _regime_rows(task: Task) -> str:
    """Which bars the regime model was to be fitted on; empty without one."""
    return inputs_hash(task.market.bars, task.regime.inputs, task.train) if task.regime else ""


def _is_finite(model: PPO) -> bool:
    return all(bool(torch.isfinite(parameter).all()) for parameter in model.policy.parameters())


def diverged(error: ValueError, model: PPO) -> str | None:
    """How a training came to `error`, as a sentence without its stop; None where its numbers are finite."""
    if not isinstance(error, GradientNotFinite) and _is_finite(model):
        return None
    what = str(error) if isinstance(error, GradientNotFinite) else "the network's weights are no longer finite"
    return f"The training diverged: {what}; a smaller model.learning_rate helps"


def _scorer(model: PPO, task: Task, validation: Range, sound: Callable[[Alarm], None]) -> Callable[[], float]:
    """Scores the policy as it is on the validation range; sounds where it does one thing only."""
    sameness = Sameness()

    def score() -> float:
        found = _episode(model, task, validation)
        if alarm := sameness.look(found.weights):
            sound(alarm)
        return found.score

    return score


def _episode(model: PPO, task: Task, validation: Range) -> Episode:
    actor = Actor(model.policy, task.layout, task.windows, task.market)
    return whole_episode(actor, task.market, task.config, validation.t0, validation.t1)
