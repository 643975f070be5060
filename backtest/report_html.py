"""`report.html`: one self-contained page. Verdict first, then the evidence; no script, no outside address."""

from __future__ import annotations

import functools
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from backtest import report_figures, report_rows
from backtest.report_numbers import exact, metric_text, percent, unit_text
from backtest.template_cache import compiled_templates
from runfiles import excess_words, report_tables
from runfiles import report_rows as words_of
from runfiles.figures import significant
from runfiles.metric_keys import HEADLINE, METRICS

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
        labels=report_rows.LABELS,
        equity=report_figures.equity(case),
        drawdown=report_figures.drawdown(case),
        rolling=report_figures.rolling(case),
        weights=report_figures.weights(case),
        headline=rows(case, HEADLINE),
        others=rows(case, [key for key in METRICS if key not in HEADLINE]),
        spreads=[one for one in case.judged if one.spread is not None],
        specs={spec.key: spec for spec in report_tables.TABLES},
        cells={spec.key: report_tables.cells(spec, found[spec.key]) for spec in report_tables.TABLES},
        years=words_of.calendar(report_rows.period_rows(case)),
        shade=words_of.shade,
        break_even=words_of.break_even_words(break_even(case)),
        left_out=report_rows.left_out(case),
        split=words_of.split_words(asdict(case.split)),
        luck=words_of.luck_words(summary.get("matched_random")),
        rules=rules(case) + notes(case),
        words=excess_words,
        texts=words_of,
    )


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


def rows(case: Case, keys: Any) -> list[Row]:
    return [
        Row(
            METRICS[key].label,
            unit_text(key),
            METRICS[key].definition,
            tuple((metric_text(key, one.metrics[key]), exact(one.metrics[key])) for one in case.judged),
        )
        for key in keys
    ]


def rules(case: Case) -> list[tuple[str, str]]:
    """What the figures rest on, in words."""
    config, market = case.config, case.market
    impact = f"{market.impact_k:g} bps at 100 % of usual volume" if market.impact_k else "off"
    cap = f"{market.participation:.0%} of usual volume" if math.isfinite(market.participation) else "off"
    caps = config.margin
    block = "" if case.excess is None else f", mean block {case.excess.mean_block:.1f} bars"
    return [
        ("Fill", "next bar's open" if market.fill == "next_open" else "next bar's close"),
        ("Fee", f"{config.fees.taker_bps + config.fees.commission_pct_notional * 1e4:g} bps of the traded value"
                + (f" and {config.fees.commission_per_share:g} a share" if config.fees.commission_per_share else "")),
        ("Half spread", f"{config.exec.half_spread_bps:g} bps"),
        ("Impact", impact),
        ("Participation cap", cap),
        ("Lots", f"of {config.exec.lot_size:g} shares" if config.exec.lot_size else "fractions of a share"),
        ("Latency", f"{config.exec.latency_bars} bars" if config.exec.latency_bars else "none beyond the next bar"),
        ("Financing", f"borrowed cash {percent(caps.cash_borrow_apr, sign=False)} % a year, loan of shorts "
                      f"{percent(config.fees.borrow_fee_apr, sign=False)} % a year, maintenance margin "
                      + (f"{caps.maintenance_margin:g}" if caps.maintenance_margin else "off")),
        ("Start cash", significant(config.episode.start_cash)),
        ("Caps", f"gross {caps.max_gross_leverage:g} ×, net {caps.max_net_leverage:g} ×, "
                 f"position {caps.max_position_weight:g} ×, " + ("short allowed" if caps.allow_short else "long only")),
        ("Cash earns", f"{percent(caps.cash_yield_apr, sign=False)} % a year" if not caps.cash_yield_column
                       else f"column {caps.cash_yield_column}"),
        ("Resampling", f"{config.evaluation.bootstrap_paths:,} paths of the stationary bootstrap{block}, "
                       f"seed {config.evaluation.seed}"),
    ]  # fmt: skip


def notes(case: Case) -> list[tuple[str, str]]:
    """Each strategy of the report in one sentence; a benchmark says which one it is."""
    symbol = case.config.evaluation.benchmark
    benchmark = f"{symbol} bought and held." if symbol else "Buy and hold stands for it: no symbol is named."
    return [(one.spec.label, benchmark if one.key == "benchmark" else one.spec.note) for one in case.judged]
