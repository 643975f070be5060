"""Round trips: fills matched first in, first out; lots signed; a flip closes all, then opens; open lots come last."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.jit import inlined, kernel
from simulator.ledger import Ledger, Orders

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLOSED_REST = 1e-9
"""Shares below which the rest of a lot is closed with it."""

NONE = -1


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
    """K orders in the order of their execution, some of them not filled; arrays (K,). Signed shares, prices per share,
    costs in money.
    """

    asset: Ints
    bar: Ints  # -1: not filled
    qty: Floats
    ref: Floats
    price: Floats
    fee: Floats
    spread: Floats
    impact: Floats


class Lots(NamedTuple):
    """What is left of each fill that opened a lot (K,), by which the lot is named, and the next lot of its asset; the
    oldest and the newest of each asset (A,), -1 for none.
    """

    qty: Floats
    fee: Floats
    slip: Floats
    after: Ints
    oldest: Ints
    newest: Ints


class Matches(NamedTuple):
    """Room for 2K rows of the result, columns as those of `Trades`: closed matches first, then the open lots."""

    asset: Ints
    side: Ints
    entry_bar: Ints
    exit_bar: Ints
    qty: Floats
    entry_price: Floats
    exit_price: Floats
    pnl_gross: Floats
    fees: Floats
    slippage: Floats


@inlined
def write_row(row, lot, end, amount, side, exit_price, exit_ref, costs, fills, matches):
    """One row of the result: `amount` shares of `lot`, out at `exit_price` in bar `end` (-1: still open)."""
    matches.asset[row], matches.side[row] = fills.asset[lot], side
    matches.entry_bar[row], matches.exit_bar[row] = fills.bar[lot], end
    matches.qty[row], matches.entry_price[row], matches.exit_price[row] = amount, fills.price[lot], exit_price
    matches.pnl_gross[row] = side * amount * (exit_ref - fills.ref[lot])
    matches.fees[row], matches.slippage[row] = costs


@inlined
def append_lot(k, rest, fee, slip, fills, lots):
    """What is left of fill k becomes the newest lot of its asset."""
    a = fills.asset[k]
    lots.qty[k], lots.fee[k], lots.slip[k], lots.after[k] = rest, fee, slip, NONE
    if lots.oldest[a] == NONE:
        lots.oldest[a] = k
    else:
        lots.after[lots.newest[a]] = k
    lots.newest[a] = k


@inlined
def match_fill(k, row, fills, lots, matches):
    """Match fill k with the oldest lots of the other sign; what is left of it becomes a lot. Returns the next row.

    Cost goes with the quantity; the match that ends a side takes all that is left of its cost.
    """
    a, out = fills.asset[k], fills.qty[k]
    rest, fee, slip = abs(out), fills.fee[k], fills.spread[k] + fills.impact[k]
    lot = lots.oldest[a]
    while rest > 0.0 and lot != NONE and lots.qty[lot] * out < 0.0:
        held = abs(lots.qty[lot])
        side = 1.0 if out < 0.0 else -1.0
        amount = min(rest, held)
        ends, empties = rest - amount < CLOSED_REST, held - amount < CLOSED_REST
        out_share, in_share = (1.0 if ends else amount / rest), (1.0 if empties else amount / held)
        in_fee, out_fee = in_share * lots.fee[lot], out_share * fee
        in_slip, out_slip = in_share * lots.slip[lot], out_share * slip
        costs = (in_fee + out_fee, in_slip + out_slip)
        write_row(row, lot, fills.bar[k], amount, side, fills.price[k], fills.ref[k], costs, fills, matches)
        row += 1
        rest, fee, slip = 0.0 if ends else rest - amount, fee - out_fee, slip - out_slip
        if empties:
            lot = lots.after[lot]
            lots.oldest[a] = lot
        else:
            lots.qty[lot] = side * (held - amount)
            lots.fee[lot] -= in_fee
            lots.slip[lot] -= in_slip
    if rest > 0.0:
        append_lot(k, rest if out > 0.0 else -rest, fee, slip, fills, lots)
    return row


@kernel
def match_fills(fills, lots, marks, matches):
    """FIFO. Writes `matches`, open lots at `marks` (A,); returns how many rows."""
    row = 0
    for k in range(fills.asset.shape[0]):
        if fills.bar[k] >= 0 and fills.qty[k] != 0.0:
            row = match_fill(k, row, fills, lots, matches)
    for a in range(marks.shape[0]):
        lot = lots.oldest[a]
        while lot != NONE:
            side = 1.0 if lots.qty[lot] > 0.0 else -1.0
            costs = (lots.fee[lot], lots.slip[lot])
            write_row(row, lot, NONE, side * lots.qty[lot], side, marks[a], marks[a], costs, fills, matches)
            row += 1
            lot = lots.after[lot]
    return row


def _fills(orders: Orders) -> Fills:
    """The fills of an order log in the order of their execution; fills of one bar in the order of the log."""
    found = Fills(
        orders.asset, orders.filled, orders.qty_filled, orders.price_ref, orders.price_fill, orders.fee, orders.spread,
        orders.impact,
    )  # fmt: skip
    done = orders.filled >= 0
    times = orders.filled if done.all() else orders.filled[done]
    if (times[1:] >= times[:-1]).all():
        return found
    order = np.flatnonzero(done)[np.argsort(times, kind="stable")]
    return Fills._make([column[order] for column in found])


def _lots(n: int, n_assets: int) -> Lots:
    none = np.full(n_assets, NONE)
    return Lots._make([*np.empty((3, n)), np.empty(n, np.int64), none, none.copy()])


def _matches(n: int) -> Matches:
    return Matches._make([*np.empty((4, 2 * n), np.int64), *np.empty((6, 2 * n))])


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
        times: Floats = ratio[np.maximum(fills.bar, ledger.t0) - ledger.t0, fills.asset]
        fills = fills._replace(qty=fills.qty * times, ref=fills.ref / times, price=fills.price / times)
    matches = _matches(len(fills.asset))
    count = match_fills(fills, _lots(len(fills.asset), len(marks)), marks, matches)
    found = Matches._make([column[:count] for column in matches])
    last = np.where(found.exit_bar < 0, ledger.t1, found.exit_bar)
    if ratio is not None:
        at_exit: Floats = ratio[last - ledger.t0, found.asset]
        found = found._replace(
            qty=found.qty / at_exit, entry_price=found.entry_price * at_exit, exit_price=found.exit_price * at_exit
        )
    return Trades(**found._asdict(), bars=last - found.entry_bar)
