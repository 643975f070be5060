"""D of the step: orders become fills in bar f, under participation, costs and the funding rule."""

import math

from numba import njit

from simulator.decide import TINY_SHARES, round_to_lot
from simulator.state import CUT_BY_CAP, CUT_BY_FUNDING, FILLED, NO_VOLUME, SHORT_REFUSED, UNTRADABLE

MAX_SLIPPAGE = 0.5


@njit(cache=True, forceinline=True, _nrt=False)
def slipped(price_ref, side, size, volume, rules):
    """Fill price of a market order: p (1 + s min(0.5, h + k sqrt(|x| / A)))."""
    slip = rules.half_spread
    if rules.impact > 0.0:
        slip += rules.impact * math.sqrt(size / volume if volume > 0.0 else 1.0)
    return price_ref * (1.0 + side * min(MAX_SLIPPAGE, slip))


@njit(cache=True, forceinline=True, _nrt=False)
def fee_a_share(price, rules):
    return rules.fee_per_share + price * rules.fee_rate


@njit(cache=True, forceinline=True, _nrt=False)
def size_orders(i, f, market, rules, state, scratch):
    """Cut each order to what can trade in f, split it into x- (toward zero) and x+ (the rest), and price it whole."""
    for a in range(scratch.order.shape[0]):
        scratch.reduce[a] = 0.0
        scratch.grow[a] = 0.0
        order = scratch.order[a]
        if order == 0.0:
            continue
        scratch.reason[a] = FILLED
        reference, volume = market.ref[f, a], market.usual_volume[f, a]
        if not reference > 0.0:  # also NaN
            scratch.reason[a] = UNTRADABLE
            continue
        if rules.needs_volume and not volume > 0.0:
            scratch.reason[a] = NO_VOLUME
            continue
        size = abs(order)
        if size > rules.participation * volume and rules.participation != math.inf:
            size = round_to_lot(rules.participation * volume, rules.lot)
            scratch.reason[a] = CUT_BY_CAP
        side = 1.0 if order > 0.0 else -1.0
        held = state.shares[i, a]
        toward = min(size, abs(held)) if held * side < 0.0 else 0.0
        beyond = size - toward
        if beyond > 0.0 and side < 0.0 and not rules.allow_short:
            beyond = 0.0
            scratch.reason[a] = SHORT_REFUSED
        scratch.price[a] = slipped(reference, side, toward + beyond, volume, rules)
        scratch.reduce[a] = side * toward
        scratch.grow[a] = side * beyond


@njit(cache=True, forceinline=True, _nrt=False)
def funding_factor(i, f, market, rules, state, scratch):
    """Lambda: the share of all increases that equity can carry, everything valued at the fill's reference prices."""
    equity = state.cash[i]
    gross = 0.0
    grow_gross = 0.0
    grow_cost = 0.0
    for a in range(scratch.order.shape[0]):
        held, reduce, grow = state.shares[i, a], scratch.reduce[a], scratch.grow[a]
        if held == 0.0 and grow == 0.0:
            continue
        reference = market.ref[f, a]
        if not reference > 0.0:
            reference = market.mark[f - 1, a]
        equity += held * reference
        gross += abs(held + reduce) * reference
        if reduce != 0.0 or grow != 0.0:
            cost = fee_a_share(scratch.price[a], rules) + abs(scratch.price[a] - reference)
            equity -= cost * abs(reduce)
            grow_gross += abs(grow) * reference
            grow_cost += cost * abs(grow)
    if grow_gross == 0.0:
        return 1.0
    room = (rules.gross_cap * equity - gross) / (grow_gross + rules.gross_cap * grow_cost)
    return min(1.0, max(0.0, room))


@njit(cache=True, forceinline=True, _nrt=False)
def book_fill(i, f, decided, a, asked, filled, price, reference, reason, rules, state, totals, log):
    """Post one fill to cash, shares and sums, and log the order."""
    size = abs(filled)
    fee = size * fee_a_share(price, rules)
    slippage = size * abs(price - reference)
    spread = min(slippage, size * reference * rules.half_spread)
    state.cash[i] -= filled * price + fee
    left = state.shares[i, a] + filled
    state.shares[i, a] = left if abs(left) >= TINY_SHARES else 0.0
    state.traded[i] += size * price
    totals.fees[i] += fee
    totals.spread[i] += spread
    totals.impact[i] += slippage - spread
    log_order(decided, f, a, asked, filled, reference, price, fee, spread, slippage - spread, reason, log)


@njit(cache=True, forceinline=True, _nrt=False)
def log_order(decided, filled_at, a, asked, filled, reference, price, fee, spread, impact, reason, log):
    k = log.count[0]
    if k >= log.decided.shape[0]:
        return
    log.count[0] = k + 1
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


@njit(cache=True, forceinline=True, _nrt=False)
def fill_orders(i, f, market, rules, state, totals, scratch, log):
    """Fill book i's orders in bar f, in index order."""
    size_orders(i, f, market, rules, state, scratch)
    share = funding_factor(i, f, market, rules, state, scratch)
    for a in range(scratch.order.shape[0]):
        asked = scratch.order[a]
        if asked == 0.0:
            continue
        grow = scratch.grow[a]
        reason = scratch.reason[a]
        if share < 1.0 and grow != 0.0:
            grow = round_to_lot(share * grow, rules.lot)
            reason = CUT_BY_FUNDING
        filled = scratch.reduce[a] + grow
        if abs(filled) < TINY_SHARES:
            log_order(f - 1, -1, a, asked, 0.0, market.ref[f, a], math.nan, 0.0, 0.0, 0.0, reason, log)
        else:
            book_fill(i, f, f - 1, a, asked, filled, scratch.price[a], market.ref[f, a], reason, rules, state, totals, log)
