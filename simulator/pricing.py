"""What a fill costs: spread, impact, tick and fees."""

import math

import numpy as np

from simulator.extra_state import Extra
from simulator.jit import inlined
from simulator.rules import Rules

MAX_SLIPPAGE = 0.5
TICK_SLACK = 1e-9


@inlined
def half_spread(f: int, a: int, rules: Rules, extra: Extra | None) -> float:
    """Of asset a in bar f, fraction of the price."""
    if extra is None:
        return rules.half_spread
    return extra.market.half_spread[f, a] if rules.high_low else rules.half_spread


@inlined
def slipped(price_ref: float, side: float, size: float, volume: float, spread: float, rules: Rules) -> float:
    """Fill price of a market order: p (1 + s min(0.5, h + k (|x| / A)^b)); x/A is 1 where A is not known."""
    slip = spread
    if rules.impact > 0.0:
        share = size / volume if volume > 0.0 else 1.0
        # the root by itself: several at once, where a power is a call for each
        slip += rules.impact * (math.sqrt(share) if rules.impact_exponent == 0.5 else share**rules.impact_exponent)
    return price_ref * (1.0 + side * min(MAX_SLIPPAGE, slip))


@inlined
def ticked(price: float, side: float, tick: float) -> float:
    """The price on the grid of ticks, up for a buy and down for a sale, which gets a tick at least; 0: no grid."""
    if tick <= 0.0:
        return price
    if side > 0.0:
        return tick * float(np.ceil(price / tick - TICK_SLACK))
    return max(tick, tick * float(np.floor(price / tick + TICK_SLACK)))


@inlined
def limit_price(mark: float, side: float, rules: Rules) -> float:
    """Of an order decided at `mark`: offset and rounded away from the market."""
    price = mark * (1.0 - side * rules.limit_offset)
    if rules.tick <= 0.0:
        return price
    if side > 0.0:
        return rules.tick * float(np.floor(price / rules.tick + TICK_SLACK))
    return rules.tick * float(np.ceil(price / rules.tick - TICK_SLACK))


@inlined
def fee_a_share(price: float, rules: Rules) -> float:
    return rules.fee_per_share + price * rules.fee_rate


@inlined
def full_fee(f: int, price: float, side: float, maker: bool, rules: Rules, extra: Extra) -> float:
    """Fee a share of a fill in bar f under all rules: a resting order's own rate, the regulators' fees on a sale."""
    fee = rules.fee_per_share + price * (rules.maker_rate if maker else rules.fee_rate)
    if rules.regulatory and side < 0.0:
        fee += price * extra.market.sell_rate[f] + extra.market.sell_fee[f]
    return fee


@inlined
def taker_fee(f: int, price: float, side: float, rules: Rules, extra: Extra | None) -> float:
    """Fee a share of a market order in bar f."""
    if extra is None:
        return fee_a_share(price, rules)
    return full_fee(f, price, side, False, rules, extra)


@inlined
def costs_of(
    size: float, price: float, reference: float, fee: float, spread: float, rules: Rules
) -> tuple[float, float, float]:
    """(fee, spread, impact) of a fill, money, by its fee a share and half spread; the price holds spread and impact."""
    slippage = size * abs(price - reference)
    # with spread alone all slippage is spread: a difference of the two would be a rounding residue
    part = min(slippage, size * reference * spread) if rules.impact > 0.0 or rules.tick > 0.0 else slippage
    return size * fee, part, slippage - part
