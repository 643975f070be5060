"""One training: PPO on a task, looked at on the validation range, best and last policy kept in a run directory."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from stable_baselines3 import PPO

from marketdata.regime import inputs_hash
from marketdata.splits import Range
from rl import policy_file
from rl.actor import Actor, Episode, whole_episode
from rl.alarms import Alarm, Sameness, Watch
from rl.callbacks import Look, Progress, Selection, make_logger
from rl.config import TrainConfig
from rl.diagnostics import RolloutDiagnostics
from rl.gradients import GradientNotFinite
from rl.learned_days import LearnedDays
from rl.ppo import make_model, total_steps
from rl.task import Task
from runfiles import layout
from runfiles.events import EventWriter


class TrainingDiverged(ValueError):
    """The network's numbers are no longer finite; the message is one sentence."""


@dataclass(frozen=True)
class Trained:
    """The looks at the validation range, in order, and the best of them; `sha256` of each policy file as written."""

    looks: tuple[Look, ...]
    best: Look
    n_weights: int
    sha256: dict[str, str]


def train(task: Task, config: TrainConfig, validation: Range, folder: Path, events: EventWriter,
          log: Callable[[str], None], rows_sha256: str = "") -> Trained:  # fmt: skip
    """Train by `config` and leave `ppo_policy.zip`, `best_policy.zip`, `tb/` and `progress.csv` in `folder`.

    `rows_sha256`: `learned_days.rows_hash` of the features on the training bars, for the policy files.
    Raises TrainingDiverged, and DeviceMissing where the device is not there.
    """
    model, total = make_model(task, config.model, config.training), total_steps(config.model, config.training)
    n_weights = sum(parameter.numel() for parameter in model.policy.parameters())
    log(f"{config.model.policy} with {n_weights:,} weights; {total:,} steps of {model.n_envs} books")
    model.set_logger(make_logger(folder))
    learned = LearnedDays.of(task.market.bars.session, task.train, validation, rows_sha256, _regime_rows(task))
    sha256: dict[str, str] = {}

    def keep(name: str) -> None:
        sha256[name] = policy_file.save(
            folder / name, model, task.normaliser, task.layout, learned, task.regime, config.taught
        )

    sound = _sounder(events, log, model)
    sameness = Sameness()

    def score() -> float:
        found = _episode(model, task, validation)
        if alarm := sameness.look(found.weights):
            sound(alarm)
        return found.score

    selection = Selection(
        score=score,
        keep=lambda: keep(layout.BEST_POLICY),
        told=_teller(events, log, total),
        every=config.training.eval_every,
        patience=config.training.early_stop,
    )
    try:
        model.learn(total, callback=[Progress(events, total), RolloutDiagnostics(task.layout), Watch(sound), selection])
    except ValueError as error:  # SB3's distributions and our simulator both refuse what is not finite
        if not isinstance(error, GradientNotFinite) and _is_finite(model):
            raise
        what = str(error) if isinstance(error, GradientNotFinite) else "the network's weights are no longer finite"
        sound(Alarm("nan", f"The training diverged: {what}; a smaller model.learning_rate helps.", math.nan))
        raise TrainingDiverged(f"The training diverged: {what}; a smaller model.learning_rate helps") from error
    finally:
        model.logger.close()
    if selection.stopped:
        log(f"stopped early: {config.training.early_stop} looks without a better policy than that of step "
            f"{selection.best.step:,}")  # fmt: skip
    keep(layout.LAST_POLICY)
    return Trained(tuple(selection.looks), selection.best, n_weights, sha256)


def _regime_rows(task: Task) -> str:
    """Which bars the regime model was to be fitted on; empty without one."""
    return inputs_hash(task.market.bars, task.regime.inputs, task.train) if task.regime else ""


def _is_finite(model: PPO) -> bool:
    return all(bool(torch.isfinite(parameter).all()) for parameter in model.policy.parameters())


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


def _teller(events: EventWriter, log: Callable[[str], None], total: int) -> Callable[[Look, bool], None]:
    """News of each look: a metric event for the page, a line for the log."""
    best = Look(0, -math.inf)

    def tell(look: Look, is_best: bool) -> None:
        nonlocal best
        best = look if is_best else best
        events.metric(
            validation_score=look.score, best_validation_score=best.score, best_step=best.step, step=look.step
        )
        mark = ", the best so far" if is_best else ""
        log(f"step {look.step:,} of {total:,}: {look.score * 1e4:+.2f} bps a bar on the validation range{mark}")

    return tell
