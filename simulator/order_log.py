"""One line of the order log."""

from simulator.jit import inlined, outlined
from simulator.state import OrderLog


@inlined
def write_order(
    decided: int,
    filled_at: int,
    a: int,
    asked: float,
    filled: float,
    reference: float,
    price: float,
    fee: float,
    spread: float,
    impact: float,
    reason: int,
    log: OrderLog,
) -> None:
    k = log.orders[0]
    if k >= log.decided.shape[0]:
        return
    log.orders[0] = k + 1
    log.decided[k] = decided
    log.filled[k] = filled_at
    log.asset[k] = a
    log.reason[k] = reason
    log.qty_target[k] = asked
    log.qty_filled[k] = filled
    log.price_ref[k] = reference
    log.price_fill[k] = price
    log.fee[k] = fee
    log.spread[k] = spread
    log.impact[k] = impact


@outlined
def log_order(
    decided: int,
    filled_at: int,
    a: int,
    asked: float,
    filled: float,
    reference: float,
    price: float,
    fee: float,
    spread: float,
    impact: float,
    reason: int,
    log: OrderLog,
) -> None:
    """`write_order` where lines are rare: a call in place of its code."""
    write_order(decided, filled_at, a, asked, filled, reference, price, fee, spread, impact, reason, log)
