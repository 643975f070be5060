"""The tables of one strategy as CSV bytes: columnar, fast, the same bytes for the same numbers.

A bar is named by the time of its close in UTC. Fractions and money; floats in the shortest digits that read back the
same; undefined is empty. Columns are listed in docs/run-directory.md.
"""

import io
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from backtest.metrics import Metrics
from backtest.trades import Trades
from runfiles.metric_keys import METRICS
from simulator.ledger import Ledger
from simulator.market import Market
from simulator.state import REASONS

CASH_ROW = "cash"
_OPTIONS = pacsv.WriteOptions(include_header=False, quoting_style="needed")

Column = NDArray[np.generic] | pa.Array | list[str]


def csv_bytes(columns: Mapping[str, Column]) -> bytes:
    """A header line and the rows; NaN and missing are empty."""
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, from_pandas=True) for column in columns.values()
    ]
    sink = io.BytesIO()
    sink.write((",".join(columns) + "\n").encode())
    table = pa.Table.from_arrays(arrays, names=[str(i) for i in range(len(arrays))])
    pacsv.write_csv(table, sink, _OPTIONS)
    return sink.getvalue()


def words(values: tuple[str, ...] | list[str], index: NDArray[np.int64]) -> pa.Array:
    """The word of each index; -1 is missing."""
    return pa.array(values, pa.string()).take(pa.array(index, mask=index < 0))


def bar_times(market: Market) -> list[str]:
    """(T,) the close of each bar, UTC, 2022-12-28T21:00:00Z."""
    return [f"{text}Z" for text in np.datetime_as_string(market.bars.known_at, unit="s").tolist()]


def equity_table(ledger: Ledger, times: list[str]) -> bytes:
    """Rows t0..t1; gross and net over equity, financing and costs so far in money."""
    return csv_bytes({
        "time": times[ledger.t0 : ledger.t1 + 1], "equity": ledger.equity, "cash": ledger.cash, "gross": ledger.gross,
        "net": ledger.net, "drawdown": ledger.drawdown, "financing": ledger.financing, "costs": ledger.costs,
    })  # fmt: skip


def orders_table(ledger: Ledger, times: list[str], symbols: tuple[str, ...]) -> bytes:
    """Quantities without sign beside `side`; `filled` empty for an order that found no fill."""
    orders = ledger.orders
    return csv_bytes({
        "id": np.arange(1, len(orders) + 1), "decided": words(times, orders.decided),
        "filled": words(times, orders.filled), "symbol": words(symbols, orders.asset),
        "side": words(["buy", "sell"], (orders.qty_target < 0).astype(np.int64)),
        "qty_target": np.abs(orders.qty_target), "qty_filled": np.abs(orders.qty_filled), "price_ref": orders.price_ref,
        "price_fill": orders.price_fill, "commission": orders.fee, "spread": orders.spread, "impact": orders.impact,
        "reason": words(REASONS, orders.reason),
    })  # fmt: skip


def trades_table(trades: Trades, times: list[str], symbols: tuple[str, ...]) -> bytes:
    """Closed trades in the order of their exits, then open lots, whose exit price is the last mark."""
    return csv_bytes({
        "id": np.arange(1, len(trades) + 1), "symbol": words(symbols, trades.asset),
        "side": words(["long", "short"], (trades.side < 0).astype(np.int64)), "qty": trades.qty,
        "entry_time": words(times, trades.entry_bar), "entry_price": trades.entry_price,
        "exit_time": words(times, trades.exit_bar), "exit_price": trades.exit_price, "pnl_gross": trades.pnl_gross,
        "fees": trades.fees, "slippage": trades.slippage, "pnl_net": trades.pnl_net, "bars": trades.bars,
        "open": trades.is_open.astype(np.int64),
    })  # fmt: skip


def weights_table(ledger: Ledger, times: list[str], symbols: tuple[str, ...]) -> bytes:
    """q m / E at each close, after fills."""
    weights = np.ascontiguousarray(ledger.weights.T)
    return csv_bytes({"time": times[ledger.t0 : ledger.t1 + 1], **dict(zip(symbols, weights, strict=True))})


def symbols_table(ledger: Ledger, trades: Trades, market: Market, borrow_fee: float) -> bytes:
    """Profit by symbol over closed trades and open lots; the last row, `cash`, holds interest. Sums to E_N - E_0."""
    size = market.n_assets

    def by_symbol(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.append(np.bincount(trades.asset, values, minlength=size), 0.0)

    financing = np.append(borrow_by_symbol(ledger, market, borrow_fee), ledger.interest[-1])
    return csv_bytes({
        "symbol": [*market.symbols, CASH_ROW], "pnl_gross": by_symbol(trades.pnl_gross), "fees": by_symbol(trades.fees),
        "slippage": by_symbol(trades.slippage), "dividends": np.zeros(size + 1), "financing": financing,
        "pnl_net": by_symbol(trades.pnl_net) + financing,
    })  # fmt: skip


def borrow_by_symbol(ledger: Ledger, market: Market, borrow_fee: float) -> NDArray[np.float64]:
    """(A,) money, <= 0: what short positions paid for the loan, on the value at each close but the last."""
    if borrow_fee == 0:
        return np.zeros(market.n_assets)
    short = np.maximum(-ledger.values[:-1], 0.0)
    paid: NDArray[np.float64] = market.arrays.year_fraction[ledger.t0 : ledger.t1] @ short
    return -borrow_fee * paid


def metrics_table(metrics: Metrics) -> bytes:
    """One row a metric."""
    specs = list(METRICS.values())
    values = np.array([metrics[spec.key] for spec in specs], dtype=np.float64)
    return csv_bytes({
        "metric": [spec.key for spec in specs], "label": [spec.label for spec in specs],
        "unit": [spec.unit for spec in specs], "value": values,
    })  # fmt: skip
