"""`report.html`: one self-contained page. Verdict first, then the evidence; no script, no outside address."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from backtest import report_figures, report_rows
from backtest.report_numbers import exact, metric_text, percent, unit_text
from backtest.report_rules import rules_of
from backtest.runner import Judged
from backtest.template_cache import compiled_templates
from runfiles import excess_words, report_tables, seed_rows
from runfiles import report_rows as words_of
from runfiles.figures import significant
from runfiles.metric_keys import HEADLINE, METRICS, OF_ACCOUNT

if TYPE_CHECKING:
    from backtest.case import Case

HERE = Path(__file__).parent


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), bytecode_cache=compiled_templates(Path(__file__)),
        auto_reload=False,
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters |= {"percent": percent, "digits": significant, "exact": exact, "metric": metric_text}
    return environment.get_template("report.html")


def render(case: Case, summary: dict[str, Any]) -> str:
    """The page of a judgement; `summary` is the subject's `summary.json`. The same case gives the same text."""
    found = report_rows.tables(case)
    return _template().render(
        case=case,
        summary=summary,
        verdict=case.verdict,
        tag=excess_words.TAGS[case.verdict.code],
        interval=interval(case),
        labels=report_rows.labels(case),
        equity=report_figures.equity(case),
        drawdown=report_figures.drawdown(case),
        rolling=report_figures.rolling(case),
        weights=report_figures.weights(case),
        headline=rows(case, HEADLINE),
        others=rows(case, [key for key in METRICS if key not in HEADLINE]),
        spreads=[one for one in case.judged if one.spread is not None],
        specs={
            spec.key: spec if case.seeds is None else report_tables.for_seeds(spec) for spec in report_tables.TABLES
        },
        all_books="" if case.seeds is None else report_tables.ALL_BOOKS,
        cells={spec.key: report_tables.cells(spec, found[spec.key]) for spec in report_tables.TABLES},
        years=words_of.calendar(report_rows.period_rows(case)),
        shade=words_of.shade,
        break_even=_with_cuts(
            case, words_of.break_even_words(break_even(case)), asdict(case.evidence.sweep)["rows"], words_of.cost_name
        ),
        delayed=_with_cuts(
            case,
            words_of.delay_words(report_rows.delay_rows(case), report_rows.labels(case)),
            report_rows.delay_rows(case),
            words_of.late_name,
        ),
        short_of_fills=_with_cuts(case, "", asdict(case.evidence.capacity)["rows"], words_of.money_name),
        left_out=report_rows.left_out(case),
        absent=case.absent,
        absent_rows=summary.get("absent", []),
        split=words_of.split_words(asdict(case.split)),
        luck=words_of.luck_words(summary.get("matched_random")),
        rule_groups=[(name, list(rules)) for name, rules in itertools.groupby(rules_of(case), lambda one: one.group)],
        words=excess_words,
        texts=words_of,
        seeds=seed_rows.seeds_words(summary.get("seeds")),
        seeds_mean=seed_rows.MEANS,
        seeds_equity=report_figures.seeds(case),
    )


def _with_cuts(case: Case, words: str, rows: Any, name: Callable[[Mapping[str, Any]], str]) -> str:
    """`words` on re-runs, and which strategies got less there than they ordered."""
    return f"{words} {words_of.cut_words(rows, report_rows.labels(case), name)}".strip()


def break_even(case: Case) -> dict[str, Any] | None:
    found = case.evidence.sweep.break_even
    return None if found is None else asdict(found)


@dataclass(frozen=True)
class Interval:
    """Places of the verdict's limits on a bar from 0 to 100."""

    low: str
    width: str
    zero: str
    point: str


def interval(case: Case) -> Interval | None:
    verdict = case.verdict
    if verdict.low is None or verdict.high is None or verdict.excess_per_year is None:
        return None
    ends = (verdict.low, verdict.high, 0.0, verdict.excess_per_year)
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return 4 + 92 * (value - low) / span

    return Interval(*(f"{x:.2f}" for x in (
        place(verdict.low), place(verdict.high) - place(verdict.low), place(0.0), place(verdict.excess_per_year)
    )))  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A metric of every strategy; `cells` are (text, all digits)."""

    label: str
    unit: str
    definition: str
    cells: tuple[tuple[str, str], ...]


def _cell(case: Case, key: str, one: Judged) -> tuple[str, str]:
    """A figure that the file of an imported result cannot have is told so; a dash would say that it is undefined."""
    if case.imported is not None and one is case.subject and key in OF_ACCOUNT:
        return words_of.NOT_IN_FILE, words_of.NOT_IN_FILE_MEANS
    return metric_text(key, one.metrics[key]), exact(one.metrics[key])


def rows(case: Case, keys: Any) -> list[Row]:
    return [
        Row(
            METRICS[key].label,
            unit_text(key),
            METRICS[key].definition,
            tuple(_cell(case, key, one) for one in case.judged),
        )
        for key in keys
    ]
