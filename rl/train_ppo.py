"""A training: `python -m rl.train_ppo RUN_DIR --datasets DIR`.

RUN_DIR holds `config.yaml`, a `TrainConfig`, and of a training that goes on `resumed/`. Phases: data → train → validate
→ judge → report. Before the data are loaded it asks whether there is room, and before it trains how long it will take
(rl.room). The policy is judged as it lies in its file, by the same road that a later backtest of it takes, so
that both leave the same tables. With several seeds the policies of all are judged as one subject (rl.together).
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from backtest import judge
from backtest.feed import Feed, left_out_of_features, load_feed, read_config, write_note
from backtest.holding import require_benchmark
from backtest.stamps import validation_stamp
from marketdata.config_base import ConfigFault
from marketdata.features import build_features, plan_of
from marketdata.splits import Ranges
from marketdata.walk_forward import ranges_of
from rl import room
from rl.checkpoint import resume
from rl.checkpoint.fault import CheckpointFault, CheckpointMisfit
from rl.config import TrainConfig
from rl.learned_days import rows_hash
from rl.policy_format.fault import PolicyFileFault
from rl.policy_strategy import PolicyStrategy
from rl.ppo import DeviceMissing
from rl.regime import regime_of
from rl.task import FeatureTable, Task, make_task
from rl.together import judge_together
from rl.training import Trained, TrainingDiverged, train
from runfiles import layout
from runfiles.job import Job, JobDiverged, JobRefused, run_job
from simulator.market import prepare_market


@dataclass(frozen=True)
class Prepared:
    """The data of a training, split, with the task made of its training bars; `rows_sha256` of the features on them."""

    feed: Feed
    ranges: Ranges
    task: Task
    rows_sha256: str


def run(job: Job) -> None:
    """The job. Raises JobRefused with one sentence for what is wrong with the input."""
    config = read_config(job, TrainConfig)
    if len(config.training.seeds) > 1:
        judge_together(job, config, run)
        return
    room.require(job, config)  # before anything large is read, a checkpoint too
    begun = resume.found(job.folder, job.events.warning)
    prepared = prepare(job, config)
    try:
        rate = room.expected_rate(job, config, prepared.task, prepared.ranges.validation, begun.step if begun else 0)
        job.events.enter("train")
        trained = train(
            prepared.task, config, prepared.ranges.validation, job.folder, job.events, job.log, prepared.rows_sha256,
            begun, rate,
        )  # fmt: skip
    except DeviceMissing as fault:
        raise JobRefused(f"{fault}.") from fault
    except TrainingDiverged as fault:
        raise JobDiverged(f"{fault}.") from fault
    except (CheckpointFault, CheckpointMisfit) as fault:
        raise JobRefused(f"The checkpoint does not fit this training: {fault}. Start the training again.") from fault
    kept = choose(job, config, trained)
    subject = open_policy(job.folder / kept, trained.sha256[kept])
    judge.judge_and_write(job, config, prepared.feed, prepared.ranges.test, subject, config.features)


def prepare(job: Job, config: TrainConfig) -> Prepared:
    """The data phase: bars, features, ranges, and the task of the training range."""
    feed = load_feed(job, config.dataset)
    bars, lookback = feed.bars, config.features.lookback
    try:
        config.model.require(bars.n_assets)
        plan = plan_of(config.features, bars)
        ranges = ranges_of(config.split, bars.session, lookback=lookback, warmup=plan.warmup)
        market = prepare_market(bars, config)
        features = build_features(bars, plan)
        table = FeatureTable(features.values, features.names)
        benchmark = config.evaluation.benchmark
        task = make_task(
            market, config, config.reward, config.features, table, train=ranges.train, benchmark=benchmark,
            regime=regime_of(config, bars, ranges.train),
        )  # fmt: skip
        require_benchmark(benchmark, market, ranges.test)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    write_note(job, feed, features)
    for sentence in left_out_of_features(plan):
        job.events.warning(sentence)
    _tell(job, feed, ranges, task)
    return Prepared(feed, ranges, task, rows_hash(features.values, ranges.train))


def choose(job: Job, config: TrainConfig, trained: Trained) -> str:
    """The validation phase: the file name of that one of the two kept policies which is judged."""
    job.events.enter("validate")
    job.events.metric(
        validation_score=trained.looks[-1].score, best_validation_score=trained.best.score, best_step=trained.best.step
    )
    best = config.evaluation.policy == "best"
    job.log(f"judged: the {'best on validation' if best else 'last'} policy, of step "
            f"{trained.best.step if best else trained.looks[-1].step:,}")  # fmt: skip
    return layout.BEST_POLICY if best else layout.LAST_POLICY


def open_policy(path: Path, sha256: str) -> PolicyStrategy:
    """The policy just written, from its file, which must still be the one that was written."""
    try:
        return PolicyStrategy(path, sha256)
    except PolicyFileFault as fault:
        raise JobRefused(f"{fault}.") from fault


def _tell(job: Job, feed: Feed, ranges: Ranges, task: Task) -> None:
    bars, session = feed.bars, feed.bars.session
    job.log(f"{feed.entry.id}: {bars.n_assets} symbols, {bars.n_bars:,} bars, {len(task.layout.channels)} features")
    for name in ("train", "validation", "test"):
        found = getattr(ranges, name)
        job.log(f"{name}: {session[found.t0]} to {session[found.t1]}, {found.n_bars:,} bars")
    held = ranges.validation
    for sentence in validation_stamp(held.n_bars, str(session[held.t0]), str(session[held.t1])):
        job.events.warning(sentence)


if __name__ == "__main__":
    raise SystemExit(run_job(run, sys.argv[1:]))
