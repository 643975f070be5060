"""One training: PPO on a task, looked at on the validation range, best and last policy kept in a run directory."""

import hashlib
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
from rl.checkpoint.made_with import changes, made_with
from rl.config import TrainConfig, rollout_steps
from rl.diagnostics import RolloutDiagnostics
from rl.gradients import GradientNotFinite
from rl.learned_days import LearnedDays
from rl.ppo import make_model, total_steps
from rl.task import Task
from runfiles import atomic, layout
from runfiles.events import EventWriter
from runfiles.job import JobCancelled


class TrainingDiverged(ValueError):
    """The network's numbers are no longer finite; the message is one sentence."""


@dataclass(frozen=True)
class Trained:
    """The looks at the validation range, in order, and the best of them; `sha256` of each policy file as written."""

    looks: tuple[Look, ...]
    best: Look
    n_weights: int
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
        self.sha256[name] = hashlib.sha256(content).hexdigest()


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
    n_weights = sum(parameter.numel() for parameter in model.policy.parameters())
    log(f"{config.model.policy} with {n_weights:,} weights; {total:,} steps of {model.n_envs} books")
    model.set_logger(make_logger(folder, begun.step if begun else 0, rollout_steps(config.model, config.training)))
    learned = LearnedDays.of(task.market.bars.session, task.train, validation, rows_sha256, _regime_rows(task))
    kept = _Kept(folder, lambda: policy_file.pack(
        model, task.normaliser, task.layout, learned, task.regime, config.taught
    ))  # fmt: skip
    sound = _sounder(events, log, model)
    selection = Selection(
        score=_scorer(model, task, validation, sound),
        keep=kept.keep_best,
        told=lambda look, is_best: _tell(events, log, total, look, selection.best, is_best),
        every=config.training.eval_every,
        patience=config.training.early_stop,
    )
    fit, made = _fit(task, config), made_with()
    checkpoints = Checkpoints(
        folder,
        lambda: Checkpoint(fit, total, tuple(selection.looks), kept.best, state.take(model), made),
        config.training.checkpoint_every,
    )
    try:
        if begun is not None:
            _go_on(begun, fit, model, selection, kept)
            _tell_of(begun, made, events, log)
        model.learn(
            total - model.num_timesteps,
            callback=[
                Progress(events, total, expected=rate),
                RolloutDiagnostics(task.layout),
                Watch(sound),
                selection,
                checkpoints,
            ],
            reset_num_timesteps=False,  # a fresh model has none; one that goes on keeps its books
        )
    except (JobCancelled, KeyboardInterrupt):
        _save_what_is_held(checkpoints, log)
        raise
    except ValueError as error:  # SB3's distributions and our simulator both refuse what is not finite
        if not isinstance(error, GradientNotFinite) and _is_finite(model):
            raise
        raise _diverged(error, sound) from error
    finally:
        model.logger.close()
    if selection.stopped:
        log(f"stopped early: {config.training.early_stop} looks without a better policy than that of step "
            f"{selection.best.step:,}")  # fmt: skip
    kept.keep_last()
    return Trained(tuple(selection.looks), selection.best, n_weights, kept.sha256)


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


def _tell_of(begun: Checkpoint, made: dict[str, str], events: EventWriter, log: Callable[[str], None]) -> None:
    log(f"goes on from step {begun.step:,} of {begun.total:,}")
    if other := changes(begun.made_with, made):
        events.warning(f"The training was begun with another {'; '.join(other)}. What comes of it need not be what it "
                       "would have been without the stop.")  # fmt: skip


def _save_what_is_held(checkpoints: Checkpoints, log: Callable[[str], None]) -> None:
    try:
        checkpoints.write()
    except OSError as error:  # the end that was asked for must come all the same
        log(f"no checkpoint could be written ({error.strerror})")
        return
    if checkpoints.held is not None:
        log(f"stopped; the checkpoint is of step {checkpoints.held.step:,}")


def _regime_rows(task: Task) -> str:
    """Which bars the regime model was to be fitted on; empty without one."""
    return inputs_hash(task.market.bars, task.regime.inputs, task.train) if task.regime else ""


def _is_finite(model: PPO) -> bool:
    return all(bool(torch.isfinite(parameter).all()) for parameter in model.policy.parameters())


def _diverged(error: ValueError, sound: Callable[[Alarm], None]) -> TrainingDiverged:
    what = str(error) if isinstance(error, GradientNotFinite) else "the network's weights are no longer finite"
    said = f"The training diverged: {what}; a smaller model.learning_rate helps"
    sound(Alarm("nan", f"{said}.", math.nan))
    return TrainingDiverged(said)


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


def _sounder(events: EventWriter, log: Callable[[str], None], model: PPO) -> Callable[[Alarm], None]:
    """An alarm becomes an event of the run and a line of its log."""

    def sound(alarm: Alarm) -> None:
        value = alarm.value if math.isfinite(alarm.value) else None
        events.alarm(alarm.sentence, rule=alarm.rule, value=value, step=model.num_timesteps)
        log(f"alarm at step {model.num_timesteps:,}: {alarm.sentence}")

    return sound


def _tell(events: EventWriter, log: Callable[[str], None], total: int, look: Look, best: Look, is_best: bool) -> None:
    """News of a look: a metric event for the page, a line for the log."""
    events.metric(validation_score=look.score, best_validation_score=best.score, best_step=best.step, step=look.step)
    mark = ", the best so far" if is_best else ""
    log(f"step {look.step:,} of {total:,}: {look.score * 1e4:+.2f} bps a bar on the validation range{mark}")
