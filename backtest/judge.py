"""Judges a subject beside its baselines and writes everything below `report/`.

Training and backtest both end here, so that the same subject on the same range leaves the same bytes: nothing that is
written holds a run id, a clock time, a path, a label of the user or the kind of run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest import report_files
from backtest.baselines import Baseline
from backtest.case import Case
from backtest.closing_stamps import closing_stamps, left_out_labels, likenesses
from backtest.config import JudgedConfig
from backtest.contest import Contest
from backtest.evidence import Evidence, gather, rounds
from backtest.feed import Feed, plan_for
from backtest.holding import require_benchmark
from backtest.in_sample import InSample, in_sample
from backtest.judged_hash import judged_hash
from backtest.leaks.by_policy import check_leaks
from backtest.leaks.report import LeakReport
from backtest.lineup import verdict_baselines
from backtest.matched_random import MatchedRandom, matched_random, why_none
from backtest.registry import MATCHED_RANDOM, evaluation_faults
from backtest.runner import Judged, StrategyUnfit
from backtest.seed_books import SeedBooks, books_of, returns_by_seed
from backtest.seed_figures import Seeds, seeds_of
from backtest.split_told import split_of
from backtest.stamps import relay_stamp, seeds_stamp, seen_stamp, siblings_stamp, symbols_stamp, validation_stamp
from backtest.statistics import Excess, compare
from backtest.strategy import Learned, Related, Seeded, Strategy, Taught, Travelled
from backtest.verdict import judge
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.splits import Range
from runfiles.job import Job, JobRefused
from runfiles.metric_keys import HEADLINE
from simulator.market import Market, prepare_market

GATE_STEPS = 10
"""Of the judge phase's progress, for the leak gate: how many reruns it takes is known only when it begins."""


def judge_and_write(
    job: Job, config: JudgedConfig, feed: Feed, span: Range, subject: Strategy, features: FeaturesConfig | None = None
) -> dict[str, Any]:
    """Run the subject and every baseline over `span`, write `report/`, give `summary.json` of the subject.

    `features` are those of a policy, None for a baseline. Raises JobRefused where configuration and data do not fit.
    """
    case = examine(job, at_least_its_seeds(config, subject), feed, span, subject, features)
    job.events.enter("report")
    summary = report_files.write(job, case)
    for line in closing_lines(case):
        job.log(line)
    return summary


def at_least_its_seeds(config: JudgedConfig, subject: Strategy) -> JudgedConfig:
    """The configuration with each seed of the subject's training counted as a trial, judged here or not."""
    judged = subject.seeds if isinstance(subject, Seeded) else ()
    family = subject.family() if isinstance(subject, Related) else ()
    trials = max(config.evaluation.trials, len({*judged, *family}))
    if trials == config.evaluation.trials:
        return config
    return config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"trials": trials})})


def examine(
    job: Job, config: JudgedConfig, feed: Feed, span: Range, subject: Strategy, features: FeaturesConfig | None
) -> Case:
    """All of the judgement but its files."""
    job.events.enter("judge")
    try:
        runs = _run_all(job, config, feed, span, subject, features)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    except StrategyUnfit as fault:
        raise JobRefused(str(fault)) from fault
    market, judged, contest = runs.market, runs.judged, runs.contest
    if runs.excess is not None:
        judged[0].metrics["dsr_excess"] = runs.excess.least_dsr
    job.events.metric(**{key: judged[0].metrics[key] for key in HEADLINE})
    seen = subject.seen_bars(market, span.t0, span.t1) if isinstance(subject, Learned) else 0
    verdict = judge(
        runs.excess, list(runs.against), {one.key: one.spec.label for one in judged},
        subject=judged[0].spec.label, n_bars=span.n_bars, trials=config.evaluation.trials, seen=seen,
        left_out=left_out_labels(subject.key, config), leaks=runs.leaks,
    )  # fmt: skip
    shown = tuple(one for one in judged if one.key in contest.shown)
    split = split_of(config, feed, span, subject, judged, runs.against, features)
    told = [
        *(text for one in split.ranges if one.role == "validation"
          for text in validation_stamp(one.n_bars, one.start, one.end)),
        *seen_stamp(seen, span.n_bars),
        *(symbols_stamp(subject.trained_symbols(), market.symbols) if isinstance(subject, Travelled) else ()),
        *seeds_stamp(judged[0]),
        *relay_stamp(subject, market.bars.session, span),
        *(siblings_stamp(subject.family(), len(books_of(judged[0].ledger))) if isinstance(subject, Related) else ()),
        *likenesses(judged, config, market), *runs.luck,
        *closing_stamps(config, feed, market, judged, shown, runs.against, features),
    ]  # fmt: skip
    return Case(
        config=config,
        feed=feed,
        market=market,
        span=span,
        judged=shown,
        against=runs.against,
        excess=runs.excess,
        verdict=verdict,
        stamps=tuple(told),
        config_hash=judged_hash(config, feed, span, features),
        evidence=runs.evidence,
        leaks=runs.leaks,
        split=split,
        matched=runs.matched,
        trained=runs.trained,
        features=features,
        taught=subject.taught() if isinstance(subject, Taught) else None,
        seeds=seeds_of(judged[0], runs.excess, runs.against),
    )


@dataclass(frozen=True)
class _Runs:
    """What came of everything that had to be run; `luck` are the stamps of `matched`, or why there is none."""

    market: Market
    contest: Contest
    judged: list[Judged]
    against: tuple[str, ...]
    excess: Excess | None
    evidence: Evidence
    matched: MatchedRandom | None
    luck: list[str]
    trained: InSample | None
    leaks: LeakReport


def _run_all(
    job: Job, config: JudgedConfig, feed: Feed, span: Range, subject: Strategy, features: FeaturesConfig | None
) -> _Runs:
    """Raises ConfigFault, StrategyUnfit."""
    chosen = config.evaluation
    faults = evaluation_faults(chosen.baselines, chosen.benchmark, feed.bars.symbols, chosen.fixed_weights or ())
    if faults:
        raise ConfigFault(faults)
    against, needed = verdict_baselines(subject.key, config), _needed(feed, features)
    market, contest = prepare_market(feed.bars, config), Contest(config, subject)
    require_benchmark(chosen.benchmark, market, span)
    meter = Meter(job, len(contest.strategies) + rounds(config, market, feed.indices) + GATE_STEPS)
    judged = contest.judge(market, span, meter.tick)
    excess = excess_of(judged, against, config, market)
    evidence = gather(contest, market, span, judged, against, excess, needed, feed.indices, meter.tick)
    matched, luck = _luck(contest, judged[0], market, span, needed)
    trained = in_sample(contest, market, needed)
    # last: it leaves the subject prepared for bars whose future is altered
    leaks = check_leaks(subject, feed.bars, config, span, chosen.seed, meter.last(GATE_STEPS))
    return _Runs(market, contest, judged, against, excess, evidence, matched, luck, trained, leaks)


def _luck(
    contest: Contest, subject: Judged, market: Market, span: Range, needed: int
) -> tuple[MatchedRandom | None, list[str]]:
    """Where the subject stands among its own earlier decisions, where that is asked for, and what to say of it.

    Raises StrategyUnfit.
    """
    if MATCHED_RANDOM not in contest.config.evaluation.baselines:
        return None, []
    first = max(needed, contest.subject.past - 1) if isinstance(contest.subject, Baseline) else needed
    if why := why_none(first, span):
        return None, [why]
    longer = contest.alone(subject.key, market, Range(first, span.t1))
    if longer.ended:
        why = "Matched random is left out: a book of the subject that starts earlier ends before the range does."
        return None, [why]
    chosen = contest.config.evaluation
    found = matched_random(
        subject.ledger, longer, market, contest.config, span, chosen.matched_random_draws, chosen.seed
    )
    of_all = "; of all seeds' books added up" if isinstance(subject.ledger, SeedBooks) else ""
    return found, [f"{found.sentence}{of_all}."]


class Meter:
    """Progress of the judge phase: strategies run, run again, and the leak gate. It never falls, its total stays."""

    def __init__(self, job: Job, total: int) -> None:
        self._job, self._total, self._done = job, total, 0
        job.events.progress(0, total)

    def tick(self) -> None:
        self._to(self._done + 1)

    def last(self, steps: int) -> Callable[[int, int], None]:
        """What hears (done, total) of the phase's last part, which counts as `steps`."""
        start = self._total - steps

        def told(done: int, total: int) -> None:
            self._to(start + done * steps // max(total, 1))

        return told

    def _to(self, step: int) -> None:
        if self._done < step <= self._total:
            self._done = step
            self._job.events.progress(step, self._total)


def _needed(feed: Feed, features: FeaturesConfig | None) -> int:
    """Bars that must lie before a first decision: lookback and warm-up of a policy."""
    if features is None:
        return 0
    return features.lookback + plan_for(features, feed.bars).warmup


def excess_of(judged: list[Judged], against: tuple[str, ...], config: JudgedConfig, market: Market) -> Excess | None:
    """The subject, first of `judged`, against the baselines of the verdict; None where there is none."""
    if not against:
        return None
    by_key = {one.key: one.returns for one in judged}
    chosen = config.evaluation
    return compare(
        returns_by_seed(judged[0].ledger),
        np.column_stack([by_key[key] for key in against]),
        by_key["cash"],
        periods=market.periods_per_year,
        paths=chosen.bootstrap_paths,
        seed=chosen.seed,
        trials=chosen.trials,
        variance=chosen.trials_variance,
    )


def _seed_lines(seeds: Seeds) -> list[str]:
    return [
        f"seed {row.seed} "
        + " ".join("-" if row.metrics[key] is None else f"{row.metrics[key]:.6g}" for key in HEADLINE)
        for row in seeds.rows
    ]


def closing_lines(case: Case) -> list[str]:
    """The numbers of `summary.json` for the end of the log, and the verdict in words."""
    lines = ["strategy " + " ".join(HEADLINE)]
    for one in case.judged:
        figures = ("-" if one.metrics[key] is None else f"{one.metrics[key]:.6g}" for key in HEADLINE)
        lines.append(f"{one.key} {' '.join(figures)}")
    lines += [] if case.seeds is None else _seed_lines(case.seeds)
    lines.append(f"leak gate: {case.leaks.state}. {case.leaks.sentence}")
    lines += [f"note: {text}" for text in case.stamps]
    return [*lines, f"VERDICT: {case.verdict.sentence}"]
