"""Bars in which a book of the lean rules only waits: its shares stand, so that many bars are valued at once.

The sums are those of the step, each in its order, so that every figure is the same to the bit. What would end a book is
left to the step: coasting stops before it.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.financing import financing_of
from simulator.jit import inlined
from simulator.market import MarketArrays
from simulator.rules import Rules
from simulator.state import STRETCH, Path, Scratch, State, Totals

Floats = NDArray[np.float64]

ABREAST = 4
"""Bars whose sums run side by side: each sum is a chain of additions, and a processor follows several at once."""


@inlined
def value_bars(i: int, t: int, n: int, market: MarketArrays, state: State, scratch: Scratch) -> None:
    """scratch.gross and .net of book i's shares at the closes of t..t+n-1; n is at most STRETCH."""
    shares, mark = state.shares[i], market.mark
    gross, net = scratch.gross, scratch.net
    whole = n - n % ABREAST
    for j in range(0, whole, ABREAST):
        one, two, three, four = mark[t + j], mark[t + j + 1], mark[t + j + 2], mark[t + j + 3]
        g1, g2, g3, g4 = 0.0, 0.0, 0.0, 0.0
        n1, n2, n3, n4 = 0.0, 0.0, 0.0, 0.0
        for a in range(shares.shape[0]):
            q = shares[a]
            if q != 0.0:
                v1, v2, v3, v4 = q * one[a], q * two[a], q * three[a], q * four[a]
                n1, n2, n3, n4 = n1 + v1, n2 + v2, n3 + v3, n4 + v4
                g1, g2, g3, g4 = g1 + abs(v1), g2 + abs(v2), g3 + abs(v3), g4 + abs(v4)
        gross[j], gross[j + 1], gross[j + 2], gross[j + 3] = g1, g2, g3, g4
        net[j], net[j + 1], net[j + 2], net[j + 3] = n1, n2, n3, n4
    for j in range(whole, n):
        g1, n1 = 0.0, 0.0
        for a in range(shares.shape[0]):
            q = shares[a]
            if q != 0.0:
                v1 = q * mark[t + j, a]
                n1, g1 = n1 + v1, g1 + abs(v1)
        gross[j], net[j] = g1, n1


@inlined
def coast(
    i: int,
    t0: int,
    last: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    scratch: Scratch,
    equity: Floats,
    path: Path | None,
) -> None:
    """Book i waits up to the close of `last`, or of the bar before a check would end it. `equity` and the rows of
    `path`, where there is one, count from t0.
    """
    t, cash, gross, net, peak = state.t[i], state.cash[i], state.gross[i], state.net[i], state.peak[i]
    interest, borrow, worth = totals.interest[i], totals.borrow[i], state.equity[i]
    floor = rules.stop_fraction * state.start_equity[i] if rules.policy_layers else -np.inf
    waits = True
    while waits and t < last:
        n = min(STRETCH, last - t)
        value_bars(i, t + 1, n, market, state, scratch)
        for j in range(n):
            earned, paid = financing_of(t, cash, gross, net, market, rules)
            after = cash + (earned - paid)
            new = after + scratch.net[j]
            if new <= 0.0 or new < floor:
                waits = False
                break
            t, cash, gross, net, worth = t + 1, after, scratch.gross[j], scratch.net[j], new
            interest, borrow, peak = interest + earned, borrow - paid, max(peak, worth)
            k = t - t0
            equity[k] = worth
            if path is not None:
                path.cash[k], path.gross[k], path.net[k] = cash, gross, net
                path.borrow[k], path.interest[k] = borrow, interest
    state.t[i], state.cash[i], state.gross[i], state.net[i], state.peak[i] = t, cash, gross, net, peak
    state.equity[i], state.drawdown[i] = worth, worth / peak - 1.0
    totals.interest[i], totals.borrow[i] = interest, borrow
