"""The compiled step t -> t+1 of one book, and of N books.

Order within a step: A decision and orders at the close of t; B financing for (t, t+1); C corporate actions and
delistings of t+1; D fills in t+1; E mark and checks at the close of t+1.

`extra` is None, or what the extended rules keep. Numba sees which and compiles two variants of this one source: the
lean one holds nothing of what `extra` stands for.
"""

from simulator.actions import act
from simulator.decide import Floats, decide
from simulator.extra_state import Extra
from simulator.fill import add, fill_orders, post, settle
from simulator.financing import finance
from simulator.guards import check_limits
from simulator.jit import inlined, kernel, outlined
from simulator.market import MarketArrays
from simulator.order_log import log_order
from simulator.prefetch import prefetch
from simulator.pricing import costs_of, half_spread, slipped, taker_fee, ticked
from simulator.rules import Rules
from simulator.state import (
    BY_RUIN,
    BY_STOP,
    CANCELLED,
    LIQUIDATED,
    LIVE,
    RUINED,
    STOPPED,
    OrderLog,
    Scratch,
    State,
    Totals,
)
from simulator.working import drop_all, drop_forced, replace_orders, send_orders

LINE = 8  # numbers in a cache line


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
def fetch_rows(t: int, market: MarketArrays) -> None:
    """Ask for the market's rows that a decision at the close of t reads: memory is slower than a step."""
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
            fetch_rows(state.t[i + 1], market)
        step_book(i, decided, market, rules, state, totals, actions, scratch, log, extra)
