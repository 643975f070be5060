"""C of the step: per asset a split, a cash dividend and a delisting of bar f, before anything trades in it."""

import math

from simulator.extra_state import NEVER, Extra
from simulator.jit import inlined, outlined
from simulator.market import MarketArrays
from simulator.order_log import log_order
from simulator.rules import Rules
from simulator.state import DELISTED, OrderLog, State, Totals
from simulator.working import drop_forced, drop_order


@inlined
def act(
    i: int, f: int, market: MarketArrays, rules: Rules, state: State, totals: Totals, log: OrderLog, extra: Extra
) -> None:
    """Every corporate action of bar f on book i."""
    for a in range(state.shares.shape[1]):
        if extra.market.acts[f]:
            split_asset(i, a, extra.market.split[f, a], state, extra)
            paid = state.shares[i, a] * extra.market.dividend[f, a]
            state.cash[i] += paid
            totals.dividends[i] += paid
            extra.state.received[i, a] += paid
        if extra.market.last_bar[a] < f:
            delist(i, f, a, market, rules, state, log, extra)


@outlined
def split_asset(i: int, a: int, ratio: float, state: State, extra: Extra) -> None:
    """`ratio` new shares for an old one: in the position, and in every order with its limit; fractions stay."""
    if ratio == 1.0:
        return
    state.shares[i, a] *= ratio
    state.entry[i, a] /= ratio
    extra.state.forced[i, a] *= ratio
    for s in range(extra.state.decided.shape[1]):
        extra.state.left[i, s, a] *= ratio
        extra.state.limit[i, s, a] /= ratio
        extra.state.ratio[i, s, a] *= ratio


@outlined
def delist(
    i: int, f: int, a: int, market: MarketArrays, rules: Rules, state: State, log: OrderLog, extra: Extra
) -> None:
    """An asset whose recorded end lies before f: its orders end, its position is closed, without fees."""
    drop_forced(i, a, DELISTED, log, extra)
    for s in range(extra.state.decided.shape[1]):
        if extra.state.decided[i, s] != NEVER:
            drop_order(i, s, a, DELISTED, log, extra)
    held = state.shares[i, a]
    if held == 0.0:
        return
    final = extra.market.final_return[a]
    if math.isnan(final):
        final = -rules.delist_loss if held > 0.0 else 0.0
    mark = market.mark[f, a]  # the last close, in shares of f
    price = mark * (1.0 + final)
    state.cash[i] += held * price
    state.shares[i, a] = 0.0
    state.entry[i, a] = 0.0
    log_order(f, f, a, -held, -held, price, price, 0.0, 0.0, 0.0, DELISTED, log)
