"""Judges a subject beside its baselines and writes everything below `report/`.

Training and backtest both end here, so that the same subject on the same range leaves the same bytes: nothing that is
written holds a run id, a clock time, a path, a label of the user or the kind of run.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backtest import report_files
from backtest.config import JudgedConfig
from backtest.degenerate import degenerate
from backtest.feed import Feed, first_sentence
from backtest.leaks.gate import Gate
from backtest.leaks.report import LeakReport
from backtest.matched_random import MatchedRandom, matched_random
from backtest.metrics import compute
from backtest.registry import IN_VERDICT, MATCHED_RANDOM, evaluation_faults, load, spec_for
from backtest.runner import Judged, Spread, StrategyUnfit, notes_of, returns_of, run_with_spread, run_with_waterfall
from backtest.stamps import left_out_stamp, seen_stamp, stamps
from backtest.statistics import Excess, compare
from backtest.strategy import Learned, Strategy
from backtest.trades import fifo
from backtest.verdict import Verdict, judge
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault, canonical
from marketdata.splits import Range
from runfiles.job import Job, JobRefused
from runfiles.metric_keys import HEADLINE
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market
from simulator.waterfall import Waterfall

HASH_SCHEMA = 1
_JUDGED_GROUPS = ("fees", "margin", "exec", "episode", "guards", "sizing", "evaluation")
_NOT_JUDGED = {"episode": ("max_steps", "randomize_start"), "evaluation": ("policy",)}


@dataclass(frozen=True)
class Case:
    """What is judged: the subject comes first in `judged`; `against` are the baselines of the verdict."""

    config: JudgedConfig
    feed: Feed
    market: Market
    span: Range
    judged: tuple[Judged, ...]
    against: tuple[str, ...]
    excess: Excess | None
    verdict: Verdict
    stamps: tuple[str, ...]
    config_hash: str
    leaks: LeakReport
    matched: MatchedRandom | None = None

    @property
    def subject(self) -> Judged:
        return self.judged[0]

    @property
    def range(self) -> dict[str, Any]:
        """First decision and last mark as days, and the number of returns between them."""
        session = self.market.bars.session
        return {"start": str(session[self.span.t0]), "end": str(session[self.span.t1]), "n_bars": self.span.n_bars}


def judge_and_write(
    job: Job, config: JudgedConfig, feed: Feed, span: Range, subject: Strategy, features: FeaturesConfig | None = None
) -> dict[str, Any]:
    """Run the subject and every baseline over `span`, write `report/`, give `summary.json` of the subject.

    `features` are those of a policy, None for a baseline. Raises JobRefused where configuration and data do not fit.
    """
    case = examine(job, config, feed, span, subject, features)
    job.events.enter("report")
    summary = report_files.write(job, case)
    for line in closing_lines(case):
        job.log(line)
    return summary


def examine(
    job: Job, config: JudgedConfig, feed: Feed, span: Range, subject: Strategy, features: FeaturesConfig | None
) -> Case:
    """All of the judgement but its files."""
    job.events.enter("judge")
    chosen = config.evaluation
    try:
        faults = evaluation_faults(chosen.baselines, chosen.benchmark, feed.bars.symbols, chosen.fixed_weights or ())
        if faults:
            raise ConfigFault(faults)
        market = prepare_market(feed.bars, config)
        judged = _run_all(job, config, market, span, subject)
        leaks = Gate(subject, feed.bars, config, span, seed=chosen.seed, told=job.events.progress).check()
    except ConfigFault as fault:
        raise JobRefused(first_sentence(fault)) from fault
    except StrategyUnfit as fault:
        raise JobRefused(str(fault)) from fault
    against = verdict_baselines(subject.key, config)
    baselines = [next(one for one in judged if one.key == key) for key in against]
    excess = _excess(judged, baselines, config, market)
    if excess is not None:
        judged[0].metrics["dsr_excess"] = excess.least_dsr
    labels = {one.key: one.spec.label for one in judged}
    seen = subject.seen_bars(market, span.t0, span.t1) if isinstance(subject, Learned) else 0
    left_out = [spec_for(key).label for key in left_out_of(subject.key, config)]
    verdict = judge(
        excess, list(against), labels,
        subject=judged[0].spec.label, n_bars=span.n_bars, trials=chosen.trials, seen=seen, left_out=left_out,
        leaks=leaks,
    )  # fmt: skip
    stand_in = "benchmark" if chosen.benchmark is None else ""  # it is buy_hold again, and no likeness of its own
    told = degenerate(judged[0], [one for one in judged[1:] if one.key != stand_in], market.periods_per_year)
    shown = tuple(one for one in judged if one.key == subject.key or one.key in wanted_baselines(config, subject.key))
    matched = None
    if MATCHED_RANDOM in chosen.baselines:
        matched = matched_random(judged[0].ledger, market, config, span, chosen.matched_random_draws, chosen.seed)
        told.append(f"{matched.sentence}.")
    told = seen_stamp(seen, span.n_bars) + told + left_out_stamp(left_out)
    told += stamps(config, feed, market, shown, features)
    job.events.metric(**{key: judged[0].metrics[key] for key in HEADLINE})
    digest = judged_hash(config, feed, span, features)
    return Case(config, feed, market, span, shown, against, excess, verdict, tuple(told), digest, leaks, matched)


def wanted_baselines(config: JudgedConfig, subject: str) -> list[str]:
    """Baselines of the report in the order asked for, without the subject; cash where none is asked for."""
    wanted = [spec_for(key).key for key in config.evaluation.baselines if key not in (subject, MATCHED_RANDOM)]
    return wanted or [key for key in ("cash",) if key != subject]


def verdict_baselines(subject: str, config: JudgedConfig) -> tuple[str, ...]:
    """Those of the report that count in the verdict; a benchmark for which `buy_hold` stands counts once."""
    wanted = wanted_baselines(config, subject)
    keys = [key for key in wanted if spec_for(key).in_verdict]
    if config.evaluation.benchmark is None and "buy_hold" in (subject, *keys):
        keys = [key for key in keys if key != "benchmark"]
    return tuple(keys)


def left_out_of(subject: str, config: JudgedConfig) -> tuple[str, ...]:
    """Baselines of the verdict that nobody asked for; `buy_hold` and a benchmark without a name are the same one."""
    present = {subject, *wanted_baselines(config, subject)}
    same = {"buy_hold", "benchmark"}
    if config.evaluation.benchmark is None:
        present |= same if present & same else {"benchmark"}
    return tuple(key for key in IN_VERDICT if key not in present)


def _run_all(job: Job, config: JudgedConfig, market: Market, span: Range, subject: Strategy) -> list[Judged]:
    """The subject first, then the baselines; cash and benchmark run in any case, as the measure of the others."""
    others = wanted_baselines(config, subject.key)
    extra = [key for key in ("cash", "benchmark") if key not in others and key != subject.key]
    strategies: list[Strategy] = [subject, *(load(key)(config) for key in (*others, *extra))]
    ledgers: list[tuple[Ledger, Spread | None]] = []
    waterfall: Waterfall | None = None
    for step, strategy in enumerate(strategies):
        job.events.progress(step, len(strategies) + 1)
        if strategy is subject and config.evaluation.waterfall:
            ledger, waterfall = run_with_waterfall(strategy, market, config, span.t0, span.t1)
            ledgers.append((ledger, None))
        else:
            ledgers.append(run_with_spread(strategy, market, config, span.t0, span.t1))
    keys = [strategy.key for strategy in strategies]
    rf = returns_of(ledgers[keys.index("cash")][0])
    benchmark = returns_of(ledgers[keys.index("benchmark")][0])
    found = []
    for strategy, key, (ledger, spread) in zip(strategies, keys, ledgers, strict=True):
        trades = fifo(ledger)
        metrics = compute(ledger, trades, market, benchmark, rf, trials=config.evaluation.trials)
        judged = Judged(spec_for(key), ledger, trades, metrics, returns_of(ledger), spread, notes=notes_of(strategy))
        found.append(judged)
    return [replace(found[0], waterfall=waterfall), *found[1:]]


def _excess(judged: list[Judged], baselines: list[Judged], config: JudgedConfig, market: Market) -> Excess | None:
    if not baselines:
        return None
    rf = next((one.returns for one in judged if one.key == "cash"), np.zeros_like(judged[0].returns))
    chosen = config.evaluation
    return compare(
        judged[0].returns,
        np.column_stack([one.returns for one in baselines]),
        rf,
        periods=market.periods_per_year,
        paths=chosen.bootstrap_paths,
        seed=chosen.seed,
        trials=chosen.trials,
    )


def judged_hash(config: JudgedConfig, feed: Feed, span: Range, features: FeaturesConfig | None) -> str:
    """sha256 of what decides a judgement: dataset, range, features, and the groups of simulation and evaluation.

    A training and a backtest of its policy agree in it, although their configurations differ elsewhere.
    """
    groups = {name: _judged_fields(name, canonical(getattr(config, name))) for name in _JUDGED_GROUPS}
    session = feed.bars.session
    content = {
        "schema": HASH_SCHEMA,
        "dataset": canonical(feed.config),
        "range": [str(session[span.t0]), str(session[span.t1])],
        "features": None if features is None else canonical(features),
        **groups,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _judged_fields(group: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _NOT_JUDGED.get(group, ())}


def closing_lines(case: Case) -> list[str]:
    """The numbers of `summary.json` for the end of the log, and the verdict in words."""
    lines = ["strategy " + " ".join(HEADLINE)]
    for one in case.judged:
        figures = ("-" if one.metrics[key] is None else f"{one.metrics[key]:.6g}" for key in HEADLINE)
        lines.append(f"{one.key} {' '.join(figures)}")
    lines.append(f"leak gate: {case.leaks.state}. {case.leaks.sentence}")
    lines += [f"note: {text}" for text in case.stamps]
    return [*lines, f"VERDICT: {case.verdict.sentence}"]
