"""The charts of a report from a judgement: which series, over which days, in which colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.report_charts import LOW, Chart, Series, area_chart, line_chart
from backtest.rolling import BETA, SHARPE, VOLATILITY
from backtest.runner import Judged
from backtest.seed_books import SeedBooks
from backtest.seed_figures import band
from backtest.series import Floats
from runfiles.report_rows import BEFORE_COSTS
from runfiles.report_tables import ALL_BOOKS
from simulator.ledger import Ledger

if TYPE_CHECKING:
    from backtest.case import Case

MOST_NAMES = 10
"""Symbols with a band of their own; the others share one."""
OTHERS = "Others"
ROLLING = ((SHARPE, "Sharpe", False), (VOLATILITY, "Volatility, %", True), (BETA, "Beta", False))


def equity_before_costs(ledger: Ledger) -> Floats:
    """(N+1,) money: equity + fees and slippage so far - financing so far, not reinvested."""
    return ledger.equity + ledger.costs - ledger.financing


def equity(case: Case) -> list[Chart]:
    """Equity of every strategy and the subject's before costs, as a multiple of the start: on a log scale where nothing
    falls to 0, and on a linear.
    """
    series = [_series(case, one, one.ledger.equity / one.ledger.equity[0]) for one in case.judged]
    own = case.subject
    if "before_costs" in case.absent:
        return _scaled(series, case)
    before = equity_before_costs(own.ledger) / own.ledger.equity[0]
    series.insert(0, Series(f"{own.spec.label} {BEFORE_COSTS}", own.spec.series, False, False, before, dotted=True))
    return _scaled(series, case)


def _scaled(series: list[Series], case: Case) -> list[Chart]:
    title = f"Equity, as a multiple of the start{_of_all(case)}"
    lines = [line_chart(title, series, _days(case), logarithmic=True), line_chart(title, series, _days(case))]
    positive = all((one.values > 0).all() for one in series)
    return lines if positive else lines[1:]


def seeds(case: Case) -> Chart | None:
    """The seeds' median equity, the middle half and the ends, as multiples of the start; None without seeds."""
    ledger = case.subject.ledger
    if not isinstance(ledger, SeedBooks):
        return None
    own = case.subject.spec.series
    low, q1, median, q3, high = band(ledger) / ledger.books[0].equity[0]
    series = [
        Series("Least seed", own, False, False, low, dotted=True),
        Series("Greatest seed", own, False, False, high, dotted=True),
        Series("First quartile", own, False, True, q1),
        Series("Third quartile", own, False, True, q3),
        Series("Median seed at each bar", own, True, False, median),
    ]
    return line_chart("Equity of the seeds, as a multiple of the start", series, _days(case))


def drawdown(case: Case) -> Chart:
    series = [_series(case, one, one.ledger.drawdown) for one in case.judged]
    return line_chart(f"Drawdown, %{_of_all(case)}", series, _days(case), percent=True)


def rolling(case: Case) -> list[Chart]:
    """Sharpe, volatility and beta of the subject and the benchmark; none where the range is shorter than a window."""
    chosen = [k for k, one in enumerate(case.judged) if k == 0 or one.key == "benchmark"]
    if not len(case.parts.rolling):
        return []
    days = _days(case)[case.evidence.window :]
    return [
        line_chart(
            name,
            [_series(case, case.judged[k], case.evidence.parts[k].rolling[:, column]) for k in chosen],
            days, percent=percent, height=LOW,
        )
        for column, name, percent in ROLLING
    ]  # fmt: skip


def weights(case: Case) -> Chart | None:
    """What the subject held: its largest positions by mean size, the others as one; None where it held nothing, and
    where that is not known.
    """
    if "weights" in case.absent:
        return None
    held = case.subject.ledger.weights
    size = np.abs(held).mean(axis=0)
    order = [int(a) for a in np.argsort(-size, kind="stable") if size[a] > 0]
    if not order:
        return None
    own, rest = order[:MOST_NAMES], order[MOST_NAMES:]
    names = [case.market.symbols[a] for a in own] + ([OTHERS] if rest else [])
    shown = np.column_stack([held[:, own]] + ([held[:, rest].sum(axis=1)] if rest else []))
    return area_chart(f"Weights, %{_of_all(case)}", names, shown, _days(case))


def _of_all(case: Case) -> str:
    """Behind the title of a chart that needs one account."""
    return "" if case.seeds is None else ALL_BOOKS


def _days(case: Case) -> np.ndarray:
    """Days of the bars; where a day has several, their closes."""
    bars = case.market.bars
    return (bars.known_at if bars.intraday else bars.session)[case.span.t0 : case.span.t1 + 1]


def _series(case: Case, one: Judged, values: np.ndarray) -> Series:
    return Series(one.spec.label, one.spec.series, one is case.subject, one.key == "benchmark", values)
