"""1.2.7–8: from target weights to shares, and what a decision does to the orders before it."""

from decimal import Decimal

from tests.simulator.oracle.book import Book, Order
from tests.simulator.oracle.layers import Targets, layered
from tests.simulator.oracle.numbers import BPS, DUST_SHARES, ZERO, sign


def decide(book: Book, t: int, wanted: list[Decimal]) -> tuple[Targets, dict[int, Order]]:
    """A decision at the close of t: the targets after each layer, and the order of each asset that gets one."""
    replace(book, t)
    targets = layered(book, t, wanted)
    goal = targets.after["caps"]
    orders = {}
    for a in targets.free:
        if a not in targets.silent:
            order = order_of(book, t, a, goal[a])
            if order is not None:
                orders[a] = order
                book.live.append(book.add(order))
    book.previous, book.decided_at, book.forced_since = list(goal), t, False
    return targets, orders


def replace(book: Book, t: int) -> None:
    """1.2.8: a decision replaces carried remainders and limit orders; the latency queue stays."""
    for order in list(book.live):
        if order.due <= t and not order.forced:
            book.end(order, order.reason)


def order_of(book: Book, t: int, a: int, weight: Decimal) -> Order | None:
    """1.2.7: n = w·E/m to lots toward zero; order = n − q − (orders under way); small ones are dropped unless n = 0."""
    rules, mark = book.rules, book.mark(a)
    n = book.near.lots(weight * book.equity / mark, rules.lot_size)
    qty = n - book.shares[a] - book.under_way(a)
    least = max(Decimal("1e-6") * book.equity, rules.min_order_notional)
    if abs(qty) < DUST_SHARES or (n != 0 and book.near.less(abs(qty) * mark, least, "notional")):
        return None
    limit = limit_price(book, qty, mark) if rules.order_type == "limit" else None
    return Order(a, t, t + 1 + rules.latency, qty, rules.order_type, limit, mark, book.equity)


def limit_price(book: Book, qty: Decimal, mark: Decimal) -> Decimal:
    """1.3 Limit order: m·(1 − s·offset/1e4), tick-rounded away from the market, fixed at the decision (1.9 Orders)."""
    tick, s = book.rules.tick_size, sign(qty)
    p = mark * (1 - s * book.rules.limit_offset_bps / BPS)
    if tick == ZERO:
        return p
    steps = book.near.floor(p / tick, "limit tick") if s > 0 else book.near.ceiling(p / tick, "limit tick")
    return tick * steps
