"""D of the step: orders become fills in bar f, under participation, costs and the funding rule."""

import math

from simulator.decide import TINY_SHARES, round_to_lot
from simulator.extra_state import Extra
from simulator.jit import inlined
from simulator.market import MarketArrays
from simulator.order_log import write_order
from simulator.pricing import costs_of, fee_a_share, half_spread, slipped
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
from simulator.working import lay_legs, settle_legs

Sums = tuple[float, float, float, float, float]


@inlined
def size_orders(f: int, market: MarketArrays, rules: Rules, scratch: Scratch) -> None:
    """scratch.size = what of each order can trade in f: nothing without price or volume, else up to participation."""
    sizes, orders, references, volumes = scratch.size[0], scratch.order[0], market.ref[f], market.usual_volume[f]
    needs_volume, participation, lot = rules.needs_volume, rules.participation, rules.lot
    for a in range(orders.shape[0]):
        volume = volumes[a]
        tradable = (references[a] > 0.0) & ((volume > 0.0) | (not needs_volume))
        size = abs(orders[a]) if tradable else 0.0
        most = participation * volume  # off: inf, or NaN where no volume is known
        sizes[a] = round_to_lot(most, lot) if size > most else size


@inlined
def split_orders(i: int, rules: Rules, state: State, scratch: Scratch) -> None:
    """scratch.reduce and .grow: x- that brings shares toward zero, and x+, the rest; no x+ of a sell without shorts."""
    reduce, grow, orders, sizes = scratch.reduce[0], scratch.grow[0], scratch.order[0], scratch.size[0]
    shares, long_only = state.shares[i], not rules.allow_short
    for a in range(orders.shape[0]):
        side = 1.0 if orders[a] > 0.0 else -1.0
        toward = min(sizes[a], max(0.0, -side * shares[a]))
        beyond = 0.0 if long_only & (side < 0.0) else sizes[a] - toward
        reduce[a] = side * toward
        grow[a] = side * beyond


@inlined
def price_orders(f: int, market: MarketArrays, rules: Rules, scratch: Scratch) -> None:
    """scratch.price of each whole order, before funding; 0 where nothing trades."""
    prices, reduce, grow = scratch.price[0], scratch.reduce[0], scratch.grow[0]
    references, volumes = market.ref[f], market.usual_volume[f]
    for a in range(prices.shape[0]):
        x, reference = reduce[a] + grow[a], references[a]
        side = 1.0 if x > 0.0 else -1.0
        price = slipped(reference, side, abs(x), volumes[a], rules.half_spread, rules)
        prices[a] = price if x != 0.0 else 0.0


@inlined
def value_assets(i: int, f: int, market: MarketArrays, state: State, scratch: Scratch, extra: Extra | None) -> None:
    """scratch.value = what a share counts for in bar f: the reference price of its fill, else the fill rule's, without
    one the mark, in shares of f; 0 unseen.
    """
    values, shares, references, marks = scratch.value, state.shares[i], market.ref[f], market.mark[f - 1]
    for a in range(values.shape[0]):
        reference, mark = references[a], marks[a]
        known = mark if shares[a] != 0.0 else 0.0
        values[a] = reference if reference > 0.0 else known
    if extra is not None:
        for a in range(values.shape[0]):
            if extra.market.acts[f] and not references[a] > 0.0:
                values[a] /= extra.market.split[f, a]
            for k in range(scratch.order.shape[0] - 1, -1, -1):  # the oldest has the last word
                if scratch.reduce[k, a] + scratch.grow[k, a] != 0.0:
                    values[a] = extra.scratch.reference[k, a]


@inlined
def reference_of(k: int, a: int, scratch: Scratch, extra: Extra | None) -> float:
    """Reference price of the fill of leg k in asset a."""
    if extra is None:
        return float(scratch.value[a])
    return float(extra.scratch.reference[k, a])


@inlined
def fee_of(k: int, a: int, rules: Rules, scratch: Scratch, extra: Extra | None) -> float:
    """Fee a share of the fill of leg k in asset a."""
    if extra is None:
        return fee_a_share(scratch.price[k, a], rules)
    return float(extra.scratch.fee[k, a])


@inlined
def funding_factor(i: int, rules: Rules, state: State, scratch: Scratch, extra: Extra | None) -> float:
    """Lambda: the share of all increases that equity can carry, everything valued at the fill's reference prices."""
    shares, values = state.shares[i], scratch.value
    equity = state.cash[i]
    gross = 0.0
    grow_gross = 0.0
    grow_cost = 0.0
    if extra is None:
        prices, reduces, grows = scratch.price[0], scratch.reduce[0], scratch.grow[0]
        for a in range(shares.shape[0]):
            value, price, reduce, grow = values[a], prices[a], reduces[a], abs(grows[a])
            cost = fee_a_share(price, rules) + abs(price - value)
            equity += shares[a] * value - cost * abs(reduce)
            gross += abs(shares[a] + reduce) * value
            grow_gross += grow * value
            grow_cost += cost * grow
    else:
        for a in range(shares.shape[0]):
            left = shares[a]
            equity += shares[a] * values[a]
            for k in range(scratch.order.shape[0]):
                reduce, grow = scratch.reduce[k, a], abs(scratch.grow[k, a])
                if reduce != 0.0 or grow != 0.0:
                    reference = extra.scratch.reference[k, a]
                    cost = extra.scratch.fee[k, a] + abs(scratch.price[k, a] - reference)
                    equity -= cost * abs(reduce)
                    grow_gross += grow * reference
                    grow_cost += cost * grow
                    left += reduce
            gross += abs(left) * values[a]
    if grow_gross == 0.0:
        return 1.0
    room = (rules.gross_cap * equity - gross) / (grow_gross + rules.gross_cap * grow_cost)
    return float(min(1.0, max(0.0, room)))


@inlined
def fund_orders(k: int, share: float, rules: Rules, scratch: Scratch) -> None:
    """scratch.filled = x- and the share of x+ that is funded, to lots where it is cut, of leg k."""
    filled, reduce, grow, lot = scratch.filled[k], scratch.reduce[k], scratch.grow[k], rules.lot
    for a in range(filled.shape[0]):
        more = round_to_lot(share * grow[a], lot) if share < 1.0 else grow[a]
        x = reduce[a] + more
        filled[a] = x if abs(x) >= TINY_SHARES else 0.0


@inlined
def settle(filled: float, price: float, reference: float, fee_share: float, spread: float, rules: Rules) -> Sums:
    """(paid, traded, fee, spread, impact) of one fill, money."""
    size = abs(filled)
    fee, part, impact = costs_of(size, price, reference, fee_share, spread, rules)
    return filled * price + fee, size * price, fee, part, impact


@inlined
def entry_after(shares: float, entry: float, filled: float, price: float) -> float:
    """Average entry price: an increase averages, a reduction leaves it, a flip sets the price."""
    left = shares + filled
    grown = (entry * shares + price * filled) / left if abs(left) >= TINY_SHARES else 0.0
    kept = entry if shares * left > 0.0 else price
    average = grown if shares * filled >= 0.0 else kept
    return average if abs(left) >= TINY_SHARES else 0.0


@inlined
def settle_orders(
    i: int, f: int, k: int, rules: Rules, state: State, scratch: Scratch, sums: Sums, extra: Extra | None
) -> Sums:
    """Move the shares of every fill of leg k; `sums` and the sums of `settle`, in index order."""
    shares, entries, filled, prices = state.shares[i], state.entry[i], scratch.filled[k], scratch.price[k]
    for a in range(filled.shape[0]):
        reference, fee = reference_of(k, a, scratch, extra), fee_of(k, a, rules, scratch, extra)
        sums = add(sums, settle(filled[a], prices[a], reference, fee, half_spread(f, a, rules, extra), rules))
    for a in range(filled.shape[0]):
        entries[a] = entry_after(shares[a], entries[a], filled[a], prices[a]) if filled[a] != 0.0 else entries[a]
    for a in range(filled.shape[0]):
        left = shares[a] + filled[a]
        left = left if abs(left) >= TINY_SHARES else 0.0
        if extra is not None and filled[a] != 0.0 and shares[a] * left <= 0.0:
            extra.state.opened[i, a] = f
        shares[a] = left
    return sums


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
def reason_of(a: int, f: int, share: float, market: MarketArrays, rules: Rules, scratch: Scratch) -> int:
    """Why order a filled as it did; what came last says it."""
    reduce, grow, size, order = scratch.reduce[0, a], scratch.grow[0, a], scratch.size[0, a], scratch.order[0, a]
    if not market.ref[f, a] > 0.0:
        return UNTRADABLE
    if rules.needs_volume and not market.usual_volume[f, a] > 0.0:
        return NO_VOLUME
    if share < 1.0 and grow != 0.0:
        return CUT_BY_FUNDING
    if order < 0.0 and not rules.allow_short and size > abs(reduce):
        return SHORT_REFUSED
    return CUT_BY_CAP if size < abs(order) else FILLED


@inlined
def log_orders(f: int, share: float, market: MarketArrays, rules: Rules, scratch: Scratch, log: OrderLog) -> None:
    """A line for each order of the bar, filled or not."""
    for a in range(scratch.value.shape[0]):
        asked, filled, price = scratch.order[0, a], scratch.filled[0, a], scratch.price[0, a]
        if asked == 0.0:
            continue
        reference, reason = market.ref[f, a], reason_of(a, f, share, market, rules, scratch)
        if filled == 0.0:
            write_order(f - 1, -1, a, asked, 0.0, reference, math.nan, 0.0, 0.0, 0.0, reason, log)
        else:
            fee = fee_a_share(price, rules)
            fee, spread, impact = costs_of(abs(filled), price, reference, fee, rules.half_spread, rules)
            write_order(f - 1, f, a, asked, filled, reference, price, fee, spread, impact, reason, log)


@inlined
def fill_orders(
    i: int,
    f: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    scratch: Scratch,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """Fill book i's orders in bar f: leg by leg, in index order."""
    if extra is None:
        size_orders(f, market, rules, scratch)
        split_orders(i, rules, state, scratch)
        price_orders(f, market, rules, scratch)
    else:
        lay_legs(i, f, market, rules, state, scratch, extra)
    value_assets(i, f, market, state, scratch, extra)
    share = funding_factor(i, rules, state, scratch, extra)
    sums = (0.0, 0.0, 0.0, 0.0, 0.0)
    if extra is None:
        fund_orders(0, share, rules, scratch)
        sums = settle_orders(i, f, 0, rules, state, scratch, sums, extra)
        post(i, sums, state, totals)
        if log.decided.shape[0] > 0:
            log_orders(f, share, market, rules, scratch, log)
    else:
        for k in range(scratch.order.shape[0]):
            fund_orders(k, share, rules, scratch)
            sums = settle_orders(i, f, k, rules, state, scratch, sums, extra)
        post(i, sums, state, totals)
        settle_legs(i, f, share, rules, state, scratch, log, extra)
