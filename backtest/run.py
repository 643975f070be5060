"""A backtest: `python -m backtest.run RUN_DIR --datasets DIR`, or by hand with `--config FILE --out DIR`
(and `--strategy module:Class` for strategies of one's own).

RUN_DIR holds `config.yaml`, a resolved `BacktestConfig`. A baseline never loads torch: the policy's class is a dotted
path until a policy is judged.
"""

import functools
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from backtest import judge
from backtest.config import BacktestConfig
from backtest.feed import Feed, load_feed, plan_for, read_config
from backtest.registry import POLICY, STRATEGIES, load
from backtest.runner import StrategyUnfit
from backtest.strategy import Sees, Strategy
from marketdata.config_base import ConfigFault
from marketdata.splits import Range, range_between
from marketdata.walk_forward import tested
from runfiles import layout
from runfiles.job import Job, JobRefused, leave, run_job
from runfiles.policy_list import PolicyList
from simulator.jit import start_quickly


def run(job: Job, own: Sequence[str] = ()) -> None:
    """The job: data, judge, report. `own`: dotted paths of strategies from the command line.

    Raises JobRefused with one sentence for bad input.
    """
    config = read_config(job, BacktestConfig)
    if own:
        config = with_own(own, config)
    elif config.policy_sha256 is None:
        start_quickly()
    feed, subject = load_feed(job, config.dataset), subject_of(job, config)
    try:
        config = with_features_of(subject, config)
        span = judged_range(config, feed)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    judge.judge_and_write(job, config, feed, span, subject, config.features)


def with_features_of(subject: Strategy, config: BacktestConfig) -> BacktestConfig:
    """The configuration with the features that the subject was made for. Raises ConfigFault where it names others."""
    if not isinstance(subject, Sees):
        return config
    if (given := config.features) is None:
        return config.model_copy(update={"features": subject.sees})
    faults = {
        f"features.{name}": [f"This policy was trained on {_words(right)}, not {_words(getattr(given, name))}."]
        for name in ("feature_set", "indicators", "lookback")
        if getattr(given, name) != (right := getattr(subject.sees, name))
    }
    if faults:
        raise ConfigFault(faults)
    return config


def _words(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, tuple) else str(value)


def with_own(paths: Sequence[str], config: BacktestConfig) -> BacktestConfig:
    """The configuration whose report shows these strategies too. Raises JobRefused."""
    from backtest.own import adopt

    try:
        return adopt(paths, config)
    except StrategyUnfit as fault:
        raise JobRefused(str(fault)) from fault


def judged_range(config: BacktestConfig, feed: Feed) -> Range:
    """The range by `start` and `end`, else the bars that the split tests on. Raises ConfigFault."""
    needed, lookback = 0, 0
    warmup = 0
    if config.features is not None:
        warmup = plan_for(config.features, feed.bars).warmup
        lookback = config.features.lookback
        needed = lookback + warmup
    if config.start is not None and config.end is not None:
        return range_between(feed.bars.session, config.start, config.end, needed=needed)
    return tested(config.split, feed.bars.session, lookback=lookback, warmup=warmup)


def subject_of(job: Job, config: BacktestConfig) -> Strategy:
    """The baseline named, or the policy whose file lies in the run directory. Raises JobRefused."""
    key = config.policy
    if key in STRATEGIES and key != POLICY:
        try:
            baseline: Strategy = load(key)(config)
        except StrategyUnfit as fault:
            raise JobRefused(str(fault)) from fault
        return baseline
    if config.policy_sha256 is not None and (job.folder / layout.MEMBERS_LIST).is_file():
        _require_one_book(job, config)
        return judged_together(job, config.policy_sha256)
    path = job.folder / layout.JUDGED_POLICY
    if config.policy_sha256 is None or not path.is_file():
        known = ", ".join(name for name in STRATEGIES if name != POLICY)
        raise JobRefused(f"policy: {key or config.run_id} is no baseline ({known}), and no policy file was given.")
    try:
        policy: Strategy = load(POLICY)(path, config.policy_sha256)
    except ValueError as fault:
        raise JobRefused(str(fault)) from fault
    return policy


def _require_one_book(job: Job, config: BacktestConfig) -> None:
    """Where a waterfall is asked for, which is of one book. Raises JobRefused."""
    try:
        listed = PolicyList.read(job.folder, config.policy_sha256)
    except ValueError as fault:
        raise JobRefused(str(fault)) from fault
    if config.evaluation.waterfall and len(listed.seeds) > 1:
        raise JobRefused("evaluation.waterfall: Several seeds have no decision in common; judge one of them.")


def judged_together(job: Job, sha256: str | None = None) -> Strategy:
    """The policies of several seeds or folds, whose files lie in the run directory; `sha256` of their list where it is
    known. Raises JobRefused.
    """
    from backtest.together import read_subject

    try:
        return read_subject(job.folder, sha256)
    except ValueError as fault:
        raise JobRefused(f"{str(fault).rstrip('.')}.") from fault


def main(argv: Sequence[str]) -> int:
    """Exit code. With `--config` the run directory is made first."""
    return _judged(*_prepared(argv))


def command(argv: Sequence[str]) -> NoReturn:
    """As `main`, and ends the process: at once, unless a strategy of one's own may have left something to wind up."""
    argv, own = _prepared(argv)
    code = _judged(argv, own)
    if own:
        raise SystemExit(code)
    leave(code)


def _prepared(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """(arguments of the job, dotted paths of strategies)."""
    if "--config" not in argv:
        return argv, ()
    from backtest.by_hand import prepare

    return prepare(argv)


def _judged(argv: Sequence[str], own: Sequence[str]) -> int:
    return run_job(functools.partial(run, own=own), argv)


if __name__ == "__main__":
    command(sys.argv[1:])
