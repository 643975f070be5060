"""Ledgers made by hand: five bars on paper, without a simulator."""

from collections.abc import Sequence

import numpy as np

from backtest.runner import run_with_spread
from backtest.strategy import Strategy
from simulator.config import SimulatorConfig
from simulator.ledger import Events, Ledger, Orders
from simulator.market import Market

Fill = tuple[int, float, float, float]  # bar, signed shares, fill price, fee


def hand_orders(
    fills: Sequence[Fill], refs: Sequence[float] | None = None, assets: Sequence[int] | None = None
) -> Orders:
    """Each fill decided on the bar before; all slippage counts as spread."""
    count = len(fills)
    bars, qty, price, fee = np.array(fills, dtype=np.float64).reshape(count, 4).T
    ref = price if refs is None else np.array(refs, dtype=np.float64)
    asset = np.zeros(count, np.int64) if assets is None else np.array(assets, dtype=np.int64)
    return Orders(
        decided=bars.astype(np.int64) - 1, filled=bars.astype(np.int64), asset=asset, reason=np.zeros(count, np.int64),
        qty_target=qty.copy(), qty_filled=qty.copy(), price_ref=ref.copy(), price_fill=price.copy(), fee=fee.copy(),
        spread=np.abs(qty) * np.abs(price - ref), impact=np.zeros(count),
    )  # fmt: skip


def hand_ledger(
    fills: Sequence[Fill], marks: Sequence[float] | Sequence[Sequence[float]], refs: Sequence[float] | None = None,
    assets: Sequence[int] | None = None, cash: float = 10_000.0, split: np.ndarray | None = None,
) -> Ledger:  # fmt: skip
    """A book of `cash` on bars 0..n with these closes (n+1,) or (n+1, A), its fills posted in their bars.

    `split` (n+1, A): new shares for an old one, before the bar's fills.
    """
    orders = hand_orders(fills, refs, assets)
    table = np.array(marks, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    length, n_assets = table.shape

    def spread_over(values: np.ndarray) -> np.ndarray:
        out = np.zeros(length)
        np.add.at(out, orders.filled, values)
        return out.cumsum()

    shares = np.zeros((length, n_assets))
    np.add.at(shares, (orders.filled, orders.asset), orders.qty_filled)
    for t in range(1, length):
        shares[t] += shares[t - 1] if split is None else shares[t - 1] * split[t]
    money = cash - spread_over(orders.qty_filled * orders.price_fill + orders.fee)
    values = shares * table
    volume = spread_over(np.abs(orders.qty_filled) * orders.price_fill)
    zeros = np.zeros(length)
    events = Events(
        row=np.arange(length), traded=np.diff(volume, prepend=0.0), fees=spread_over(orders.fee),
        spread=spread_over(orders.spread), impact=zeros, dividends=zeros.copy(), shares=shares,
    )  # fmt: skip
    return Ledger(
        t0=0, t1=length - 1, equity=money + values.sum(axis=1), cash=money, gross_value=np.abs(values).sum(axis=1),
        net_value=values.sum(axis=1), borrow=zeros.copy(), interest=zeros.copy(), events=events, marks=table,
        orders=orders, bound=0, ended="", dividends_by_asset=np.zeros(n_assets), split=split,
    )  # fmt: skip


def equity_ledger(equity: Sequence[float]) -> Ledger:
    """A book whose equity is given; one share of one asset that is worth it."""
    value = np.array(equity, dtype=np.float64)
    none, zeros = np.zeros(1), np.zeros(len(value))
    events = Events(row=np.zeros(1, np.int64), traded=none, fees=none, spread=none, impact=none, dividends=none,
                    shares=np.ones((1, 1)))  # fmt: skip
    return Ledger(
        t0=0, t1=len(value) - 1, equity=value, cash=zeros, gross_value=value, net_value=value, borrow=zeros,
        interest=zeros, events=events, marks=value[:, None], orders=hand_orders([]), bound=0, ended="",
        dividends_by_asset=np.zeros(1),
    )  # fmt: skip


def run_strategy(strategy: Strategy, market: Market, config: SimulatorConfig, t0: int, t1: int) -> Ledger:
    """What the judge keeps of a strategy that is no fund."""
    return run_with_spread(strategy, market, config, t0, t1)[0]
