"""A of the step: from an action or a target at the close of t to orders in shares (docs/simulator.md, Layers).

Locked assets, those without a bar at t or with a forced order that waits, keep their weight: no order, counted in the
caps' sums, never scaled. One that has a bar and is no member of the universe wants nothing.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.config_groups import CAP_SLACK
from simulator.exponential import exponential
from simulator.extra_state import CAPPED, KEPT, MAPPED, SIZED, STEPPED, Extra
from simulator.jit import inlined
from simulator.layers import keep_positions, lock_assets, note_band, note_held, note_level, size_weights
from simulator.market import MarketArrays
from simulator.rules import DISCRETE, SIMPLEX_CASH, Rules
from simulator.state import Scratch, State, Totals

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]  # (A,)

TINY_WEIGHT = 1e-12
TINY_SHARES = 1e-9
LOT_SLACK = 1e-9
MIN_ORDER_OF_EQUITY = 1e-6


@inlined
def hold_weights(i: int, t: int, market: MarketArrays, state: State, scratch: Scratch) -> None:
    """scratch.held = q m / E for book i at the close of t."""
    equity, shares, mark, held = state.equity[i], state.shares[i], market.mark[t], scratch.held
    for a in range(held.shape[0]):
        q = shares[a]
        held[a] = q * mark[a] / equity if q != 0.0 else 0.0


@inlined
def clipped(x: float) -> float:
    return min(1.0, max(-1.0, x))


@inlined
def softmax_parts(rules: Rules, action: Floats, member: Mask, want: Floats) -> float:
    """want = e^logit of each member, 0 elsewhere; returns their sum. No shift: logit_scale is at most 50."""
    for a in range(want.shape[0]):
        part = exponential(rules.logit_scale * clipped(action[a + 1]))
        want[a] = part if member[a] else 0.0
    total = 0.0
    for a in range(want.shape[0]):
        total += want[a]
    return total


@inlined
def map_action(
    i: int, t: int, market: MarketArrays, rules: Rules, actions: Floats, scratch: Scratch, extra: Extra | None
) -> None:
    """scratch.want = weights of the raw action in row i, clipped to [-1, 1]; sums run over the members."""
    want, held, action = scratch.want, scratch.held, actions[i]
    free, member = market.has_bar[t], market.offered[t]
    if extra is not None:
        free, member = extra.scratch.free, extra.scratch.member
    n_assets = want.shape[0]
    if rules.mapping == SIMPLEX_CASH:
        total = softmax_parts(rules, action, member, want)
        invested = rules.invest_max / (1.0 + exponential(-rules.logit_scale * clipped(action[0])))
        factor = invested / total if total > 0.0 else 0.0
    elif rules.mapping == DISCRETE:
        for a in range(n_assets):
            want[a] = action[a] - 1.0 if rules.allow_short else action[a]
        factor = rules.invest_max / n_assets
    else:
        total = 0.0
        for a in range(n_assets):
            want[a] = math.tanh(3.0 * clipped(action[a]))
            total += abs(want[a]) if member[a] else 0.0
        factor = rules.gross_cap / max(1.0, total)
    for a in range(n_assets):
        mapped = want[a] * factor if member[a] else 0.0
        want[a] = mapped if free[a] else held[a]


@inlined
def take_targets(i: int, t: int, market: MarketArrays, actions: Floats, scratch: Scratch, extra: Extra | None) -> None:
    """scratch.want = the target weights in row i; what is locked keeps its weight."""
    want, held, action = scratch.want, scratch.held, actions[i]
    free = market.has_bar[t]
    if extra is not None:
        free = extra.scratch.free
    for a in range(want.shape[0]):
        want[a] = action[a] if free[a] else held[a]


@inlined
def cap_step(
    i: int, t: int, market: MarketArrays, rules: Rules, state: State, scratch: Scratch, extra: Extra | None
) -> None:
    """No target moves further than `step_cap` from the previous one: from the weight held where a close is missing
    since, and everywhere after a forced trade.
    """
    want, held, target = scratch.want, scratch.held, state.target[i]
    last_gap, last_decision, most = market.last_gap[t], state.last_decision[i], rules.step_cap
    if extra is not None:
        free = extra.scratch.free
        anew = extra.state.forced_anew[i]
        for a in range(want.shape[0]):
            prev = held[a] if anew or last_gap[a] > last_decision else target[a]
            want[a] = prev + min(most, max(-most, want[a] - prev)) if free[a] else held[a]
    else:
        for a in range(want.shape[0]):  # a locked asset has a gap at t, and wants what it holds
            now, before = held[a], target[a]
            prev = now if last_gap[a] > last_decision else before
            want[a] = prev + min(most, max(-most, want[a] - prev))


@inlined
def cap_positions(t: int, market: MarketArrays, rules: Rules, want: Floats, extra: Extra | None) -> int:
    """Membership, long-only and the cap of one position, on what is free. Returns how many targets they changed."""
    free, member = market.has_bar[t], market.offered[t]
    if extra is not None:
        free, member = extra.scratch.free, extra.scratch.member
    most = rules.position_cap
    least = -most if rules.allow_short else 0.0
    changed = 0
    for a in range(want.shape[0]):
        w = want[a]
        capped = min(most, max(least, w))
        capped = capped if (abs(capped) >= TINY_WEIGHT) & member[a] else 0.0
        capped = capped if free[a] else w
        changed += 1 if abs(capped - w) > CAP_SLACK else 0
        want[a] = capped
    return changed


@inlined
def cap_sums(t: int, market: MarketArrays, rules: Rules, want: Floats, extra: Extra | None) -> tuple[float, float]:
    """Factors for free longs and free shorts that bring gross, then net, under their caps; what is locked counts."""
    is_free = market.has_bar[t]
    if extra is not None:
        is_free = extra.scratch.free
    free_long, free_short, locked_gross, locked_net = 0.0, 0.0, 0.0, 0.0
    for a in range(want.shape[0]):
        w = want[a]
        free = w if is_free[a] else 0.0
        locked = w - free
        free_long += max(free, 0.0)
        free_short -= min(free, 0.0)
        locked_gross += abs(locked)
        locked_net += locked
    free = free_long + free_short
    scale_long = 1.0
    if locked_gross + free > rules.gross_cap + CAP_SLACK:
        scale_long = max(0.0, rules.gross_cap - locked_gross) / free if free > 0.0 else 1.0
    scale_short = scale_long
    free_long *= scale_long
    free_short *= scale_short
    net = locked_net + free_long - free_short
    if net > rules.net_cap + CAP_SLACK and free_long > 0.0:
        scale_long *= max(0.0, free_long - (net - rules.net_cap)) / free_long
    elif net < -rules.net_cap - CAP_SLACK and free_short > 0.0:
        scale_short *= max(0.0, free_short + (net + rules.net_cap)) / free_short
    return scale_long, scale_short


@inlined
def apply_caps(t: int, market: MarketArrays, rules: Rules, scratch: Scratch, extra: Extra | None) -> bool:
    """The mandate's caps, once, in order; each only shrinks. True when any of them changed a target."""
    want = scratch.want
    free = market.has_bar[t]
    if extra is not None:
        free = extra.scratch.free
    changed = cap_positions(t, market, rules, want, extra)
    scale_long, scale_short = cap_sums(t, market, rules, want, extra)
    if scale_long < 1.0 or scale_short < 1.0:
        changed += 1
        for a in range(want.shape[0]):
            if free[a]:
                want[a] *= scale_long if want[a] > 0.0 else scale_short
    return changed > 0


@inlined
def round_to_lot(shares: float, lot: float) -> float:
    """Toward zero to whole lots; a lot of 0 leaves fractions."""
    if lot <= 0.0:
        return shares
    size = lot * float(np.floor(abs(shares) / lot + LOT_SLACK))
    return size if shares > 0.0 else -size


@inlined
def make_orders(
    i: int, t: int, market: MarketArrays, rules: Rules, state: State, scratch: Scratch, extra: Extra | None
) -> int:
    """scratch.order = shares to trade after band, lots and the smallest order. Returns how many are not 0.

    Shares under way count as if they were held; a target that the least holding time set makes no order.
    """
    wants, helds, orders = scratch.want, scratch.held, scratch.order[0]
    shares, mark = state.shares[i], market.mark[t]
    free = market.has_bar[t]
    if extra is not None:
        free = extra.scratch.free
    equity, lot = state.equity[i], rules.lot
    floor = max(MIN_ORDER_OF_EQUITY * equity, rules.min_notional)
    band = rules.band if rules.policy_layers and state.gross[i] <= (rules.gross_cap + CAP_SLACK) * equity else 0.0
    most = rules.position_cap + CAP_SLACK
    count = 0
    for a in range(orders.shape[0]):
        want, held, price, owned = wants[a], helds[a], mark[a], shares[a]
        if extra is not None:
            owned += extra.scratch.under[a]
            held = owned * price / equity if owned != 0.0 else 0.0
        goal = round_to_lot(want * equity / price, lot)
        order = goal - owned
        size = abs(order)
        in_band = (want != 0.0) & (abs(want - held) < band) & (abs(held) <= most)
        small = (size < TINY_SHARES) | ((size * price < floor) & (goal != 0.0))
        made = free[a] & (not in_band) & (not small)
        if extra is not None:
            made = made & (not (extra.scratch.kept[a] & (want == helds[a])))
            note_band(i, t, a, in_band & free[a], helds[a], want, extra)
        orders[a] = order if made else 0.0
        count += 1 if made else 0
    return count


@inlined
def decide(
    i: int,
    t: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    actions: Floats,
    scratch: Scratch,
    extra: Extra | None,
) -> int:
    """Orders of book i at the close of t from row i of `actions` (raw, or target weights for the mandate's layers)."""
    if state.equity[i] <= 0.0:
        return 0
    hold_weights(i, t, market, state, scratch)
    if extra is not None:
        lock_assets(i, t, market, rules, extra)
        note_held(i, t, market, rules, state, actions, scratch, extra)
    if rules.policy_layers:
        map_action(i, t, market, rules, actions, scratch, extra)
        if extra is not None:
            note_level(t, MAPPED, scratch, extra)
            if rules.kelly > 0.0 or rules.vol_target > 0.0:
                size_weights(t, rules, scratch, extra)
            note_level(t, SIZED, scratch, extra)
        if rules.step_cap != math.inf:
            cap_step(i, t, market, rules, state, scratch, extra)
        if extra is not None:
            note_level(t, STEPPED, scratch, extra)
            if rules.min_hold > 0:
                keep_positions(i, t, rules, state, scratch, extra)
            note_level(t, KEPT, scratch, extra)
    else:
        take_targets(i, t, market, actions, scratch, extra)
        if extra is not None:
            for level in range(MAPPED, CAPPED):
                note_level(t, level, scratch, extra)
    if apply_caps(t, market, rules, scratch, extra):
        totals.bound[i] += 1
    if extra is not None:
        note_level(t, CAPPED, scratch, extra)
    target = state.target[i]
    for a in range(target.shape[0]):
        target[a] = scratch.want[a]
    state.last_decision[i] = t
    if extra is not None:
        extra.state.forced_anew[i] = False
    return make_orders(i, t, market, rules, state, scratch, extra)
