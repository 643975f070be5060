"""Fill times and prices of a ledger, held against the bars themselves and not against the prepared market."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from backtest.leaks.compare import same, when
from marketdata.bars import Bars
from simulator.ledger import Orders
from simulator.state import REASONS

AT_MARKS = frozenset({"stop", "ruin", "liquidate", "delisted"})
"""Closings at a mark or at what a delisting pays: their price is no price of a bar's trading."""
FORCED = frozenset({"margin", "max_drawdown", "daily_loss"})
"""They fill in the next bar, whatever the latency of decisions."""
SLACK = 1e-9


def fill_faults(orders: Orders, bars: Bars, fill: str, latency: int) -> Iterator[str]:
    """A sentence for each order that is filled too early, or at a reference price that its bar does not have.

    `fill`: the price that the rule takes of a bar, `next_open` or `next_close`; any other is held against the bar's
    range. `latency`: bars between a decision and the bar before its fill.
    """
    done = (orders.filled >= 0) & ~_because(orders, AT_MARKS)
    waits = 1 + np.where(_because(orders, FORCED), 0, latency)
    early = done & (orders.filled < orders.decided + waits)
    for k in np.flatnonzero(early):
        day = when(bars, int(orders.decided[k]))
        yield (
            f"fill: {bars.symbols[orders.asset[k]]} is decided at the close of {day} and filled in the bar of "
            f"{when(bars, int(orders.filled[k]))}; the first that may fill it is {waits[k]} later."
        )
    for k in np.flatnonzero(done & ~early & ~_possible(orders, bars, fill)):
        yield _wrong_price(orders, int(k), bars)


def _because(orders: Orders, reasons: frozenset[str]) -> NDArray[np.bool_]:
    return np.isin(orders.reason, [i for i, reason in enumerate(REASONS) if reason in reasons])


def _possible(orders: Orders, bars: Bars, fill: str) -> NDArray[np.bool_]:
    """(K,) whether the reference price is one of its bar: the rule's own, or for any other within its range."""
    bar, asset, price = np.maximum(orders.filled, 0), orders.asset, orders.price_ref
    exact = {"next_open": bars.open, "next_close": bars.close}.get(fill)
    if exact is not None:
        return same(exact[bar, asset], price)
    if bars.low is None or bars.high is None:
        return np.ones(len(orders), dtype=np.bool_)
    inside = (price >= bars.low[bar, asset] * (1 - SLACK)) & (price <= bars.high[bar, asset] * (1 + SLACK))
    return np.asarray(inside)


def _wrong_price(orders: Orders, k: int, bars: Bars) -> str:
    symbol, t = bars.symbols[orders.asset[k]], int(orders.filled[k])
    price = orders.price_ref[k]
    earlier = _origin(bars, int(orders.asset[k]), int(orders.decided[k]), price)
    told = f", which is the {earlier} of the bar that decided it" if earlier else ""
    return f"fill: {symbol} is filled on {when(bars, t)} at {price:.9g}, a price that this bar does not have{told}."


def _origin(bars: Bars, asset: int, t: int, price: float) -> str:
    for name in ("close", "open", "high", "low"):
        column = bars.column(name)
        if column is not None and column[t, asset] == price:
            return name
    return ""
