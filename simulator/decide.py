"""A of the step: from an action or a target at the close of t to orders in shares (docs/conventions.md, Layers).

Locked assets, those without a bar at t, keep their weight: no order, counted in the caps' sums, never scaled.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.jit import inlined
from simulator.market import MarketArrays
from simulator.rules import DISCRETE, SIMPLEX_CASH, Rules
from simulator.state import Scratch, State, Totals

Floats = NDArray[np.float64]

TINY_WEIGHT = 1e-12
TINY_SHARES = 1e-9
CAP_SLACK = 1e-9
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
def map_action(i: int, t: int, market: MarketArrays, rules: Rules, actions: Floats, scratch: Scratch) -> None:
    """scratch.want = weights of the raw action in row i, clipped to [-1, 1]; sums run over assets with a bar."""
    want, has_bar, action = scratch.want, market.has_bar[t], actions[i]
    n_assets = want.shape[0]
    total = 0.0
    if rules.mapping == SIMPLEX_CASH:
        # logits stay below logit_scale <= 50 in size, so exp cannot overflow and needs no shift
        for a in range(n_assets):
            if has_bar[a]:
                want[a] = math.exp(rules.logit_scale * min(1.0, max(-1.0, action[a + 1])))
                total += want[a]
        cash_logit = rules.logit_scale * min(1.0, max(-1.0, action[0]))
        factor = rules.invest_max / (1.0 + math.exp(-cash_logit)) / total if total > 0.0 else 0.0
    elif rules.mapping == DISCRETE:
        for a in range(n_assets):
            want[a] = action[a] - 1.0 if rules.allow_short else action[a]
        factor = rules.invest_max / n_assets
    else:
        for a in range(n_assets):
            if has_bar[a]:
                want[a] = math.tanh(3.0 * min(1.0, max(-1.0, action[a])))
                total += abs(want[a])
        factor = rules.gross_cap / max(1.0, total)
    for a in range(n_assets):
        want[a] = want[a] * factor if has_bar[a] else scratch.held[a]


@inlined
def cap_step(i: int, t: int, market: MarketArrays, rules: Rules, state: State, scratch: Scratch) -> None:
    """No target moves further than `step_cap` from the previous one (from the weight held where a close is missing)."""
    want, held, target = scratch.want, scratch.held, state.target[i]
    has_bar, last_gap = market.has_bar[t], market.last_gap[t]
    for a in range(want.shape[0]):
        if has_bar[a]:
            prev = held[a] if last_gap[a] > state.last_decision[i] else target[a]
            want[a] = prev + min(rules.step_cap, max(-rules.step_cap, want[a] - prev))


@inlined
def apply_caps(t: int, market: MarketArrays, rules: Rules, scratch: Scratch) -> bool:
    """The mandate's caps, once, in order; each only shrinks. True when any of them changed a target."""
    want, has_bar = scratch.want, market.has_bar[t]
    bound = False
    free_long = 0.0
    free_short = 0.0
    locked_gross = 0.0
    locked_net = 0.0
    for a in range(want.shape[0]):
        w = want[a]
        if not has_bar[a]:
            locked_gross += abs(w)
            locked_net += w
            continue
        capped = 0.0 if w < 0.0 and not rules.allow_short else w
        capped = min(rules.position_cap, max(-rules.position_cap, capped))
        if abs(capped) < TINY_WEIGHT:
            capped = 0.0
        bound = bound or abs(capped - w) > CAP_SLACK
        want[a] = capped
        free_long += max(capped, 0.0)
        free_short -= min(capped, 0.0)
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
    if scale_long < 1.0 or scale_short < 1.0:
        bound = True
        for a in range(want.shape[0]):
            if has_bar[a]:
                want[a] *= scale_long if want[a] > 0.0 else scale_short
    return bound


@inlined
def round_to_lot(shares: float, lot: float) -> float:
    """Toward zero to whole lots; a lot of 0 leaves fractions."""
    if lot <= 0.0:
        return shares
    size = lot * math.floor(abs(shares) / lot + LOT_SLACK)
    return size if shares > 0.0 else -size


@inlined
def make_orders(i: int, t: int, market: MarketArrays, rules: Rules, state: State, scratch: Scratch) -> int:
    """scratch.order = shares to trade after band, lots and the smallest order. Returns how many are not 0."""
    wants, helds, orders = scratch.want, scratch.held, scratch.order
    shares, mark, has_bar = state.shares[i], market.mark[t], market.has_bar[t]
    equity = state.equity[i]
    floor = max(MIN_ORDER_OF_EQUITY * equity, rules.min_notional)
    banded = rules.policy_layers and rules.band > 0.0 and state.gross[i] <= (rules.gross_cap + CAP_SLACK) * equity
    count = 0
    for a in range(orders.shape[0]):
        orders[a] = 0.0
        if not has_bar[a]:
            continue
        want, held = wants[a], helds[a]
        if want != 0.0 and banded and abs(want - held) < rules.band and abs(held) <= rules.position_cap + CAP_SLACK:
            continue
        goal = round_to_lot(want * equity / mark[a], rules.lot)
        order = goal - shares[a]
        if abs(order) < TINY_SHARES or (abs(order) * mark[a] < floor and goal != 0.0):
            continue
        orders[a] = order
        count += 1
    return count


@inlined
def decide(
    i: int, t: int, market: MarketArrays, rules: Rules, state: State, totals: Totals, actions: Floats, scratch: Scratch
) -> int:
    """Orders of book i at the close of t from row i of `actions` (raw, or target weights for the mandate's layers)."""
    if state.equity[i] <= 0.0:
        return 0
    hold_weights(i, t, market, state, scratch)
    if rules.policy_layers:
        map_action(i, t, market, rules, actions, scratch)
        if rules.step_cap != math.inf:
            cap_step(i, t, market, rules, state, scratch)
    else:
        want, held, has_bar, action = scratch.want, scratch.held, market.has_bar[t], actions[i]
        for a in range(want.shape[0]):
            want[a] = action[a] if has_bar[a] else held[a]
    if apply_caps(t, market, rules, scratch):
        totals.bound[i] += 1
    target = state.target[i]
    for a in range(target.shape[0]):
        target[a] = scratch.want[a]
    state.last_decision[i] = t
    return make_orders(i, t, market, rules, state, scratch)
