"""B of the step: simple interest on the balances at the close of t, ACT/365."""

import math

from simulator.jit import inlined
from simulator.market import MarketArrays
from simulator.rules import Rules
from simulator.state import State, Totals


@inlined
def financing_of(
    t: int, cash: float, gross: float, net: float, market: MarketArrays, rules: Rules
) -> tuple[float, float]:
    """(interest earned, borrow fee paid) over (t, t+1) by a book of these balances at the close of t, money."""
    short = 0.5 * (gross - net)  # sum of |q| m over shorts
    free = cash - short
    if free == 0.0 and short == 0.0:
        return 0.0, 0.0
    rate = rules.margin_rate
    if free > 0.0:
        rate = rules.cash_yield if math.isnan(market.cash_rate[t]) else market.cash_rate[t]
    delta = market.year_fraction[t]
    return (free * rate + short * rules.short_rebate) * delta, short * rules.borrow_fee * delta


@inlined
def finance(i: int, t: int, market: MarketArrays, rules: Rules, state: State, totals: Totals) -> None:
    """Post what book i earns and pays over (t, t+1)."""
    interest, borrow = financing_of(t, state.cash[i], state.gross[i], state.net[i], market, rules)
    state.cash[i] += interest - borrow
    totals.interest[i] += interest
    totals.borrow[i] -= borrow
