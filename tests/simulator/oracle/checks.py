"""1.7, step E: the mark, then ruin, stop, guards and margin; the first that matches wins."""

from decimal import Decimal

from tests.simulator.oracle.book import FLATTEN, Book, Fill, Order
from tests.simulator.oracle.numbers import DUST_SHARES, NEAR, ZERO, sign
from tests.simulator.oracle.prices import Quote, closing_quote, taker_quote


def mark_to_close(book: Book, t: int) -> None:
    """m = close where there is one; E = K + Σ q·m."""
    for a in book.assets():
        if book.data.has_bar(t, a):
            book.marks[a] = book.data.close[t][a]
    revalue(book)


def revalue(book: Book) -> None:
    book.equity = book.cash + sum((book.held(a) for a in book.assets()), ZERO)


def check(book: Book, t: int) -> None:
    """The checks at the close of t, on a marked book."""
    rules = book.rules
    book.peak = max(book.peak, book.equity)
    if abs(book.equity) < NEAR * rules.start_cash:
        book.near.calls.append("ruin")
    if book.equity <= 0:
        ruin(book, t)
    elif rules.policy and rules.stop_eq_frac > 0 and below(book, rules.stop_eq_frac * rules.start_cash, "stop"):
        stop(book, t)
    elif not book.halted:
        guard(book, t)


def below(book: Book, line: Decimal, what: str) -> bool:
    return book.near.less(book.equity, line, what)


def at_or_below(book: Book, line: Decimal, what: str) -> bool:
    return not book.near.less(line, book.equity, what)


def guard(book: Book, t: int) -> None:
    """1.7: 3 max_drawdown, 4 daily_loss_limit (the policy's), 5 margin (everybody's)."""
    rules, opened = book.rules, any(book.shares)
    drawdown, daily = rules.max_drawdown, rules.daily_loss_limit
    if rules.policy and drawdown is not None and at_or_below(book, (1 - drawdown) * book.peak, "drawdown"):
        book.halted = True
        flatten(book, t, "drawdown")
    elif rules.policy and daily is not None and opened and at_or_below(
        book, (1 - daily) * book.session_equity, "daily loss"
    ):  # fmt: skip
        flatten(book, t, "daily_loss")
    elif below(book, rules.maintenance_margin * book.gross(), "margin"):
        call_margin(book, t)


def flatten(book: Book, t: int, kind: str) -> None:
    """Every position to 0, odd shares too; an asset whose flattening waits is not asked twice."""
    waiting = {o.asset for o in book.live if o.kind in FLATTEN}
    wanted = {a: -book.shares[a] for a in book.assets() if book.shares[a] and a not in waiting}
    issue(book, t, kind, wanted, keep=FLATTEN)


def call_margin(book: Book, t: int) -> None:
    """1.7.5: every position shrinks by the fraction 1 − G·E/Γ, targets to lots toward zero."""
    factor = book.rules.max_gross_leverage * book.equity / book.gross()
    wanted = {}
    for a in book.assets():
        if book.shares[a] and not book.awaits_forced(a):
            target = book.near.lots(book.shares[a] * factor, book.rules.lot_size)
            wanted[a] = target - book.shares[a]
    issue(book, t, "margin", wanted, keep=(*FLATTEN, "margin"))


def issue(book: Book, t: int, kind: str, wanted: dict[int, Decimal], keep: tuple[str, ...]) -> None:
    """1.9 Forced trades: issuing cancels every other order and loses the decision of this close."""
    wanted = {a: qty for a, qty in wanted.items() if abs(qty) >= DUST_SHARES}
    if not wanted and not book.halted:
        return
    for order in [o for o in book.live if o.kind not in keep]:
        book.end(order, "cancelled")
    for a, qty in wanted.items():
        book.live.append(book.add(Order(a, t, t + 1, qty, kind, mark=book.mark(a), equity=book.equity)))
    book.issued_at, book.forced_since = t, True


def cancel_all(book: Book) -> None:
    for order in list(book.live):
        book.end(order, "cancelled")


def ruin(book: Book, t: int) -> None:
    """1.7.1: closed at the marks; equity stays where it is. Left out of what is traded (1.9 Metrics)."""
    cancel_all(book)
    book.ended, traded = "ruin", book.traded
    for a in book.assets():
        if book.shares[a]:
            close_out(book, t, a, "ruin", Quote(book.mark(a), book.mark(a), ZERO, ZERO))
    book.traded = traded


def stop(book: Book, t: int) -> None:
    """1.7.2: closed at the marks less half spread and fees, at the stale mark if halted."""
    cancel_all(book)
    book.ended = "stop"
    for a in book.assets():
        if book.shares[a]:
            close_out(book, t, a, "stop", closing_quote(book, t, a, book.mark(a), -sign(book.shares[a])))
    revalue(book)


def liquidate(book: Book, t: int) -> None:
    """1.1, 1.9: as forced orders at C_t1; without a close the position stays open."""
    wanted = [a for a in book.assets() if book.shares[a] and book.data.has_bar(t, a)]
    if wanted:
        cancel_all(book)
    for a in wanted:
        held = book.shares[a]
        close_out(book, t, a, "liquidate", taker_quote(book, t, a, book.mark(a), -sign(held), abs(held)))
    revalue(book)


def close_out(book: Book, t: int, a: int, kind: str, quote: Quote) -> None:
    x = -book.shares[a]
    order = book.add(Order(a, t, t, x, kind, mark=book.mark(a), equity=book.equity))
    slippage, spread = abs(x) * abs(quote.price - quote.ref), abs(x) * quote.spread
    book.post(order, Fill(t, x, quote.price, quote.ref, abs(x) * quote.fee, spread, slippage - spread))
    order.reason = kind
