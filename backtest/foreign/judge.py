"""Judges a curve that was made elsewhere beside our baselines, which are run on its days under the user's rules.

The leak gate cannot run, as there is nothing that decides: the verdict is never `shown` (docs/decisions/0004).
"""

from typing import Any

import numpy as np

from backtest import report_files
from backtest.case import Case
from backtest.closing_stamps import closing_stamps, left_out_labels, likenesses
from backtest.config import ImportConfig
from backtest.contest import beside, first_judged
from backtest.evidence import Evidence, Parts, parts_of
from backtest.feed import Feed
from backtest.foreign.align import Curve
from backtest.foreign.second_look import reading_stamp, smooth_stamp
from backtest.foreign.subject import judged_curve
from backtest.holding import require_benchmark
from backtest.imported import ABSENT, COSTS, STAMPS, Imported
from backtest.intervals import Intervals, metric_intervals
from backtest.judge import Meter, closing_lines, excess_of
from backtest.judged_hash import judged_hash
from backtest.leaks.report import NAMES, Findings, LeakReport
from backtest.lineup import verdict_baselines
from backtest.registry import IMPORTED, evaluation_faults, load
from backtest.rerun import Capacity, Sweep
from backtest.rolling import window_bars
from backtest.runner import Judged, Runner, StrategyUnfit
from backtest.split_told import FILE, Split, Stretch
from backtest.statistics import FLOOR, Excess
from backtest.strategy import Strategy
from backtest.verdict import judge
from marketdata.config_base import ConfigFault
from marketdata.splits import Range
from runfiles.job import Job, JobRefused
from runfiles.metric_keys import HEADLINE
from simulator.market import Market, prepare_market

MOST_LOG_A_YEAR = 100
"""Largest logarithm of a year's growth, 1e43 times: what is made of it stays far below the end of the numbers."""
NO_INTERVALS = frozenset({"turnover", "cost_drag_bps"})


def judge_and_write(job: Job, config: ImportConfig, feed: Feed, curve: Curve, imported: Imported) -> dict[str, Any]:
    """Run every baseline over the curve's bars, write `report/`, give `summary.json` of the subject.

    Raises JobRefused where configuration and data do not fit.
    """
    job.events.enter("judge")
    try:
        case = examine(job, config, feed, curve, imported)
    except ConfigFault as fault:
        raise JobRefused(fault.first) from fault
    except StrategyUnfit as fault:
        raise JobRefused(str(fault)) from fault
    job.events.enter("report")
    summary = report_files.write(job, case)
    for line in closing_lines(case):
        job.log(line)
    return summary


def examine(job: Job, config: ImportConfig, feed: Feed, curve: Curve, imported: Imported) -> Case:
    """All of the judgement but its files. Raises ConfigFault, StrategyUnfit."""
    market, span = prepare_market(feed.bars, config), curve.span
    judged, shown = _line_up(job, config, feed, market, curve)
    against = verdict_baselines(IMPORTED, config)
    excess = excess_of(judged, against, config, market)
    if excess is not None:
        _require_a_year(excess, judged[0], market)
        judged[0].metrics["dsr_excess"] = excess.least_dsr
    job.events.metric(**{key: value for key in HEADLINE if (value := judged[0].metrics[key]) is not None})
    leaks = no_gate(market, span)
    verdict = judge(
        excess, list(against), {one.key: one.spec.label for one in judged}, subject=judged[0].spec.label,
        n_bars=span.n_bars, trials=config.evaluation.trials, left_out=left_out_labels(IMPORTED, config),
        leaks=leaks, costs=COSTS,
    )  # fmt: skip
    return Case(
        config=config,
        feed=feed,
        market=market,
        span=span,
        judged=tuple(shown),
        against=against,
        excess=excess,
        verdict=verdict,
        stamps=tuple(_told(config, feed, market, judged, shown, against)),
        config_hash=judged_hash(config, feed, span, None),
        evidence=_evidence(config, market, judged, shown, excess),
        leaks=leaks,
        split=split_of_file(market, span),
        imported=imported,
    )


def _require_a_year(excess: Excess, subject: Judged, market: Market) -> None:
    """Raises StrategyUnfit where nobody could tell what such bars make in a year: e to the power of it is no number."""
    told = np.concatenate((excess.theta, excess.low, excess.high, [excess.least_upper, excess.power]))
    if np.abs(told).max() <= MOST_LOG_A_YEAR:
        return
    largest = int(np.argmax(np.abs(np.log1p(np.maximum(subject.returns, FLOOR)))))
    day = market.bars.session[subject.ledger.t0 + 1 + largest]
    raise StrategyUnfit(
        f"The returns of the file would multiply an account by more than e^{MOST_LOG_A_YEAR} in a year, or divide it "
        f"by as much (the largest is {subject.returns[largest]:+.3g} on {day}), and no figure of a year comes of that; "
        "judge more bars of it, or correct the cell of that day."
    )


def _line_up(
    job: Job, config: ImportConfig, feed: Feed, market: Market, curve: Curve
) -> tuple[list[Judged], list[Judged]]:
    """All that were judged, the subject first; and those of them that the report shows."""
    chosen, span = config.evaluation, curve.span
    faults = evaluation_faults(chosen.baselines, chosen.benchmark, feed.bars.symbols, chosen.fixed_weights or ())
    if faults:
        raise ConfigFault(faults)
    require_benchmark(chosen.benchmark, market, span)
    others, extra = beside(config, IMPORTED)
    strategies: list[Strategy] = [load(key)(config) for key in (*others, *extra)]
    runner, meter = Runner(config), Meter(job, len(strategies))
    baselines = first_judged(
        strategies, lambda one: (*runner.run(one, market, config, span.t0, span.t1), None), config, market, span,
        meter.tick,
    )  # fmt: skip
    by_key = {one.key: one for one in baselines}
    subject = judged_curve(curve, config, market, by_key["benchmark"].returns, by_key["cash"].returns)
    return [subject, *baselines], [subject, *(by_key[key] for key in others)]


def _told(
    config: ImportConfig, feed: Feed, market: Market, judged: list[Judged], shown: list[Judged],
    against: tuple[str, ...],
) -> list[str]:  # fmt: skip
    """What the report says under its verdict: first what cannot be known of the file."""
    benchmark = next(one for one in judged if one.key == "benchmark")
    return [
        *reading_stamp(config.result.holds, judged[0].metrics, benchmark.metrics),
        *smooth_stamp(judged[0].returns), *STAMPS,
        *likenesses(judged, config, market),
        *closing_stamps(config, feed, market, judged, shown, against, None),
    ]  # fmt: skip


def no_gate(market: Market, span: Range) -> LeakReport:
    """Every check of the leak gate, none of which could be made."""
    found = Findings()
    for key in NAMES:
        found.not_examined(key, ABSENT["leaks"])
    days = market.bars.session
    return LeakReport(IMPORTED, str(days[span.t0]), str(days[span.t1]), (), 0, found.checks(frozenset()))


def split_of_file(market: Market, span: Range) -> Split:
    """The days of the file, of which nothing says what was learned on them."""
    days = market.bars.session
    return Split(
        FILE, None, None, None, (Stretch("test", str(days[span.t0]), str(days[span.t1]), span.n_bars, None),), ()
    )


def _evidence(
    config: ImportConfig, market: Market, judged: list[Judged], shown: list[Judged], excess: Excess | None
) -> Evidence:
    """Intervals and parts of each account, on the same resampled bars as in any judgement; nothing is run again."""
    chosen, by_key, periods = config.evaluation, {one.key: one for one in judged}, market.periods_per_year
    rf, benchmark = by_key["cash"].returns, by_key["benchmark"].returns
    intervals = metric_intervals(
        shown, rf, periods=periods, paths=chosen.metric_bootstrap_paths, seed=chosen.seed,
        block=None if excess is None else excess.mean_block,
    )  # fmt: skip
    intervals[0] = _of_curve(intervals[0])
    window, fee = window_bars(chosen.rolling_window, periods), config.fees.borrow_fee_apr
    parts: list[Parts] = [
        parts_of(one, found, market, rf, benchmark, window, fee) for one, found in zip(shown, intervals, strict=True)
    ]
    return Evidence(tuple(parts), window, Sweep((), None), (), Capacity(False, "imported", ()), ())


def _of_curve(intervals: Intervals) -> Intervals:
    return tuple(one for one in intervals if one.key not in NO_INTERVALS)
