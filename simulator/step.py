"""The compiled step t -> t+1 of one book, and its callers: a logged span of one book, spans of N books
without a log, one step of N books.

Order within a step: A decision and orders at the close of t; B financing for (t, t+1); C corporate actions and
delistings of t+1; D fills in t+1; E mark and checks at the close of t+1.

`extra` is None, or what the extended rules keep. Numba sees which and compiles two variants of this one source: the
lean one holds nothing of what `extra` stands for.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.actions import act
from simulator.decide import Floats, decide
from simulator.extra_state import Extra
from simulator.fill import add, costs_of, fill_orders, post, settle
from simulator.guards import check_limits
from simulator.jit import inlined, kernel, outlined
from simulator.market import MarketArrays
from simulator.order_log import log_order
from simulator.prefetch import prefetch
from simulator.pricing import half_spread, slipped, taker_fee, ticked
from simulator.rules import Rules
from simulator.state import (
    BY_RUIN,
    BY_STOP,
    CANCELLED,
    LIQUIDATED,
    LIVE,
    PENDING,
    RUINED,
    STOPPED,
    OrderLog,
    Path,
    Scratch,
    State,
    Totals,
)
from simulator.working import drop_all, drop_forced, replace_orders, send_orders

LINE = 8  # numbers in a cache line


@inlined
def finance(i: int, t: int, market: MarketArrays, rules: Rules, state: State, totals: Totals) -> None:
    """B: simple interest on the balances at the close of t, ACT/365."""
    short = 0.5 * (state.gross[i] - state.net[i])  # sum of |q| m over shorts
    free = state.cash[i] - short
    if free == 0.0 and short == 0.0:
        return
    rate = rules.margin_rate
    if free > 0.0:
        rate = rules.cash_yield if math.isnan(market.cash_rate[t]) else market.cash_rate[t]
    delta = market.year_fraction[t]
    interest = (free * rate + short * rules.short_rebate) * delta
    borrow = short * rules.borrow_fee * delta
    state.cash[i] += interest - borrow
    totals.interest[i] += interest
    totals.borrow[i] -= borrow


@inlined
def mark_book(i: int, t: int, market: MarketArrays, state: State) -> None:
    """E: value the book at the close of t."""
    shares, mark = state.shares[i], market.mark[t]
    gross = 0.0
    net = 0.0
    for a in range(shares.shape[0]):
        q = shares[a]
        value = q * mark[a] if q != 0.0 else 0.0
        net += value
        gross += abs(value)
    state.gross[i] = gross
    state.net[i] = net
    state.equity[i] = state.cash[i] + net
    state.peak[i] = max(state.peak[i], state.equity[i])
    state.drawdown[i] = state.equity[i] / state.peak[i] - 1.0


@outlined
def close_out(
    i: int,
    t: int,
    how: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """Close every position at the close of t; orders that are left end.

    Ruin: at the marks, without cost, outside turnover. Stop: less half spread and fee. End: with impact and tick.
    """
    if extra is not None:
        end_orders(i, CANCELLED, log, extra)
    sums = (0.0, 0.0, 0.0, 0.0, 0.0)
    for a in range(state.shares.shape[1]):
        held = state.shares[i, a]
        if held == 0.0 or (how == LIQUIDATED and not market.has_bar[t, a]):
            continue
        mark = market.mark[t, a]
        side = -1.0 if held > 0.0 else 1.0
        state.shares[i, a] = 0.0
        state.entry[i, a] = 0.0
        if how == BY_RUIN:
            state.cash[i] += held * mark
            log_order(t, t, a, -held, -held, mark, mark, 0.0, 0.0, 0.0, how, log)
            continue
        half = half_spread(t, a, rules, extra)
        price = mark * (1.0 + side * half)
        if how == LIQUIDATED:
            price = ticked(slipped(mark, side, abs(held), market.usual_volume[t, a], half, rules), side, rules.tick)
        share_fee = taker_fee(t, price, side, rules, extra)
        fee, spread, impact = costs_of(abs(held), price, mark, share_fee, half, rules)
        log_order(t, t, a, -held, -held, mark, price, fee, spread, impact, how, log)
        sums = add(sums, settle(-held, price, mark, share_fee, half, rules))
    post(i, sums, state, totals)
    mark_book(i, t, market, state)


@inlined
def end_orders(i: int, why: int, log: OrderLog, extra: Extra) -> None:
    """Every order ends, forced ones too."""
    for a in range(extra.state.forced.shape[1]):
        drop_forced(i, a, why, log, extra)
    drop_all(i, why, log, extra)


@inlined
def check_book(
    i: int,
    t: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """Ruin, then stop, which end the book; then the checks that force orders. The first that holds."""
    how = LIVE
    if state.equity[i] <= 0.0:
        how = RUINED
    elif rules.policy_layers and state.equity[i] < rules.stop_fraction * state.start_equity[i]:
        how = STOPPED
    if how != LIVE:
        state.status[i] = how
        close_out(i, t, BY_RUIN if how == RUINED else BY_STOP, market, rules, state, totals, log, extra)
    elif extra is not None:
        check_limits(i, t, rules, state, log, extra)


@inlined
def step_book(
    i: int,
    decided: bool,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    actions: Floats,
    scratch: Scratch,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """One step of book i; `decided` is false when the strategy said nothing at this bar."""
    t = state.t[i]
    state.t[i] = t + 1
    state.prev_equity[i] = state.equity[i]
    state.prev_drawdown[i] = state.drawdown[i]
    state.traded[i] = 0.0
    if state.status[i] != LIVE:
        return
    if extra is None:
        orders = decide(i, t, market, rules, state, totals, actions, scratch, extra) if decided else 0
        finance(i, t, market, rules, state, totals)
        if orders > 0:
            fill_orders(i, t + 1, market, rules, state, totals, scratch, log, extra)
    else:
        decide_extended(i, decided, t, market, rules, state, totals, actions, scratch, log, extra)
        finance(i, t, market, rules, state, totals)
        act(i, t + 1, market, rules, state, totals, log, extra)
        fill_orders(i, t + 1, market, rules, state, totals, scratch, log, extra)
    mark_book(i, t + 1, market, state)
    check_book(i, t + 1, market, rules, state, totals, log, extra)


@inlined
def decide_extended(
    i: int,
    decided: bool,
    t: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    actions: Floats,
    scratch: Scratch,
    log: OrderLog,
    extra: Extra,
) -> None:
    """A under the extended rules: a decision may be lost to a forced order; else its orders go into the queue."""
    if extra.market.session[t + 1] != extra.market.session[t]:
        extra.state.session_equity[i] = state.equity[i]
    lost = extra.state.lost[i] or extra.state.halted[i]
    extra.state.lost[i] = False
    if decided and not lost and state.equity[i] > 0.0:
        replace_orders(i, t, rules, log, extra)
        if decide(i, t, market, rules, state, totals, actions, scratch, extra) > 0:
            send_orders(i, t, market, rules, scratch, extra)


@inlined
def fetch_rows(i: int, market: MarketArrays, state: State) -> None:
    """Ask for the market's rows of book i: each book stands at a bar of its own, and memory is slower than a step."""
    t = state.t[i]
    n_assets = market.mark.shape[1]
    for a in range(0, n_assets, LINE):
        prefetch(market.mark, t, a)
        prefetch(market.last_gap, t, a)
        prefetch(market.mark, t + 1, a)
        prefetch(market.ref, t + 1, a)
        prefetch(market.usual_volume, t + 1, a)
    prefetch(market.has_bar, t, 0)
    prefetch(market.offered, t, 0)
    prefetch(market.mark, t + 1, n_assets - 1)
    prefetch(market.ref, t + 1, n_assets - 1)
    prefetch(market.usual_volume, t + 1, n_assets - 1)


@kernel
def step_books(
    decided: bool,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    actions: Floats,
    scratch: Scratch,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """One step of every book; book i acts on row i of `actions`, or none does."""
    n = state.t.shape[0]
    for i in range(n):
        if i + 1 < n:
            fetch_rows(i + 1, market, state)
        step_book(i, decided, market, rules, state, totals, actions, scratch, log, extra)


@inlined
def record(k: int, state: State, totals: Totals, path: Path) -> None:
    """Row k of the path from book 0 as it stands."""
    path.equity[k] = state.equity[0]
    path.cash[k] = state.cash[0]
    path.gross[k] = state.gross[0]
    path.net[k] = state.net[0]
    path.traded[k] = state.traded[0]
    path.fees[k] = totals.fees[0]
    path.spread[k] = totals.spread[0]
    path.impact[k] = totals.impact[0]
    path.borrow[k] = totals.borrow[0]
    path.interest[k] = totals.interest[0]
    path.dividends[k] = totals.dividends[0]
    shares, row = state.shares[0], path.shares[k]
    for a in range(shares.shape[0]):
        row[a] = shares[a]


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


@inlined
def finish(
    k: int,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    path: Path,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """The end of book 0; what is sold then is the last point of its path."""
    end_book(0, market, rules, state, totals, log, extra)
    record(k, state, totals, path)


@kernel
def run_span(
    t0: int,
    t1: int,
    bars: NDArray[np.int64],
    targets: Floats,
    market: MarketArrays,
    rules: Rules,
    state: State,
    totals: Totals,
    scratch: Scratch,
    path: Path,
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """Book 0 from t0 to t1, deciding `targets[k]` at `bars[k]`; path row 0 is the start."""
    record(0, state, totals, path)
    k = 0
    action = targets[:1]
    for t in range(t0, t1):
        decided = k < bars.shape[0] and bars[k] == t
        if decided:
            action = targets[k : k + 1]
            k += 1
        step_book(0, decided, market, rules, state, totals, action, scratch, log, extra)
        record(t + 1 - t0, state, totals, path)
    finish(t1 - t0, market, rules, state, totals, path, log, extra)


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
    log: OrderLog,
    extra: Extra | None,
) -> None:
    """Every book from t0 to t1, one after the other: book i decides `targets[k]` at `bars[k]` for k in
    first[i]..first[i+1]-1; row i of `equity` is its path. `actions` (N, A) is working room.
    """
    for i in range(state.t.shape[0]):
        path, action = equity[i], actions[i]
        path[0] = state.equity[i]
        k = first[i]
        for t in range(t0, t1):
            decided = k < first[i + 1] and bars[k] == t
            if decided:
                for a in range(action.shape[0]):
                    action[a] = targets[k, a]
                k += 1
            step_book(i, decided, market, rules, state, totals, actions, scratch, log, extra)
            path[t + 1 - t0] = state.equity[i]
        end_book(i, market, rules, state, totals, log, extra)
        path[t1 - t0] = state.equity[i]


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
    """`finish`, for a book that is stepped by hand."""
    finish(k, market, rules, state, totals, path, log, extra)
