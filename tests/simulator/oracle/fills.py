"""1.3–1.4, step D: what trades in bar f, at which price, and how much of it can be paid for."""

from dataclasses import dataclass
from decimal import Decimal

from tests.simulator.oracle.book import Book, Fill, Order
from tests.simulator.oracle.numbers import DUST_SHARES, ONE, ZERO, sign
from tests.simulator.oracle.prices import Quote, better_open_quote, resting_quote, taker_quote


@dataclass
class Plan:
    """One order in the bar: unsigned shares toward 0 (x⁻) and beyond (x⁺), and its quote."""

    order: Order
    s: int
    toward: Decimal
    beyond: Decimal
    quote: Quote
    why: str


def fill_bar(book: Book, f: int) -> None:
    """All orders due in bar f, asset by asset, the older first."""
    refuse_after_flattening(book, f)
    plans: list[Plan] = []
    for a in book.assets():
        plans += plans_of(book, f, a)
    share = funding(book, plans, f)
    for plan in plans:
        execute(book, f, plan, share)


def due_orders(book: Book, f: int) -> list[Order]:
    return [o for o in book.live if o.due <= f]


def refuse_after_flattening(book: Book, f: int) -> None:
    """1.7.4, 1.9 Forced trades: no other fill in the session in which the daily loss limit's flattening fills."""
    session = book.data.session[f]
    due = due_orders(book, f)
    if any(o.kind == "daily_loss" and book.data.reference(f, o.asset, book.rules.fill) is not None for o in due):
        book.flat_session = session
    if book.flat_session == session:
        for order in due:
            if order.kind != "daily_loss":
                book.end(order, "halted")


def plans_of(book: Book, f: int, a: int) -> list[Plan]:
    rest, used = book.shares[a], ZERO
    plans = []
    for order in [o for o in due_orders(book, f) if o.asset == a]:
        order.funding_cut = ZERO
        plan = plan_of(book, f, order, rest, used)
        if isinstance(plan, str):
            unfilled(book, order, plan)
            continue
        rest += plan.s * plan.toward
        used += plan.toward + plan.beyond
        plans.append(plan)
    return plans


def unfilled(book: Book, order: Order, why: str) -> None:
    """1.3 Tradable: the order drops, or waits with `remainder: carry`; a forced order is tried again (1.7)."""
    order.reason = why
    if not order.forced and book.rules.remainder != "carry":
        book.end(order, why)


def plan_of(book: Book, f: int, order: Order, rest: Decimal, used: Decimal) -> Plan | str:
    """What the order can do in bar f before funding, or why it can do nothing."""
    rules, a, s, why = book.rules, order.asset, sign(order.left), "filled"
    why_not = obstacle(book, f, order)
    if why_not:
        return why_not
    size = abs(order.left)
    if rules.participation_cap is not None and not order.forced:
        usual = book.data.usual_volume(f, a, rules.adv_window)
        assert usual is not None
        room = max(ZERO, rules.participation_cap * usual - used)
        if book.near.less(room, size, "participation"):
            size, why = abs(book.near.lots(room, rules.lot_size)), "participation"
    toward = min(size, abs(rest)) if s * sign(rest) < 0 else ZERO
    beyond = size - toward
    if s < 0 and not rules.allow_short and beyond > 0:
        # 1.9 Orders: without allow_short the x⁺ of a sell is 0 and dropped, never carried.
        order.left += beyond
        beyond, why = ZERO, "no_short"
    if toward + beyond < DUST_SHARES:
        return why
    return Plan(order, s, toward, beyond, quote_of(book, f, order, toward + beyond), why)


def obstacle(book: Book, f: int, order: Order) -> str:
    """1.3 Tradable in f, and 1.3 Limit order: the bar must trade through; "" when nothing is in the way."""
    data, a = book.data, order.asset
    fields = [data.open[f][a], data.high[f][a], data.low[f][a]]
    if order.limit is None:
        fields = [data.reference(f, a, book.rules.fill)]
    if None in fields:
        return "untradable"
    if book.rules.uses_volume and not order.forced and not data.usual_volume(f, a, book.rules.adv_window):
        return "no_volume"
    if order.limit is not None and not touched(book, f, order):
        return "untouched"
    return ""


def better_open(book: Book, f: int, order: Order) -> bool:
    opened, limit = book.data.open[f][order.asset], order.limit
    assert opened is not None and limit is not None
    if order.left > 0:
        return book.near.less(opened, limit, "open at limit")
    return book.near.less(limit, opened, "open at limit")


def touched(book: Book, f: int, order: Order) -> bool:
    high, low, limit = book.data.high[f][order.asset], book.data.low[f][order.asset], order.limit
    assert high is not None and low is not None and limit is not None
    if better_open(book, f, order):
        return True
    return book.near.less(low, limit, "limit") if order.left > 0 else book.near.less(limit, high, "limit")


def quote_of(book: Book, f: int, order: Order, size: Decimal) -> Quote:
    s = sign(order.left)
    if order.limit is not None:
        if better_open(book, f, order):
            return better_open_quote(book, f, order.asset, s, size, order.limit)
        return resting_quote(book, f, order.limit, s)
    ref = book.data.reference(f, order.asset, book.rules.fill)
    assert ref is not None
    return taker_quote(book, f, order.asset, ref, s, size)


def funding(book: Book, plans: list[Plan], f: int) -> Decimal:
    """1.4: the share λ of all increases that can be paid for, everything valued at p°."""
    g, e = book.rules.max_gross_leverage, book.cash
    kept = more = dear = ZERO
    for a in book.assets():
        mine = [plan for plan in plans if plan.order.asset == a]
        if not mine and not book.shares[a]:
            continue
        value = value_of(book, f, a, mine)
        e += book.shares[a] * value
        kept += abs(book.shares[a] + sum((plan.s * plan.toward for plan in mine), ZERO)) * value
        for plan in mine:
            cost = plan.quote.fee + abs(plan.quote.price - plan.quote.ref)
            e -= cost * plan.toward
            more += plan.beyond * plan.quote.ref
            dear += cost * plan.beyond
    if more == 0:
        return ONE
    raw = (g * e - kept) / (more + g * dear)
    book.near.less(raw, ONE, "funding")
    return max(ZERO, min(ONE, raw))


def value_of(book: Book, f: int, a: int, plans: list[Plan]) -> Decimal:
    """p° of an asset: its own (oldest) fill's, else the fill rule's reference, else the mark (1.9 Orders)."""
    if plans:
        return plans[0].quote.ref
    reference = book.data.reference(f, a, book.rules.fill)
    return book.mark(a) if reference is None else reference


def execute(book: Book, f: int, plan: Plan, share: Decimal) -> None:
    """1.9 Orders: fill = x⁻ + (λx⁺, to lots toward zero if λ < 1); `carry` keeps what the cap or λ cut."""
    order, quote = plan.order, plan.quote
    beyond = plan.beyond if share == 1 else book.near.lots(share * plan.beyond, book.rules.lot_size)
    why = "funding" if plan.beyond - beyond > DUST_SHARES else plan.why
    order.funding_cut = plan.beyond - beyond
    x = plan.toward + beyond
    if x >= DUST_SHARES:
        slippage = x * abs(quote.price - quote.ref)
        spread = min(slippage, x * quote.spread)  # a limit may cut into the spread
        book.post(order, Fill(f, plan.s * x, quote.price, quote.ref, x * quote.fee, spread, slippage - spread))
        book.forced_since |= order.forced
    order.reason = why
    carried = book.rules.remainder == "carry" and abs(order.left) >= DUST_SHARES
    if order.forced or not carried:
        book.end(order, why)
