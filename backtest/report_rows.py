"""The rows of the report's tables from a judgement, in the shape of the files that it writes."""

from dataclasses import asdict
from typing import Any

from backtest.breakdown import COSTS, SIDES
from backtest.case import Case
from runfiles import report_rows

Rows = list[dict[str, Any]]

DEEPEST_SHOWN = 10


def labels(case: Case) -> dict[str, str]:
    """Label of each strategy that was judged, by its key."""
    return {one.key: one.spec.label for one in case.judged}


def tables(case: Case) -> dict[str, Rows]:
    """Rows by the key of the table, of the subject."""
    evidence, names = case.evidence, labels(case)
    intervals = [{**asdict(one), "metric": one.key} for one in case.parts.intervals]
    split = asdict(case.split)
    return {
        "ranges": report_rows.range_rows(split),
        "folds": report_rows.fold_rows(split, names),
        "learned": report_rows.learned_rows(split),
        "costs": report_rows.named(cost_rows(case), "cost"),
        "sides": report_rows.named(side_rows(case), "side"),
        "symbols": report_rows.symbol_rows(symbol_rows(case)),
        "drawdowns": drawdown_rows(case),
        "intervals": report_rows.interval_rows(intervals, case.subject.metrics),
        "sensitivity": report_rows.rerun_rows(asdict(evidence.sweep)["rows"], names),
        "delays": report_rows.rerun_rows(delay_rows(case), names),
        "capacity": report_rows.rerun_rows(asdict(evidence.capacity)["rows"], names),
        "stress": report_rows.stress_rows([asdict(row) for row in evidence.stress], names),
    }


def delay_rows(case: Case) -> Rows:
    return [asdict(row) for row in case.evidence.delays]


def cost_rows(case: Case) -> Rows:
    money, bps = case.parts.costs
    return [{"cost": key, "money": float(money[k]), "bps_per_year": float(bps[k])} for k, key in enumerate(COSTS)]


def side_rows(case: Case) -> Rows:
    sides = case.parts.sides
    columns = {"pnl_gross": sides.gross, "fees": sides.fees, "slippage": sides.slippage,
               "dividends": sides.dividends, "financing": sides.financing, "pnl_net": sides.net}  # fmt: skip
    return [
        {"side": key, "trades": int(sides.trades[k])} | {name: float(values[k]) for name, values in columns.items()}
        for k, key in enumerate(SIDES)
    ]


def symbol_rows(case: Case) -> Rows:
    found = case.parts.symbols
    columns = {"pnl_gross": found.gross, "fees": found.fees, "slippage": found.slippage, "dividends": found.dividends,
               "financing": found.financing, "pnl_net": found.net, "mean_weight": found.weight}  # fmt: skip
    return [
        {"symbol": name} | {key: float(values[k]) for key, values in columns.items()}
        for k, name in enumerate(found.names)
    ]


def drawdown_rows(case: Case) -> Rows:
    falls, known = case.parts.drawdowns, case.market.bars.known_at

    def day(bar: int) -> str:
        return "" if bar < 0 else str(known[bar].astype("datetime64[D]"))

    return [
        {"depth": float(falls.depth[k]), "start": day(falls.start[k]), "trough": day(falls.trough[k]),
         "recovery": day(falls.recovery[k]), "bars": int(falls.bars[k])}
        for k in range(min(len(falls.depth), DEEPEST_SHOWN))
    ]  # fmt: skip


def period_rows(case: Case) -> Rows:
    periods = case.parts.periods
    return [
        {"period": name, "return": float(change)} for name, change in zip(periods.name, periods.change, strict=True)
    ]


def left_out(case: Case) -> list[str]:
    return report_rows.left_out([asdict(row) for row in case.evidence.stress])
