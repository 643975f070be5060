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
def size_orders(f: int, market: MarketArrays, rules: Rules, scratch: Scratch) -> None:
    """scratch.size = what of each order can trade in f: nothing without price or volume, else up to participation."""
    sizes, orders, references, volumes = scratch.size, scratch.order, market.ref[f], market.usual_volume[f]
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
    reduce, grow, orders, sizes, shares = scratch.reduce, scratch.grow, scratch.order, scratch.size, state.shares[i]
    long_only = not rules.allow_short
    for a in range(orders.shape[0]):
        side = 1.0 if orders[a] > 0.0 else -1.0
        toward = min(sizes[a], max(0.0, -side * shares[a]))
        beyond = 0.0 if long_only & (side < 0.0) else sizes[a] - toward
        reduce[a] = side * toward
        grow[a] = side * beyond


@inlined
def price_orders(f: int, market: MarketArrays, rules: Rules, scratch: Scratch) -> None:
    """scratch.price of each whole order, before funding; 0 where nothing trades."""
    prices, reduce, grow = scratch.price, scratch.reduce, scratch.grow
    references, volumes = market.ref[f], market.usual_volume[f]
    for a in range(prices.shape[0]):
        x, reference = reduce[a] + grow[a], references[a]
        side = 1.0 if x > 0.0 else -1.0
        price = slipped(reference, side, abs(x), volumes[a], rules)
        prices[a] = price if x != 0.0 else 0.0


@inlined
def value_assets(i: int, f: int, market: MarketArrays, state: State, scratch: Scratch) -> None:
    """scratch.value = what a share counts for in bar f: the fill's reference price, without one the mark; 0 unseen."""
    values, shares, references, marks = scratch.value, state.shares[i], market.ref[f], market.mark[f - 1]
    for a in range(values.shape[0]):
        reference, mark = references[a], marks[a]
        known = mark if shares[a] != 0.0 else 0.0
        values[a] = reference if reference > 0.0 else known


@inlined
def funding_factor(i: int, rules: Rules, state: State, scratch: Scratch) -> float:
    """Lambda: the share of all increases that equity can carry, everything valued at the fill's reference prices."""
    shares, values, prices, reduces, grows = (
        state.shares[i], scratch.value, scratch.price, scratch.reduce, scratch.grow
    )  # fmt: skip
    equity = state.cash[i]
    gross = 0.0
    grow_gross = 0.0
    grow_cost = 0.0
    for a in range(shares.shape[0]):
        value, price, reduce, grow = values[a], prices[a], reduces[a], abs(grows[a])
        cost = fee_a_share(price, rules) + abs(price - value)
        equity += shares[a] * value - cost * abs(reduce)
        gross += abs(shares[a] + reduce) * value
        grow_gross += grow * value
        grow_cost += cost * grow
    if grow_gross == 0.0:
        return 1.0
    room = (rules.gross_cap * equity - gross) / (grow_gross + rules.gross_cap * grow_cost)
    return float(min(1.0, max(0.0, room)))


@inlined
def fund_orders(share: float, rules: Rules, scratch: Scratch) -> None:
    """scratch.filled = x- and the share of x+ that is funded, to lots where it is cut."""
    filled, reduce, grow, lot = scratch.filled, scratch.reduce, scratch.grow, rules.lot
    for a in range(filled.shape[0]):
        more = round_to_lot(share * grow[a], lot) if share < 1.0 else grow[a]
        x = reduce[a] + more
        filled[a] = x if abs(x) >= TINY_SHARES else 0.0


@inlined
def costs_of(size: float, price: float, reference: float, rules: Rules) -> tuple[float, float, float]:
    """(fee, spread, impact) of a fill, money; spread and impact are inside the price."""
    slippage = size * abs(price - reference)
    # without impact all slippage is spread: a difference of the two would be a rounding residue
    spread = min(slippage, size * reference * rules.half_spread) if rules.impact > 0.0 else slippage
    return size * fee_a_share(price, rules), spread, slippage - spread


@inlined
def settle(filled: float, price: float, reference: float, rules: Rules) -> Sums:
    """(paid, traded, fee, spread, impact) of one fill, money."""
    size = abs(filled)
    fee, spread, impact = costs_of(size, price, reference, rules)
    return filled * price + fee, size * price, fee, spread, impact


@inlined
def settle_orders(i: int, rules: Rules, state: State, scratch: Scratch) -> Sums:
    """Move the shares of every fill; the sums of `settle`, in index order."""
    shares, filled, prices, values = state.shares[i], scratch.filled, scratch.price, scratch.value
    sums = (0.0, 0.0, 0.0, 0.0, 0.0)
    for a in range(filled.shape[0]):
        sums = add(sums, settle(filled[a], prices[a], values[a], rules))
    for a in range(filled.shape[0]):
        left = shares[a] + filled[a]
        shares[a] = left if abs(left) >= TINY_SHARES else 0.0
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
def reason_of(a: int, f: int, share: float, market: MarketArrays, rules: Rules, scratch: Scratch) -> int:
    """Why order a filled as it did; what came last says it."""
    reduce, grow, size, order = scratch.reduce[a], scratch.grow[a], scratch.size[a], scratch.order[a]
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
    for a in range(scratch.order.shape[0]):
        asked, filled, reference, price = scratch.order[a], scratch.filled[a], market.ref[f, a], scratch.price[a]
        if asked == 0.0:
            continue
        reason = reason_of(a, f, share, market, rules, scratch)
        if filled == 0.0:
            log_order(f - 1, -1, a, asked, 0.0, reference, math.nan, 0.0, 0.0, 0.0, reason, log)
        else:
            fee, spread, impact = costs_of(abs(filled), price, reference, rules)
            log_order(f - 1, f, a, asked, filled, reference, price, fee, spread, impact, reason, log)


@inlined
def fill_orders(
    i: int, f: int, market: MarketArrays, rules: Rules, state: State, totals: Totals, scratch: Scratch, log: OrderLog
) -> None:
    """Fill book i's orders in bar f, in index order."""
    size_orders(f, market, rules, scratch)
    split_orders(i, rules, state, scratch)
    price_orders(f, market, rules, scratch)
    value_assets(i, f, market, state, scratch)
    share = funding_factor(i, rules, state, scratch)
    fund_orders(share, rules, scratch)
    post(i, settle_orders(i, rules, state, scratch), state, totals)
    if log.decided.shape[0] > 0:
        log_orders(f, share, market, rules, scratch, log)
