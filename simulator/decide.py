"""A of the step: from an action or a target at the close of t to orders in shares (docs/conventions.md, Layers).

Locked assets, those without a bar at t, keep their weight: no order, counted in the caps' sums, never scaled.
"""

import math

from numba import njit

from simulator.rules import DISCRETE, SIMPLEX_CASH

TINY_WEIGHT = 1e-12
TINY_SHARES = 1e-9
CAP_SLACK = 1e-9
LOT_SLACK = 1e-9
MIN_ORDER_OF_EQUITY = 1e-6


@njit(cache=True, forceinline=True, _nrt=False)
def hold_weights(i, t, market, state, scratch):
    """scratch.held = q m / E for book i at the close of t."""
    equity = state.equity[i]
    for a in range(scratch.held.shape[0]):
        q = state.shares[i, a]
        scratch.held[a] = q * market.mark[t, a] / equity if q != 0.0 else 0.0


@njit(cache=True, forceinline=True, _nrt=False)
def map_action(i, t, market, rules, actions, scratch):
    """scratch.want = weights of the raw action in row i, each entry clipped to [-1, 1]; sums run over assets with a bar."""
    n_assets = scratch.want.shape[0]
    total = 0.0
    if rules.mapping == SIMPLEX_CASH:
        # logits stay below logit_scale <= 50 in size, so exp cannot overflow and needs no shift
        for a in range(n_assets):
            if market.has_bar[t, a]:
                e = math.exp(rules.logit_scale * min(1.0, max(-1.0, actions[i, a + 1])))
                scratch.want[a] = e
                total += e
        cash_logit = rules.logit_scale * min(1.0, max(-1.0, actions[i, 0]))
        factor = rules.invest_max / (1.0 + math.exp(-cash_logit)) / total if total > 0.0 else 0.0
    elif rules.mapping == DISCRETE:
        for a in range(n_assets):
            scratch.want[a] = actions[i, a] - 1.0 if rules.allow_short else actions[i, a]
        factor = rules.invest_max / n_assets
    else:
        for a in range(n_assets):
            if market.has_bar[t, a]:
                u = math.tanh(3.0 * min(1.0, max(-1.0, actions[i, a])))
                scratch.want[a] = u
                total += abs(u)
        factor = rules.gross_cap / max(1.0, total)
    for a in range(n_assets):
        scratch.want[a] = scratch.want[a] * factor if market.has_bar[t, a] else scratch.held[a]


@njit(cache=True, forceinline=True, _nrt=False)
def cap_step(i, t, market, rules, state, scratch):
    """Move no target further than `step_cap` from the previous one (the weight held where a close went missing since)."""
    for a in range(scratch.want.shape[0]):
        if market.has_bar[t, a]:
            gap = market.last_gap[t, a] > state.last_decision[i]
            prev = scratch.held[a] if gap else state.target[i, a]
            move = scratch.want[a] - prev
            scratch.want[a] = prev + min(rules.step_cap, max(-rules.step_cap, move))


@njit(cache=True, forceinline=True, _nrt=False)
def apply_caps(t, market, rules, scratch):
    """The mandate's caps, once, in order; each only shrinks. True when any of them changed a target."""
    n_assets = scratch.want.shape[0]
    bound = False
    free_long = 0.0
    free_short = 0.0
    locked_gross = 0.0
    locked_net = 0.0
    for a in range(n_assets):
        w = scratch.want[a]
        if not market.has_bar[t, a]:
            locked_gross += abs(w)
            locked_net += w
            continue
        capped = w
        if capped < 0.0 and not rules.allow_short:
            capped = 0.0
        capped = min(rules.position_cap, max(-rules.position_cap, capped))
        if abs(capped) < TINY_WEIGHT:
            capped = 0.0
        bound = bound or abs(capped - w) > CAP_SLACK
        scratch.want[a] = capped
        if capped > 0.0:
            free_long += capped
        else:
            free_short -= capped
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
        for a in range(n_assets):
            if market.has_bar[t, a]:
                scratch.want[a] *= scale_long if scratch.want[a] > 0.0 else scale_short
    return bound


@njit(cache=True, forceinline=True, _nrt=False)
def round_to_lot(shares, lot):
    """Toward zero to whole lots; a lot of 0 leaves fractions."""
    if lot <= 0.0:
        return shares
    size = lot * math.floor(abs(shares) / lot + LOT_SLACK)
    return size if shares > 0.0 else -size


@njit(cache=True, forceinline=True, _nrt=False)
def make_orders(i, t, market, rules, state, scratch):
    """scratch.order = shares to trade after band, lots and the smallest order. Returns how many are not 0."""
    n_assets = scratch.want.shape[0]
    equity = state.equity[i]
    floor = max(MIN_ORDER_OF_EQUITY * equity, rules.min_notional)
    banded = rules.policy_layers and rules.band > 0.0 and state.gross[i] <= (rules.gross_cap + CAP_SLACK) * equity
    count = 0
    for a in range(n_assets):
        scratch.order[a] = 0.0
        if not market.has_bar[t, a]:
            continue
        want, held = scratch.want[a], scratch.held[a]
        if want != 0.0 and banded and abs(want - held) < rules.band and abs(held) <= rules.position_cap + CAP_SLACK:
            continue
        mark = market.mark[t, a]
        goal = round_to_lot(want * equity / mark, rules.lot)
        order = goal - state.shares[i, a]
        if abs(order) < TINY_SHARES or (abs(order) * mark < floor and goal != 0.0):
            continue
        scratch.order[a] = order
        count += 1
    return count


@njit(cache=True, forceinline=True, _nrt=False)
def decide(i, t, market, rules, state, totals, actions, scratch):
    """Orders of book i at the close of t from row i of `actions` (raw, or target weights for the mandate's layers)."""
    for a in range(scratch.order.shape[0]):
        scratch.order[a] = 0.0
    if state.equity[i] <= 0.0:
        return 0
    hold_weights(i, t, market, state, scratch)
    if rules.policy_layers:
        map_action(i, t, market, rules, actions, scratch)
        if rules.step_cap != math.inf:
            cap_step(i, t, market, rules, state, scratch)
    else:
        for a in range(scratch.want.shape[0]):
            scratch.want[a] = actions[i, a] if market.has_bar[t, a] else scratch.held[a]
    if apply_caps(t, market, rules, scratch):
        totals.bound[i] += 1
    for a in range(scratch.want.shape[0]):
        state.target[i, a] = scratch.want[a]
    state.last_decision[i] = t
    return make_orders(i, t, market, rules, state, scratch)
