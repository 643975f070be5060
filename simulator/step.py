"""The compiled step t -> t+1 of one book, and its two callers: a logged span of one book, one step of N books.

Order within a step: A decision and orders at the close of t; B financing for (t, t+1); C corporate actions (raw mode
with recorded actions: none in this version's datasets); D fills in t+1; E mark and checks at the close of t+1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.decide import Floats, decide
from simulator.fill import add, costs_of, fill_orders, log_order, post, settle, slipped
from simulator.jit import inlined, kernel
from simulator.market import MarketArrays
from simulator.prefetch import prefetch
from simulator.rules import Rules
from simulator.state import BY_RUIN, BY_STOP, LIQUIDATED, LIVE, RUINED, STOPPED, OrderLog, Path, Scratch, State, Totals

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


@inlined
def close_out(
    i: int, t: int, how: int, market: MarketArrays, rules: Rules, state: State, totals: Totals, log: OrderLog
) -> None:
    """Close every position at the close of t.

    Ruin: at the marks, without cost, outside turnover. Stop: less half spread and fee. End: with impact.
    """
    sums = (0.0, 0.0, 0.0, 0.0, 0.0)
    for a in range(state.shares.shape[1]):
        held = state.shares[i, a]
        if held == 0.0 or (how == LIQUIDATED and not market.has_bar[t, a]):
            continue
        mark = market.mark[t, a]
        side = -1.0 if held > 0.0 else 1.0
        if how == BY_RUIN:
            state.cash[i] += held * mark
            state.shares[i, a] = 0.0
            log_order(t, t, a, -held, -held, mark, mark, 0.0, 0.0, 0.0, how, log)
            continue
        price = mark * (1.0 + side * rules.half_spread)
        if how == LIQUIDATED:
            price = slipped(mark, side, abs(held), market.usual_volume[t, a], rules)
        fee, spread, impact = costs_of(abs(held), price, mark, rules)
        log_order(t, t, a, -held, -held, mark, price, fee, spread, impact, how, log)
        sums = add(sums, settle(-held, price, mark, rules))
        state.shares[i, a] = 0.0
    post(i, sums, state, totals)
    mark_book(i, t, market, state)


@inlined
def check_book(i: int, t: int, market: MarketArrays, rules: Rules, state: State, totals: Totals, log: OrderLog) -> None:
    """Ruin, then stop; the first that holds ends the book."""
    if state.equity[i] <= 0.0:
        state.status[i] = RUINED
        close_out(i, t, BY_RUIN, market, rules, state, totals, log)
    elif rules.policy_layers and state.equity[i] < rules.stop_fraction * state.start_equity[i]:
        state.status[i] = STOPPED
        close_out(i, t, BY_STOP, market, rules, state, totals, log)


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
) -> None:
    """One step of book i; `decided` is false when the strategy said nothing at this bar."""
    t = state.t[i]
    state.t[i] = t + 1
    state.prev_equity[i] = state.equity[i]
    state.prev_drawdown[i] = state.drawdown[i]
    state.traded[i] = 0.0
    if state.status[i] != LIVE:
        return
    orders = decide(i, t, market, rules, state, totals, actions, scratch) if decided else 0
    finance(i, t, market, rules, state, totals)
    if orders > 0:
        fill_orders(i, t + 1, market, rules, state, totals, scratch, log)
    mark_book(i, t + 1, market, state)
    check_book(i, t + 1, market, rules, state, totals, log)


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
) -> None:
    """One step of every book; book i acts on row i of `actions`, or none does."""
    n = state.t.shape[0]
    for i in range(n):
        if i + 1 < n:
            fetch_rows(i + 1, market, state)
        step_book(i, decided, market, rules, state, totals, actions, scratch, log)


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
    shares, row = state.shares[0], path.shares[k]
    for a in range(shares.shape[0]):
        row[a] = shares[a]


@inlined
def finish(k: int, market: MarketArrays, rules: Rules, state: State, totals: Totals, path: Path, log: OrderLog) -> None:
    """After the last mark: sell everything where the rules ask for it, and record that as the last point."""
    if rules.liquidate and state.status[0] == LIVE:
        close_out(0, state.t[0], LIQUIDATED, market, rules, state, totals, log)
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
        step_book(0, decided, market, rules, state, totals, action, scratch, log)
        record(t + 1 - t0, state, totals, path)
    finish(t1 - t0, market, rules, state, totals, path, log)
