"""How each table of a strategy is made: one entry a key of `runfiles.layout.REPORT_FILES`, which says where it lies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from backtest import part_tables, tables
from backtest.evidence import Parts
from backtest.runner import Judged

if TYPE_CHECKING:
    from backtest.case import Case


@dataclass(frozen=True)
class Written:
    """What a table may be made from: one strategy of a case, its parts, its summary, and the close of each bar."""

    case: Case
    one: Judged
    parts: Parts
    summary: dict[str, Any]
    times: pa.Array


def ordered_json(value: dict[str, Any]) -> bytes:
    """JSON in the order of the keys given: metrics stay in the order of their table."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


TABLES: dict[str, Callable[[Written], bytes]] = {
    "metrics": lambda of: ordered_json(of.one.metrics),
    "metrics_csv": lambda of: tables.metrics_table(of.one.metrics),
    "equity": lambda of: tables.equity_table(of.one.ledger, of.times),
    "orders": lambda of: tables.orders_table(of.one.ledger, of.times, of.case.market.symbols),
    "trades": lambda of: tables.trades_table(of.one.trades, of.times, of.case.market.symbols),
    "weights": lambda of: tables.weights_table(of.one.ledger, of.times, of.case.market.symbols),
    "symbols": lambda of: part_tables.symbols_table(of.parts.symbols),
    "sides": lambda of: part_tables.sides_table(of.parts.sides),
    "costs": lambda of: part_tables.costs_table(of.parts.costs),
    "periods": lambda of: part_tables.periods_table(of.parts.periods),
    "drawdowns": lambda of: part_tables.drawdowns_table(of.parts.drawdowns, of.times),
    "rolling": lambda of: part_tables.rolling_table(of.parts.rolling, of.one.ledger, of.case.evidence.window, of.times),
    "intervals": lambda of: part_tables.intervals_table(of.parts.intervals),
    "summary": lambda of: ordered_json(of.summary),
}
