"""The tables of one strategy as CSV bytes: columnar, fast, the same bytes for the same numbers.

A bar is named by the time of its close in UTC. Fractions and money; floats in the shortest digits that read back the
same; undefined is empty; no text holds a comma or quote. Columns are listed in docs/run-directory.md.
"""

import io

import numpy as np
import pyarrow as pa

from backtest.columns import csv_bytes, floats, texts, whole, words
from backtest.metrics import IN_BPS, Metrics
from backtest.trades import Trades
from runfiles.metric_keys import METRICS
from simulator.ledger import Ledger
from simulator.market import Market
from simulator.state import REASONS
from simulator.waterfall import EFFECTS, Waterfall

_SIDES, _POSITIONS = ("buy", "sell"), ("long", "short")


def bar_times(market: Market) -> pa.Array:
    """(T,) the close of each bar, UTC, 2022-12-28T21:00:00Z."""
    return texts([f"{text}Z" for text in np.datetime_as_string(market.bars.known_at, unit="s").tolist()])


def _span(times: pa.Array, ledger: Ledger) -> pa.Array:
    return times.slice(ledger.t0, ledger.t1 - ledger.t0 + 1)


def equity_table(ledger: Ledger, times: pa.Array) -> bytes:
    """Rows t0..t1; gross and net over equity, financing and costs so far in money."""
    names = ("equity", "cash", "gross", "net", "drawdown", "financing", "costs")
    return csv_bytes({"time": _span(times, ledger)} | {name: floats(getattr(ledger, name)) for name in names})


def orders_table(ledger: Ledger, times: pa.Array, symbols: tuple[str, ...]) -> bytes:
    """Quantities without sign beside `side`; `filled` empty for an order that found no fill."""
    orders = ledger.orders
    return csv_bytes({
        "id": whole(np.arange(1, len(orders) + 1)), "decided": words(times, orders.decided),
        "filled": words(times, orders.filled), "symbol": words(texts(symbols), orders.asset),
        "side": words(texts(_SIDES), (orders.qty_target < 0).astype(np.int64)),
        "qty_target": floats(np.abs(orders.qty_target)), "qty_filled": floats(np.abs(orders.qty_filled)),
        "price_ref": floats(orders.price_ref), "price_fill": floats(orders.price_fill),
        "commission": floats(orders.fee), "spread": floats(orders.spread), "impact": floats(orders.impact),
        "reason": words(texts(REASONS), orders.reason),
    })  # fmt: skip


def trades_table(trades: Trades, times: pa.Array, symbols: tuple[str, ...]) -> bytes:
    """Closed trades in the order of their exits, then open lots, whose exit price is the last mark."""
    return csv_bytes({
        "id": whole(np.arange(1, len(trades) + 1)), "symbol": words(texts(symbols), trades.asset),
        "side": words(texts(_POSITIONS), (trades.side < 0).astype(np.int64)), "qty": floats(trades.qty),
        "entry_time": words(times, trades.entry_bar), "entry_price": floats(trades.entry_price),
        "exit_time": words(times, trades.exit_bar), "exit_price": floats(trades.exit_price),
        "pnl_gross": floats(trades.pnl_gross), "fees": floats(trades.fees), "slippage": floats(trades.slippage),
        "pnl_net": floats(trades.pnl_net), "bars": whole(trades.bars), "open": whole(trades.is_open.astype(np.int64)),
    })  # fmt: skip


def weights_table(ledger: Ledger, times: pa.Array, symbols: tuple[str, ...]) -> bytes:
    """q m / E at each close, after fills."""
    weights = np.ascontiguousarray(ledger.weights.T)
    return csv_bytes({"time": _span(times, ledger)} | {s: floats(w) for s, w in zip(symbols, weights, strict=True)})


def metrics_table(metrics: Metrics) -> bytes:
    """One row a metric."""
    specs = list(METRICS.values())
    return csv_bytes({
        "metric": texts([spec.key for spec in specs]), "label": texts([spec.label for spec in specs]),
        "unit": texts([spec.unit for spec in specs]),
        "value": floats(np.array([metrics[spec.key] for spec in specs], dtype=np.float64)),
    })  # fmt: skip


def waterfall_table(found: Waterfall, times: pa.Array, symbols: tuple[str, ...]) -> bytes:
    """Parquet, a row a decision and symbol: weight before, action, each layer's effect in weight and in bps of equity,
    and what filled, which is the sum of the effects.
    """
    import pyarrow.parquet as papq

    count, size = found.held.shape
    columns = {
        "time": words(times, np.repeat(found.bars, size)).dictionary_decode(),
        "symbol": words(texts(symbols), np.tile(np.arange(size), count)).dictionary_decode(),
        "action": floats(found.action.ravel()),
        "held": floats(found.held.ravel()),
    }
    weights = dict(zip((*EFFECTS, "filled"), (*found.effects, found.filled), strict=True))
    columns |= {name: floats(weight.ravel()) for name, weight in weights.items()}
    columns |= {f"{name}_bps": floats(weight.ravel() * IN_BPS) for name, weight in weights.items()}
    sink = io.BytesIO()
    papq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()
