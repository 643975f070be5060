"""Layers of a decision that only the extended rules have: what is locked, sizing, the least holding time, the trail."""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.extra_state import BANDED, HELD, NEVER, Extra
from simulator.jit import inlined, outlined
from simulator.market import MarketArrays
from simulator.rules import SIMPLEX_CASH, Rules
from simulator.state import Scratch, State

Floats = NDArray[np.float64]

NO_VARIANCE = 1e-24


@inlined
def lock_assets(i: int, t: int, market: MarketArrays, rules: Rules, extra: Extra) -> None:
    """Which assets are free and which of these are offered; how many shares of each are under way in the queue."""
    scratch, state = extra.scratch, extra.state
    for a in range(scratch.free.shape[0]):
        free = market.has_bar[t, a] and state.forced[i, a] == 0.0
        scratch.free[a] = free
        scratch.member[a] = free and market.offered[t, a]
        scratch.kept[a] = False
        scratch.under[a] = 0.0
    if rules.latency > 0:
        for s in range(state.decided.shape[1]):
            if state.decided[i, s] != NEVER and state.decided[i, s] + 1 + rules.latency > t:
                for a in range(scratch.under.shape[0]):
                    scratch.under[a] += state.left[i, s, a]


@outlined
def size_weights(t: int, rules: Rules, scratch: Scratch, extra: Extra) -> None:
    """Scale what is free by one factor of the last `sizing_window` returns of these weights, locked ones included.

    The mean and variance (ddof 1) of w'r are w'mu and w'Sw. 1 where a weighted asset lacks a close in the window.
    """
    want, returns, window = scratch.want, extra.market.returns, rules.sizing_window
    if t - window < 0:
        return
    total = 0.0
    for k in range(t - window + 1, t + 1):
        total += weighted_return(k, want, returns)
    mean = total / window
    squares = 0.0
    for k in range(t - window + 1, t + 1):
        gap = weighted_return(k, want, returns) - mean
        squares += gap * gap
    variance = squares / (window - 1)
    if not variance >= NO_VARIANCE:  # NaN: a close is missing
        return
    if rules.vol_target > 0.0:
        factor = min(rules.sizing_max, rules.vol_target / math.sqrt(rules.periods * variance))
    else:
        factor = min(rules.sizing_max, max(0.0, rules.kelly * mean / variance))
    for a in range(want.shape[0]):
        if extra.scratch.free[a]:
            want[a] *= factor


@inlined
def weighted_return(k: int, want: Floats, returns: Floats) -> float:
    total = 0.0
    for a in range(want.shape[0]):
        if want[a] != 0.0:
            total += want[a] * returns[k, a]
    return total


@outlined
def keep_positions(i: int, t: int, rules: Rules, state: State, scratch: Scratch, extra: Extra) -> None:
    """A position younger than `min_hold` bars at the fill may grow, but not shrink or flip: it wants what it holds."""
    for a in range(scratch.want.shape[0]):
        held = scratch.held[a]
        young = state.shares[i, a] != 0.0 and t + 1 + rules.latency - extra.state.opened[i, a] < rules.min_hold
        if young and extra.scratch.free[a]:
            side = 1.0 if state.shares[i, a] > 0.0 else -1.0
            if side * scratch.want[a] < side * held:
                scratch.want[a] = held
                extra.scratch.kept[a] = True


@inlined
def trail_row(t: int, extra: Extra) -> int:
    """Row of the trail for a decision at t, -1 where none is kept."""
    row = t - extra.trail.first[0]
    return row if 0 <= row < extra.trail.unit.shape[0] else -1


@outlined
def note_level(t: int, level: int, scratch: Scratch, extra: Extra) -> None:
    """The weights after a layer."""
    row = trail_row(t, extra)
    if row >= 0:
        for a in range(scratch.want.shape[0]):
            extra.trail.level[row, level, a] = scratch.want[a]


@outlined
def note_held(
    i: int, t: int, market: MarketArrays, rules: Rules, state: State, actions: Floats, scratch: Scratch, extra: Extra
) -> None:
    """The weights before the decision, the action, and what a share is worth in equity."""
    row = trail_row(t, extra)
    if row >= 0:
        skip = 1 if rules.policy_layers and rules.mapping == SIMPLEX_CASH else 0
        for a in range(scratch.held.shape[0]):
            extra.trail.level[row, HELD, a] = scratch.held[a]
            extra.trail.action[row, a] = actions[i, a + skip]
            extra.trail.unit[row, a] = market.mark[t, a] / state.equity[i] if extra.scratch.free[a] else 0.0


@inlined
def note_band(i: int, t: int, a: int, in_band: bool, held: float, want: float, extra: Extra) -> None:
    """What the band left of the weight of asset a."""
    row = trail_row(t, extra)
    if row >= 0:
        extra.trail.level[row, BANDED, a] = held if in_band else want
