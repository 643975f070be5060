"""The tables of an account's parts as CSV bytes, in the manner of `backtest.tables`."""

import numpy as np
import pyarrow as pa

from backtest.breakdown import COSTS, SIDES, Drawdowns, Periods, Sides, Symbols
from backtest.columns import csv_bytes, floats, texts, whole, words
from backtest.intervals import Intervals
from backtest.series import Floats
from simulator.ledger import Ledger


def sides_table(sides: Sides) -> bytes:
    """Money over closed trades and open lots; `cash` holds interest. `pnl_net` sums to E_N - E_0."""
    return csv_bytes({
        "side": texts(SIDES), "trades": whole(sides.trades), "pnl_gross": floats(sides.gross),
        "fees": floats(sides.fees), "slippage": floats(sides.slippage), "dividends": floats(sides.dividends),
        "financing": floats(sides.financing), "pnl_net": floats(sides.net),
    })  # fmt: skip


def symbols_table(symbols: Symbols) -> bytes:
    """Money; the last row, `cash`, holds interest. `pnl_net` sums to E_N - E_0."""
    return csv_bytes({
        "symbol": texts(symbols.names), "pnl_gross": floats(symbols.gross), "fees": floats(symbols.fees),
        "slippage": floats(symbols.slippage), "dividends": floats(symbols.dividends),
        "financing": floats(symbols.financing), "pnl_net": floats(symbols.net),
    })  # fmt: skip


def costs_table(costs: tuple[Floats, Floats]) -> bytes:
    """Money over the range and bps a year over mean equity; what was earned counts negative."""
    return csv_bytes({"cost": texts(COSTS), "money": floats(costs[0]), "bps_per_year": floats(costs[1])})


def periods_table(periods: Periods) -> bytes:
    """Months, then years."""
    return csv_bytes({
        "period": texts(periods.name), "kind": texts(periods.kind), "return": floats(periods.change),
        "bars": whole(periods.bars),
    })  # fmt: skip


def drawdowns_table(drawdowns: Drawdowns, times: pa.Array) -> bytes:
    """The deepest first; `recovery` is empty while equity is below its peak."""
    return csv_bytes({
        "depth": floats(drawdowns.depth), "start": words(times, drawdowns.start),
        "trough": words(times, drawdowns.trough), "recovery": words(times, drawdowns.recovery),
        "bars": whole(drawdowns.bars),
    })  # fmt: skip


def rolling_table(rolling: Floats, ledger: Ledger, window: int, times: pa.Array) -> bytes:
    """One row for each bar that ends a window of returns."""
    sharpe, volatility, beta = np.ascontiguousarray(rolling.T)
    time = times.slice(ledger.t0 + window, len(rolling))
    return csv_bytes({
        "time": time, "sharpe": floats(sharpe), "volatility": floats(volatility), "beta": floats(beta),
    })  # fmt: skip


def intervals_table(intervals: Intervals) -> bytes:
    """In the units of the metrics."""
    limits = np.array([(one.low, one.high, one.error) for one in intervals], dtype=np.float64).T
    return csv_bytes({
        "metric": texts([one.key for one in intervals]), "kind": texts([one.kind for one in intervals]),
        "low": floats(limits[0]), "high": floats(limits[1]), "error": floats(limits[2]),
    })  # fmt: skip
