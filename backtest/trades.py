"""Round trips: fills matched first in, first out; lots signed; a flip closes all, then opens; open lots come last."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.jit import compiled
from simulator.ledger import Ledger, Orders

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLOSED_REST = 1e-9
"""Shares below which the rest of a lot is closed with it."""


@dataclass(frozen=True)
class Trades:
    """K matches of an entry fill with an exit fill, in the order of their exits, then the open lots; arrays (K,).

    side +1 long, -1 short; qty > 0 shares and prices a share as of the exit, lots having split with their shares; bars
    on the master index, exit_bar -1 for an open lot, whose exit price is the last mark. Money: pnl_gross at reference
    prices, fees and slippage >= 0 apportioned by quantity,
    pnl_net = pnl_gross - slippage - fees.
    """

    asset: Ints
    side: Ints
    qty: Floats
    entry_bar: Ints
    entry_price: Floats
    exit_bar: Ints
    exit_price: Floats
    pnl_gross: Floats
    fees: Floats
    slippage: Floats
    bars: Ints

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def pnl_net(self) -> Floats:
        return self.pnl_gross - self.slippage - self.fees

    @property
    def is_open(self) -> NDArray[np.bool_]:
        return self.exit_bar < 0

    @property
    def entry_value(self) -> Floats:
        """(K,) money paid or received at entry."""
        return self.qty * self.entry_price

    @property
    def n_closed(self) -> int:
        return int((~self.is_open).sum())


class Fills(NamedTuple):
    """K fills in order of execution; arrays (K,). Signed shares, prices per share, fee and slippage in money."""

    asset: Ints
    bar: Ints
    qty: Floats
    ref: Floats
    price: Floats
    fee: Floats
    slip: Floats


class Lots(NamedTuple):
    """What is left of each fill (K,): a lot is named by the fill that opened it; `head` and `tail` (A,) by asset."""

    qty: Floats
    fee: Floats
    slip: Floats
    after: Ints
    head: Ints
    tail: Ints


@compiled
def write_row(row, lot, end, amount, exit_price, exit_ref, fee, slip, fills, lots, whole, part):
    """One row of the result: `amount` shares of `lot`, out at `exit_price` in bar `end` (-1: still open)."""
    side = 1 if lots.qty[lot] > 0.0 else -1
    whole[0, row], whole[1, row], whole[2, row], whole[3, row] = fills.asset[lot], side, fills.bar[lot], end
    part[0, row], part[1, row], part[2, row] = amount, fills.price[lot], exit_price
    part[3, row] = side * amount * (exit_ref - fills.ref[lot])
    part[4, row], part[5, row] = fee, slip


@compiled
def append_lot(k, a, lots):
    """Fill k becomes the newest lot of asset a."""
    if lots.head[a] < 0:
        lots.head[a] = k
    else:
        lots.after[lots.tail[a]] = k
    lots.tail[a] = k


@compiled
def close_against(k, row, fills, lots, whole, part):
    """Match fill k with the oldest lots of the other sign; what is left of it stays in lots.qty[k].

    Returns the next row. Cost goes with the quantity; the match that ends a side takes all that is left of its cost.
    """
    a = fills.asset[k]
    while lots.head[a] >= 0 and lots.qty[k] * lots.qty[lots.head[a]] < 0.0:
        lot = lots.head[a]
        rest, held = abs(lots.qty[k]), abs(lots.qty[lot])
        amount = min(rest, held)
        ends, empties = rest - amount < CLOSED_REST, held - amount < CLOSED_REST
        out_share, in_share = (1.0 if ends else amount / rest), (1.0 if empties else amount / held)
        fee = in_share * lots.fee[lot] + out_share * lots.fee[k]
        slip = in_share * lots.slip[lot] + out_share * lots.slip[k]
        write_row(row, lot, fills.bar[k], amount, fills.price[k], fills.ref[k], fee, slip, fills, lots, whole, part)
        row += 1
        for one, share, gone in ((lot, in_share, empties), (k, out_share, ends)):
            lots.fee[one] -= share * lots.fee[one]
            lots.slip[one] -= share * lots.slip[one]
            size = 0.0 if gone else abs(lots.qty[one]) - amount
            lots.qty[one] = size if lots.qty[one] > 0.0 else -size
        if empties:
            lots.head[a] = lots.after[lot]
    return row


@compiled
def match_fills(fills, lots, marks, whole, part):
    """FIFO. Fills `whole` (4, 2K: asset, side, entry bar, exit bar) and `part` (6, 2K: qty, entry price, exit price,
    gross P&L, fees, slippage), closed matches first, then the open lots at `marks` (A,); returns the rows written.
    """
    row = 0
    for k in range(fills.asset.shape[0]):
        row = close_against(k, row, fills, lots, whole, part)
        if lots.qty[k] != 0.0:
            append_lot(k, fills.asset[k], lots)
    for a in range(marks.shape[0]):
        lot = lots.head[a]
        while lot >= 0:
            amount = abs(lots.qty[lot])
            write_row(row, lot, -1, amount, marks[a], marks[a], lots.fee[lot], lots.slip[lot], fills, lots, whole, part)
            row += 1
            lot = lots.after[lot]
    return row


def _fills(orders: Orders) -> Fills:
    """The fills of an order log in order of execution; fills of one bar in the order of the log."""
    done = np.flatnonzero((orders.filled >= 0) & (orders.qty_filled != 0))
    done = done[np.argsort(orders.filled[done], kind="stable")]
    return Fills(
        orders.asset[done], orders.filled[done], orders.qty_filled[done], orders.price_ref[done],
        orders.price_fill[done], orders.fee[done], orders.slippage[done],
    )  # fmt: skip


def _lots(fills: Fills, n_assets: int) -> Lots:
    none = np.full(n_assets, -1)
    after = np.full(len(fills.asset), -1)
    return Lots(fills.qty.copy(), fills.fee.copy(), fills.slip.copy(), after, none, none.copy())


def shares_at_end(ledger: Ledger) -> Floats | None:
    """(N+1, A) shares of t1 that a share of each bar has become; None where nothing was split."""
    if ledger.split is None:
        return None
    grown: Floats = np.asarray(np.cumprod(ledger.split, axis=0), dtype=np.float64)
    return np.asarray(grown[-1] / grown, dtype=np.float64)


def fifo(ledger: Ledger) -> Trades:
    """The trades of a ledger; open lots are valued at its last marks.

    Where there were splits, fills are matched in shares of t1, so that a lot meets its sale in the same shares.
    """
    fills, marks, ratio = _fills(ledger.orders), np.ascontiguousarray(ledger.marks[-1]), shares_at_end(ledger)
    if ratio is not None:
        times: Floats = ratio[fills.bar - ledger.t0, fills.asset]
        fills = fills._replace(qty=fills.qty * times, ref=fills.ref / times, price=fills.price / times)
    whole, part = np.empty((4, 2 * len(fills.asset)), np.int64), np.empty((6, 2 * len(fills.asset)))
    count = match_fills(fills, _lots(fills, len(marks)), marks, whole, part)
    asset, side, entry_bar, exit_bar = whole[:, :count]
    qty, entry_price, exit_price, gross, fees, slippage = list[Floats](part[:, :count])
    last = np.where(exit_bar < 0, ledger.t1, exit_bar)
    if ratio is not None:
        at_exit: Floats = ratio[last - ledger.t0, asset]
        part[0, :count] = qty / at_exit
        part[1:3, :count] *= at_exit
    return Trades(
        asset, side, qty, entry_bar, entry_price, exit_bar, exit_price, gross, fees, slippage, last - entry_bar
    )
