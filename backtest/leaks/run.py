"""The leak gate as a job: `python -m backtest.leaks RUN_DIR --datasets DIR`; by hand with a file in RUN_DIR's place.

The configuration is a training's or a backtest's; one that names `policy` or `run_id` is a backtest's. A training is
checked without training (rl.untrained), a backtest with its baseline or its policy file.
"""

from collections.abc import Sequence
from typing import Any

from backtest import report_files
from backtest.config import BacktestConfig, JudgedConfig, names_a_strategy
from backtest.feed import Feed, load_feed, read_config
from backtest.leaks.by_policy import check_leaks
from backtest.leaks.report import LeakReport
from backtest.registry import TRAIN_CONFIG, UNTRAINED, imported
from backtest.run import judged_range, subject_of, with_own
from backtest.runner import StrategyUnfit
from backtest.strategy import Strategy
from marketdata.config_base import ConfigFault
from marketdata.splits import Range
from runfiles.job import Job, JobRefused

MARKS = {"passed": "ok", "failed": "LEAK", "not_examined": "not examined", "absent": "-"}


def run(job: Job) -> None:
    """The job: data, judge, report. It ends well with a leak too: finding one is what it is for. Raises JobRefused."""
    report = examine(job)
    job.events.enter("report")
    report_files.write_leaks(job, report)
    for line in lines(report):
        job.log(line)


def examine(job: Job, own: Sequence[str] = ()) -> LeakReport:
    """All checks of what `config.yaml` asks for; `own`: dotted paths of strategies from the command line, and from
    nowhere else. Raises JobRefused with one sentence for bad input.
    """
    config = read_config(job, model_of(job.config))
    if own and isinstance(config, BacktestConfig):
        config = with_own(own, config)
    elif own:
        raise JobRefused("--strategy needs a backtest's configuration, with its key as policy; this is a training's.")
    feed = load_feed(job, config.dataset)
    job.events.enter("judge")
    try:
        subject, span = _subject(job, config, feed)
        return check_leaks(subject, feed.bars, config, span, config.evaluation.seed, job.events.progress)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    except StrategyUnfit as fault:
        raise JobRefused(str(fault)) from fault


def model_of(config: dict[str, Any]) -> type[JudgedConfig]:
    """The model of a configuration: a backtest's where it names what is judged, else a training's."""
    if names_a_strategy(config):
        return BacktestConfig
    model: type[JudgedConfig] = imported(TRAIN_CONFIG)
    return model


def _subject(job: Job, config: JudgedConfig, feed: Feed) -> tuple[Strategy, Range]:
    if isinstance(config, BacktestConfig):
        return subject_of(job, config), judged_range(config, feed)
    untrained = imported(UNTRAINED)(config, feed.bars)
    return untrained, untrained.span


def lines(report: LeakReport) -> list[str]:
    """The table for a terminal or the log, its last line the verdict."""
    width = max(len(check.name) for check in report.checks)
    found = [f"{report.subject}, {report.start} to {report.end}: {report.reruns} runs on altered bars"]
    for check in report.checks:
        found.append(f"{check.name:<{width}}  {MARKS[check.state]:<12}  {check.cases:>7,} cases".rstrip())
        found += [f"    {check.sentence}"] if check.sentence else []
    return [*found, f"LEAKS: {report.state}. {report.sentence}"]
