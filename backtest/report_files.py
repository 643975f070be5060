"""Everything below `report/`: the subject's tables, each baseline's in a folder of its own, and one page for people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from backtest import tables
from backtest.diagnosis import diagnose
from backtest.evidence import Evidence
from backtest.imported import NAMES
from backtest.leaks.report import LeakReport
from backtest.report_rules import rules_of
from backtest.runner import Judged
from backtest.seed_books import SeedBooks
from backtest.seed_figures import equity_table, seeds_table
from backtest.statistics import grown
from backtest.strategy_tables import TABLES, Written, ordered_json
from backtest.yardsticks import filled_of
from runfiles import atomic, layout
from runfiles.job import Job

if TYPE_CHECKING:
    from backtest.case import Case

WRITERS = 4


def write(job: Job, case: Case, *, page: bool = True) -> dict[str, Any]:
    """All report files; gives the subject's summary. `page` False leaves `report.html` out.

    Strategies are written side by side: most of the time goes into Arrow and the disk, which both let others run.
    """
    times = tables.bar_times(case.market)
    summaries = [summary_of(case, one) for one in case.judged]
    total = len(case.judged) + 1
    (job.folder / layout.REPORT).mkdir(exist_ok=True)  # before the writers: none waits for another to make it
    with ThreadPoolExecutor(WRITERS) as pool:
        waiting = [
            pool.submit(write_strategy, job.folder / folder_of(case, one), Written(case, one, parts, summary, times))
            for one, parts, summary in zip(case.judged, case.evidence.parts, summaries, strict=True)
        ]
        if case.imported is None:
            write_reruns(job.folder, case.evidence)
        text = page_of(case, summaries[0]) if page else ""
        for step, written in enumerate(waiting):
            written.result()
            job.events.progress(step + 1, total)
    write_leaks(job, case.leaks)
    if case.subject.waterfall is not None:
        table = tables.waterfall_table(case.subject.waterfall, times, case.market.symbols)
        atomic.write_bytes(job.folder / layout.FILES["waterfall"].path, table)
    write_seeds(job.folder, case, times)
    if page:
        atomic.write_text(job.folder / layout.REPORT / layout.REPORT_HTML, text)
    job.events.progress(total, total)
    return summaries[0]


def page_of(case: Case, summary: dict[str, Any]) -> str:
    """`report.html`. Its template engine is imported only for it."""
    from backtest.report_html import render

    return render(case, summary)


def write_leaks(job: Job, report: LeakReport) -> None:
    """`report/leaks.json`: what the leak gate found."""
    path = job.folder / layout.FILES[layout.LEAKS].path
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(path, ordered_json(report.as_dict()))


def write_seeds(folder: Path, case: Case, times: pa.Array) -> None:
    """`report/seeds.csv` and `report/seeds_equity.csv`, of a subject that was trained with several seeds."""
    ledger = case.subject.ledger
    if case.seeds is not None and isinstance(ledger, SeedBooks):
        atomic.write_bytes(folder / layout.FILES["seeds"].path, seeds_table(case.seeds))
        atomic.write_bytes(folder / layout.FILES["seeds_equity"].path, equity_table(ledger, times))


def folder_of(case: Case, one: Judged) -> str:
    """Where the tables of a strategy lie below the run directory."""
    return layout.REPORT if one is case.subject else layout.baseline_folder(one.key)


def write_reruns(folder: Path, evidence: Evidence) -> None:
    """What the subject and its baselines did at other costs, later, in crises, with more money."""
    contents = {
        "sensitivity": {**asdict(evidence.sweep), "delays": [asdict(row) for row in evidence.delays]},
        "stress": {"rows": [asdict(row) for row in evidence.stress]},
        "capacity": asdict(evidence.capacity),
    }
    for key, content in contents.items():
        atomic.write_bytes(folder / layout.FILES[key].path, ordered_json(content))


def write_strategy(folder: Path, of: Written) -> None:
    """The tables of one strategy into `folder`: every one of `strategy_tables.TABLES` that it can have."""
    folder.mkdir(parents=True, exist_ok=True)
    absent = of.case.absent if of.one is of.case.subject else {}
    for key, make in TABLES.items():
        if key in absent:
            continue
        atomic.write_bytes(folder / layout.REPORT_FILES[key][0], make(of))


def summary_of(case: Case, one: Judged) -> dict[str, Any]:
    """`summary.json`; verdict, stamps and the single excesses are the subject's alone."""
    subject = one is case.subject
    summary: dict[str, Any] = {
        "strategy": one.key,
        "label": one.spec.label,
        "range": case.range,
        "metrics": one.metrics,
        "strategies": line_up(case) if subject else [],
        "verdict": case.verdict.as_dict() if subject else None,
        "excesses": excesses(case) if subject else [],
        "stamps": list(case.stamps) if subject else [],
        "split": asdict(case.split) if subject else None,
        "rules": [asdict(rule) for rule in rules_of(case)] if subject else [],
        "diagnosis": [asdict(found) for found in diagnose(case)] if subject else [],
        "config_hash": case.config_hash,
        "dataset_sha256": case.feed.entry.version,
    }
    if subject and case.seeds is not None:
        summary["seeds"] = case.seeds.as_dict()
    if subject and case.absent:
        summary["absent"] = [{"key": key, "name": NAMES[key], "why": why} for key, why in case.absent.items()]
    if subject and case.matched is not None:
        summary["matched_random"] = case.matched.as_dict()
    if one.spread is not None:
        summary["spread"] = {
            "books": one.spread.books, "low": one.spread.low, "median": one.spread.median, "high": one.spread.high,
        }  # fmt: skip
    return summary


def line_up(case: Case) -> list[dict[str, Any]]:
    """Who was judged, the subject first: so that a report reads the same when the registry has changed."""
    return [{"key": one.key, "label": one.spec.label, "series": one.spec.series} for one in case.judged]


def excesses(case: Case) -> list[dict[str, Any]]:
    """The subject against each baseline of the verdict, fractions a year.

    Those of growth are e^x - 1 of their logarithms; those at equal risk are arithmetic means as they stand.
    """
    found = case.excess
    if found is None:
        return []
    filled = filled_of({one.key: one.ledger for one in case.judged})
    return [
        {
            "baseline": key,
            "excess_per_year": grown(found.theta[b]),
            "low": grown(found.low[b]),
            "high": grown(found.high[b]),
            "p": float(found.p[b]),
            "equal_risk_excess": float(found.equal_risk[b]),
            "equal_risk_low": float(found.equal_risk_low[b]),
            "equal_risk_high": float(found.equal_risk_high[b]),
            "dsr": found.dsr[b],
            "filled": filled[key],
        }
        for b, key in enumerate(case.against)
    ]
