"""Books from bar to bar in one compiled loop, or by hand, and the path of the one that is logged."""

import numpy as np
from numpy.typing import NDArray

from simulator.coast import coast
from simulator.decide import Floats
from simulator.extra_state import Extra
from simulator.jit import inlined, kernel
from simulator.market import MarketArrays
from simulator.rules import Rules
from simulator.state import LIQUIDATED, LIVE, PENDING, OrderLog, Path, Scratch, State, Totals
from simulator.step import close_out, end_orders, fetch_rows, step_book


@inlined
def has_changed(state: State, totals: Totals, path: Path) -> bool:
    """Whether book 0 traded, was paid a dividend or holds other shares than at the last event."""
    last = path.events[0] - 1
    if last < 0 or state.traded[0] != 0.0 or totals.dividends[0] != path.dividends[last]:
        return True
    shares, before = state.shares[0], path.shares[last]
    changed = 0
    for a in range(shares.shape[0]):
        changed += 1 if shares[a] != before[a] else 0
    return changed > 0


@inlined
def record_event(k: int, state: State, totals: Totals, path: Path) -> None:
    """What stands from row k on; an event of the same row is written over."""
    e = path.events[0]
    if e > 0 and path.at[e - 1] == k:
        e -= 1
    path.events[0] = e + 1
    path.at[e] = k
    path.traded[e] = state.traded[0]
    path.fees[e] = totals.fees[0]
    path.spread[e] = totals.spread[0]
    path.impact[e] = totals.impact[0]
    path.dividends[e] = totals.dividends[0]
    shares, row = state.shares[0], path.shares[e]
    for a in range(shares.shape[0]):
        row[a] = shares[a]


@inlined
def record(k: int, state: State, totals: Totals, path: Path) -> None:
    """Row k of the path from book 0 as it stands."""
    path.equity[k] = state.equity[0]
    path.cash[k] = state.cash[0]
    path.gross[k] = state.gross[0]
    path.net[k] = state.net[0]
    path.borrow[k] = totals.borrow[0]
    path.interest[k] = totals.interest[0]
    if has_changed(state, totals, path):
        record_event(k, state, totals, path)


@inlined
def end_book(
    i: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """After the last mark: where the rules ask for it everything is sold; orders due later end unfilled."""
    if rules.liquidate and state.status[i] == LIVE:
        close_out(i, state.t[i], LIQUIDATED, market, rules, state, totals, log, extra)
    if extra is not None:
        end_orders(i, PENDING, log, extra)


@kernel
def run_spans(
    t0: int,
    t1: int,
    first: NDArray[np.int64],
    bars: NDArray[np.int64],
    targets: Floats,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    actions: Floats,
    scratch: Scratch,
    equity: Floats,
    path: Path | None,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """Every book from t0 to t1, one after the other: book i decides `targets[k]` at `bars[k]` for k in
    first[i]..first[i+1]-1. Row i of `equity` (N, T+1) takes its equity at each close; a `path` takes all of book 0, and
    its equity column is that row. `actions` (N, A) is working room.
    """
    for i in range(state.t.shape[0]):
        curve, action, k = equity[i], actions[i], first[i]
        curve[0] = state.equity[i]
        if path is not None:
            record(0, state, totals, path)
        while state.t[i] < t1:
            t = state.t[i]
            coming = bars[k] if k < first[i + 1] else t1
            if extra is None and coming - t > 1 and state.status[i] == LIVE:
                fetch_rows(coming, market)
                coast(i, t0, coming - 1, market, rules, state, totals, scratch, curve, path)
                t = state.t[i]
            decided = coming == t
            if decided:
                for a in range(action.shape[0]):
                    action[a] = targets[k, a]
                k += 1
            step_book(i, decided, market, rules, state, totals, actions, scratch, log, extra)
            curve[t + 1 - t0] = state.equity[i]
            if path is not None:
                record(t + 1 - t0, state, totals, path)
        end_book(i, market, rules, state, totals, log, extra)
        curve[t1 - t0] = state.equity[i]
        if path is not None:
            record(t1 - t0, state, totals, path)


@kernel
def finish_book(
    k: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    path: Path,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """The end of book 0, which was stepped by hand; what is sold then is the last point of its path."""
    end_book(0, market, rules, state, totals, log, extra)
    record(k, state, totals, path)
