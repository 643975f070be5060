"""Orders of the extended rules in a bar: forced ones, and what each decision still has to trade, oldest first.

Leg 0 holds the forced orders, leg 1 + j those of the decision of bar d - latency + j, d being the last decision: no
older order can live, since a decision ends all that have reached the market.
"""

import math

from simulator.decide import TINY_SHARES, round_to_lot
from simulator.extra_state import NEVER, Extra
from simulator.jit import inlined, outlined
from simulator.layers import trail_row
from simulator.market import MarketArrays
from simulator.order_log import log_order
from simulator.pricing import costs_of, full_fee, half_spread, limit_price, slipped, ticked
from simulator.rules import Rules
from simulator.state import (
    BY_DAILY_LOSS,
    CANCELLED,
    CUT_BY_CAP,
    CUT_BY_FUNDING,
    DELISTED,
    FILLED,
    HALTED,
    NO_VOLUME,
    REPLACED,
    SHORT_REFUSED,
    UNTOUCHED,
    UNTRADABLE,
    OrderLog,
    Scratch,
    State,
)


@inlined
def slot_of(i: int, k: int, state: State, extra: Extra) -> int:
    """The slot of leg k >= 1, -1 where no decision has orders there."""
    slots = extra.state.decided.shape[1]
    d = state.last_decision[i] - slots + k
    if state.last_decision[i] < 0 or d < 0:
        return -1
    s = d % slots
    return s if extra.state.decided[i, s] == d else -1


@outlined
def drop_order(i: int, s: int, a: int, why: int, log: OrderLog, extra: Extra) -> None:
    """What is left of an order ends without a fill."""
    left = extra.state.left[i, s, a]
    if left != 0.0:
        log_order(extra.state.decided[i, s], -1, a, left, 0.0, math.nan, math.nan, 0.0, 0.0, 0.0, why, log)
        extra.state.left[i, s, a] = 0.0
        row = trail_row(extra.state.decided[i, s], extra)
        if row >= 0 and why in (CANCELLED, DELISTED):  # an order that is dropped counts as participation
            extra.trail.placed[row, a] = extra.trail.filled[row, a]


@inlined
def drop_slot(i: int, s: int, why: int, log: OrderLog, extra: Extra) -> None:
    """The orders of a decision end."""
    if extra.state.decided[i, s] != NEVER:
        for a in range(extra.state.left.shape[2]):
            drop_order(i, s, a, why, log, extra)
        extra.state.decided[i, s] = NEVER


@outlined
def drop_all(i: int, why: int, log: OrderLog, extra: Extra) -> None:
    """Every order but the forced ones ends, the queue included; older decisions first."""
    slots, newest = extra.state.decided.shape[1], 0
    for s in range(slots):
        if extra.state.decided[i, s] > extra.state.decided[i, newest]:
            newest = s
    for j in range(1, slots + 1):
        drop_slot(i, (newest + j) % slots, why, log, extra)


@outlined
def drop_forced(i: int, a: int, why: int, log: OrderLog, extra: Extra) -> None:
    left = extra.state.forced[i, a]
    if left != 0.0:
        log_order(extra.state.forced_at[i, a], -1, a, left, 0.0, math.nan, math.nan, 0.0, 0.0, 0.0, why, log)
        extra.state.forced[i, a] = 0.0


@inlined
def replace_orders(i: int, t: int, rules: Rules, log: OrderLog, extra: Extra) -> None:
    """A decision at t ends what has reached the market; the queue stays."""
    for s in range(extra.state.decided.shape[1]):
        if extra.state.decided[i, s] != NEVER and extra.state.decided[i, s] + 1 + rules.latency <= t:
            drop_slot(i, s, REPLACED, log, extra)


@outlined
def send_orders(i: int, t: int, market: MarketArrays, rules: Rules, scratch: Scratch, extra: Extra) -> None:
    """The orders of the decision at t into their slot, with their limits."""
    state, orders = extra.state, scratch.order[0]
    s = t % state.decided.shape[1]
    state.decided[i, s] = t
    row = trail_row(t, extra)
    for a in range(orders.shape[0]):
        side = 1.0 if orders[a] > 0.0 else -1.0
        state.left[i, s, a] = orders[a]
        state.ratio[i, s, a] = 1.0
        state.limit[i, s, a] = limit_price(market.mark[t, a], side, rules) if rules.limit else math.nan
        if row >= 0:
            extra.trail.order[row, a] = orders[a]


@inlined
def lay_legs(i: int, f: int, market: MarketArrays, rules: Rules, state: State, scratch: Scratch, extra: Extra) -> None:
    """Every order that is due in bar f, sized, split and priced, leg by leg."""
    n_assets, flattens = scratch.value.shape[0], extra.state.halt_session[i] == extra.market.session[f]
    for a in range(n_assets):
        scratch.order[0, a] = extra.state.forced[i, a]
        trades = extra.state.forced[i, a] != 0.0 and market.ref[f, a] > 0.0
        flattens = flattens or (trades and extra.state.forced_why[i, a] == BY_DAILY_LOSS)
    for k in range(1, scratch.order.shape[0]):
        s = slot_of(i, k, state, extra)
        due = s >= 0 and extra.state.decided[i, s] + 1 + rules.latency <= f
        for a in range(n_assets):
            scratch.order[k, a] = extra.state.left[i, s, a] if due else 0.0
    for k in range(scratch.order.shape[0]):
        for a in range(n_assets):
            scratch.reduce[k, a], scratch.grow[k, a], scratch.size[k, a], scratch.price[k, a] = 0.0, 0.0, 0.0, 0.0
            if scratch.order[k, a] != 0.0:
                lay_order(i, f, k, a, flattens, market, rules, state, scratch, extra)


@outlined
def lay_order(
    i: int,
    f: int,
    k: int,
    a: int,
    flattens: bool,
    market: MarketArrays,
    rules: Rules,
    state: State,
    scratch: Scratch,
    extra: Extra,
) -> None:
    """One order of bar f: its reference price, what of it can trade, x- and x+, its price and its fee a share."""
    side = 1.0 if scratch.order[k, a] > 0.0 else -1.0
    limit = math.nan if k == 0 else extra.state.limit[i, slot_of(i, k, state, extra), a]
    why = obstacle(f, k, a, side, limit, flattens, market, rules, extra)
    extra.scratch.why[k, a] = why
    extra.scratch.maker[k, a] = False
    if why != FILLED:
        return
    size_leg(i, f, k, a, side, market, rules, state, scratch, extra)
    size = abs(scratch.reduce[k, a] + scratch.grow[k, a])
    if math.isnan(limit):
        reference = market.ref[f, a]
    else:
        reference = extra.market.open[f, a]
        extra.scratch.maker[k, a] = not (side * reference < side * limit)
    if extra.scratch.maker[k, a]:
        reference = limit
        price = limit
    else:
        price = slipped(reference, side, size, market.usual_volume[f, a], half_spread(f, a, rules, extra), rules)
        price = ticked(price, side, rules.tick)
        if not math.isnan(limit):
            price = side * min(side * price, side * limit)
    extra.scratch.reference[k, a] = reference
    scratch.price[k, a] = price
    extra.scratch.fee[k, a] = full_fee(f, price, side, extra.scratch.maker[k, a], rules, extra)


@inlined
def obstacle(
    f: int,
    k: int,
    a: int,
    side: float,
    limit: float,
    flattens: bool,
    market: MarketArrays,
    rules: Rules,
    extra: Extra,
) -> int:
    """Why nothing of an order can trade in bar f; FILLED where nothing stands against it."""
    if k == 0:
        return FILLED if market.ref[f, a] > 0.0 else UNTRADABLE
    if flattens:
        return HALTED
    if not market.usual_volume[f, a] > 0.0 and rules.needs_volume:
        return NO_VOLUME
    if math.isnan(limit):
        return FILLED if market.ref[f, a] > 0.0 else UNTRADABLE
    opened, high, low = extra.market.open[f, a], extra.market.high[f, a], extra.market.low[f, a]
    if not (opened > 0.0 and high > 0.0 and low > 0.0):
        return UNTRADABLE
    best = low if side > 0.0 else high
    return FILLED if side * best < side * limit or side * opened < side * limit else UNTOUCHED


@inlined
def size_leg(
    i: int,
    f: int,
    k: int,
    a: int,
    side: float,
    market: MarketArrays,
    rules: Rules,
    state: State,
    scratch: Scratch,
    extra: Extra,
) -> None:
    """What of an order the participation cap leaves beside older ones, split at the shares less older reductions."""
    size, shares = abs(scratch.order[k, a]), state.shares[i, a]
    used = 0.0
    for older in range(1, k):
        used += abs(scratch.reduce[older, a] + scratch.grow[older, a])
    for older in range(k):
        shares += scratch.reduce[older, a]
    if k > 0 and rules.participation != math.inf:
        most = max(0.0, rules.participation * market.usual_volume[f, a] - used)
        size = round_to_lot(most, rules.lot) if size > most else size
    toward = min(size, max(0.0, -side * shares))
    scratch.size[k, a] = size
    scratch.reduce[k, a] = side * toward
    scratch.grow[k, a] = 0.0 if side < 0.0 and not rules.allow_short else side * (size - toward)


@inlined
def settle_legs(
    i: int, f: int, share: float, rules: Rules, state: State, scratch: Scratch, log: OrderLog, extra: Extra
) -> None:
    """After the fills: lines of the log, and what is left of each order."""
    for a in range(scratch.value.shape[0]):
        settle_forced(i, f, a, rules, scratch, log, extra)
    for k in range(1, scratch.order.shape[0]):
        s = slot_of(i, k, state, extra)
        if s >= 0 and extra.state.decided[i, s] + 1 + rules.latency <= f:
            settle_slot(i, f, k, s, share, rules, scratch, log, extra)


@inlined
def settle_forced(i: int, f: int, a: int, rules: Rules, scratch: Scratch, log: OrderLog, extra: Extra) -> None:
    state = extra.state
    if scratch.filled[0, a] != 0.0:
        log_fill(f, 0, a, state.forced_at[i, a], state.forced_why[i, a], rules, scratch, log, extra)
        state.forced[i, a] = 0.0
        state.forced_anew[i] = True
        if state.forced_why[i, a] == BY_DAILY_LOSS:
            state.halt_session[i] = extra.market.session[f]


@inlined
def settle_slot(
    i: int, f: int, k: int, s: int, share: float, rules: Rules, scratch: Scratch, log: OrderLog, extra: Extra
) -> None:
    """The orders of one decision after bar f."""
    lives = False
    for a in range(scratch.value.shape[0]):
        if scratch.order[k, a] != 0.0:
            settle_order(i, f, k, s, a, share, rules, scratch, log, extra)
            lives = lives or extra.state.left[i, s, a] != 0.0
    if not lives:
        extra.state.decided[i, s] = NEVER


@outlined
def settle_order(
    i: int, f: int, k: int, s: int, a: int, share: float, rules: Rules, scratch: Scratch, log: OrderLog, extra: Extra
) -> None:
    """One order after bar f: what filled is logged; what is left waits where remainders are carried, else it ends."""
    filled, asked = scratch.filled[k, a], scratch.order[k, a]
    why = reason_of_leg(k, a, share, rules, scratch, extra)
    refused = asked < 0.0 and not rules.allow_short
    dropped = scratch.size[k, a] - abs(scratch.reduce[k, a]) if refused else 0.0
    left = asked - filled
    left = left + dropped if refused else left
    note_fill(i, s, a, k, scratch, extra)
    if filled != 0.0:
        log_fill(f, k, a, extra.state.decided[i, s], why, rules, scratch, log, extra)
    ends = (not rules.carry) or abs(left) < TINY_SHARES or why == HALTED
    if ends and filled == 0.0:
        drop_order(i, s, a, why, log, extra)
    extra.state.left[i, s, a] = 0.0 if ends else left


@inlined
def reason_of_leg(k: int, a: int, share: float, rules: Rules, scratch: Scratch, extra: Extra) -> int:
    """Why an order filled as it did; what came last says it."""
    if extra.scratch.why[k, a] != FILLED:
        return int(extra.scratch.why[k, a])
    if share < 1.0 and scratch.grow[k, a] != 0.0:
        return CUT_BY_FUNDING
    if scratch.order[k, a] < 0.0 and not rules.allow_short and scratch.size[k, a] > abs(scratch.reduce[k, a]):
        return SHORT_REFUSED
    return CUT_BY_CAP if scratch.size[k, a] < abs(scratch.order[k, a]) else FILLED


@outlined
def log_fill(
    f: int, k: int, a: int, decided: int, why: int, rules: Rules, scratch: Scratch, log: OrderLog, extra: Extra
) -> None:
    """The line of a fill in leg k."""
    filled, price, reference = scratch.filled[k, a], scratch.price[k, a], extra.scratch.reference[k, a]
    half, share_fee = half_spread(f, a, rules, extra), extra.scratch.fee[k, a]
    fee, spread, impact = costs_of(abs(filled), price, reference, share_fee, half, rules)
    log_order(decided, f, a, scratch.order[k, a], filled, reference, price, fee, spread, impact, why, log)


@inlined
def note_fill(i: int, s: int, a: int, k: int, scratch: Scratch, extra: Extra) -> None:
    """The trail of a decision in its own shares: what filled so far, and what funding cut in the last bar."""
    row = trail_row(extra.state.decided[i, s], extra)
    if row >= 0:
        ratio = extra.state.ratio[i, s, a]
        extra.trail.filled[row, a] += scratch.filled[k, a] / ratio
        cut = scratch.reduce[k, a] + scratch.grow[k, a] - scratch.filled[k, a]
        extra.trail.placed[row, a] = extra.trail.filled[row, a] + cut / ratio
