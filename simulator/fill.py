"""D of the step: orders become fills in bar f, under participation, costs and the funding rule."""

import math

from simulator.decide import TINY_SHARES, round_to_lot
from simulator.jit import inlined
from simulator.market import MarketArrays
from simulator.rules import Rules
from simulator.state import (
    CUT_BY_CAP,
    CUT_BY_FUNDING,
    FILLED,
    NO_VOLUME,
    SHORT_REFUSED,
    UNTRADABLE,
    OrderLog,
    Scratch,
    State,
    Totals,
)

Sums = tuple[float, float, float, float, float]

MAX_SLIPPAGE = 0.5


@inlined
def slipped(price_ref: float, side: float, size: float, volume: float, rules: Rules) -> float:
    """Fill price of a market order: p (1 + s min(0.5, h + k sqrt(|x| / A)))."""
    slip = rules.half_spread
    if rules.impact > 0.0:
        slip += rules.impact * math.sqrt(size / volume if volume > 0.0 else 1.0)
    return price_ref * (1.0 + side * min(MAX_SLIPPAGE, slip))


@inlined
def fee_a_share(price: float, rules: Rules) -> float:
    return rules.fee_per_share + price * rules.fee_rate


@inlined
def size_orders(i: int, f: int, market: MarketArrays, rules: Rules, state: State, scratch: Scratch) -> None:
    """Cut each order to what can trade in f, split it into x- (toward zero) and x+ (the rest), and price it whole."""
    orders, reduce, grow, reasons = scratch.order, scratch.reduce, scratch.grow, scratch.reason
    shares, references, volumes = state.shares[i], market.ref[f], market.usual_volume[f]
    for a in range(orders.shape[0]):
        reduce[a] = 0.0
        grow[a] = 0.0
        order = orders[a]
        if order == 0.0:
            continue
        reasons[a] = FILLED
        reference, volume = references[a], volumes[a]
        if not reference > 0.0:  # also NaN
            reasons[a] = UNTRADABLE
            continue
        if rules.needs_volume and not volume > 0.0:
            reasons[a] = NO_VOLUME
            continue
        size = abs(order)
        if size > rules.participation * volume:  # off: inf, or NaN where no volume is known
            size = abs(round_to_lot(rules.participation * volume, rules.lot))
            reasons[a] = CUT_BY_CAP
        side = math.copysign(1.0, order)
        toward = min(size, max(0.0, -side * shares[a]))
        beyond = size - toward
        if beyond > 0.0 and side < 0.0 and not rules.allow_short:
            beyond = 0.0
            reasons[a] = SHORT_REFUSED
        scratch.price[a] = slipped(reference, side, toward + beyond, volume, rules)
        reduce[a] = side * toward
        grow[a] = side * beyond


@inlined
def funding_factor(i: int, f: int, market: MarketArrays, rules: Rules, state: State, scratch: Scratch) -> float:
    """Lambda: the share of all increases that equity can carry, everything valued at the fill's reference prices."""
    shares, references, marks, prices = state.shares[i], market.ref[f], market.mark[f - 1], scratch.price
    equity = state.cash[i]
    gross = 0.0
    grow_gross = 0.0
    grow_cost = 0.0
    for a in range(shares.shape[0]):
        held, reduce, grow = shares[a], scratch.reduce[a], scratch.grow[a]
        if held == 0.0 and grow == 0.0:
            continue
        reference = references[a] if references[a] > 0.0 else marks[a]
        equity += held * reference
        gross += abs(held + reduce) * reference
        if reduce != 0.0 or grow != 0.0:
            cost = fee_a_share(prices[a], rules) + abs(prices[a] - reference)
            equity -= cost * abs(reduce)
            grow_gross += abs(grow) * reference
            grow_cost += cost * abs(grow)
    if grow_gross == 0.0:
        return 1.0
    room = (rules.gross_cap * equity - gross) / (grow_gross + rules.gross_cap * grow_cost)
    return float(min(1.0, max(0.0, room)))


@inlined
def settle(
    i: int,
    filled_at: int,
    decided: int,
    a: int,
    asked: float,
    filled: float,
    price: float,
    reference: float,
    reason: int,
    rules: Rules,
    state: State,
    log: OrderLog,
) -> Sums:
    """Move the shares of one fill and log the order. Returns (paid, traded, fee, spread, impact), money."""
    size = abs(filled)
    traded = size * price
    fee = size * fee_a_share(price, rules)
    slippage = size * abs(price - reference)
    # without impact all slippage is spread: a difference of the two would be a rounding residue
    spread = min(slippage, size * reference * rules.half_spread) if rules.impact > 0.0 else slippage
    left = state.shares[i, a] + filled
    state.shares[i, a] = left if abs(left) >= TINY_SHARES else 0.0
    log_order(decided, filled_at, a, asked, filled, reference, price, fee, spread, slippage - spread, reason, log)
    return filled * price + fee, traded, fee, spread, slippage - spread


@inlined
def post(i: int, sums: Sums, state: State, totals: Totals) -> None:
    """Book the sums of a bar's fills (as `settle` returns them) on cash and totals."""
    state.cash[i] -= sums[0]
    state.traded[i] += sums[1]
    totals.fees[i] += sums[2]
    totals.spread[i] += sums[3]
    totals.impact[i] += sums[4]


@inlined
def add(a: Sums, b: Sums) -> Sums:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]


@inlined
def log_order(
    decided: int,
    filled_at: int,
    a: int,
    asked: float,
    filled: float,
    reference: float,
    price: float,
    fee: float,
    spread: float,
    impact: float,
    reason: int,
    log: OrderLog,
) -> None:
    k = log.orders[0]
    if k >= log.decided.shape[0]:
        return
    log.orders[0] = k + 1
    log.decided[k] = decided
    log.filled[k] = filled_at
    log.asset[k] = a
    log.reason[k] = reason
    log.qty_target[k] = asked
    log.qty_filled[k] = filled
    log.price_ref[k] = reference
    log.price_fill[k] = price
    log.fee[k] = fee
    log.spread[k] = spread
    log.impact[k] = impact


@inlined
def fill_orders(
    i: int, f: int, market: MarketArrays, rules: Rules, state: State, totals: Totals, scratch: Scratch, log: OrderLog
) -> None:
    """Fill book i's orders in bar f, in index order."""
    size_orders(i, f, market, rules, state, scratch)
    share = funding_factor(i, f, market, rules, state, scratch)
    orders, references = scratch.order, market.ref[f]
    sums = (0.0, 0.0, 0.0, 0.0, 0.0)
    for a in range(orders.shape[0]):
        asked = orders[a]
        if asked == 0.0:
            continue
        grow, reason = scratch.grow[a], scratch.reason[a]
        if share < 1.0 and grow != 0.0:
            grow = round_to_lot(share * grow, rules.lot)
            reason = CUT_BY_FUNDING
        filled = scratch.reduce[a] + grow
        if abs(filled) < TINY_SHARES:
            log_order(f - 1, -1, a, asked, 0.0, references[a], math.nan, 0.0, 0.0, 0.0, reason, log)
        else:
            fill = settle(i, f, f - 1, a, asked, filled, scratch.price[a], references[a], reason, rules, state, log)
            sums = add(sums, fill)
    post(i, sums, state, totals)
