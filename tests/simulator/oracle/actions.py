"""1.6, step C: per asset a split, then a dividend, then a delisting of bar f."""

from decimal import Decimal

from tests.simulator.oracle.book import Book, Fill, Order
from tests.simulator.oracle.numbers import ONE, ZERO


def act(book: Book, f: int) -> None:
    for a in book.assets():
        ratio = book.data.split[f][a]
        if ratio != 1:
            split(book, a, ratio)
        dividend = book.shares[a] * book.data.dividend[f][a]
        book.cash += dividend
        book.dividends += dividend
        if book.data.ended(f, a):
            delist(book, f, a)


def split(book: Book, a: int, ratio: Decimal) -> None:
    """q·s; entry price, mark, limits /s; orders' shares ·s. Fractions stay as odd shares."""
    book.shares[a] *= ratio
    book.entry[a] /= ratio
    mark = book.marks[a]
    book.marks[a] = None if mark is None else mark / ratio
    for order in book.live:
        if order.asset == a:
            for name in ("asked", "left", "filled", "funding_cut", "ratio"):
                setattr(order, name, getattr(order, name) * ratio)
            order.limit = None if order.limit is None else order.limit / ratio


def delist(book: Book, f: int, a: int) -> None:
    """Closed at m·(1 + delisting return), else longs at m·(1 − delist_loss), shorts at m; no fees; orders end."""
    for order in [o for o in book.live if o.asset == a]:
        book.end(order, "delisted")
    held = book.shares[a]
    if not held:
        return
    final = book.data.final_return[a]
    if final is None:
        final = -book.rules.delist_loss if held > 0 else ZERO
    price = book.mark(a) * (ONE + final)
    order = book.add(Order(a, f, f, -held, "delisted", mark=book.mark(a), equity=book.equity))
    traded = book.traded
    book.post(order, Fill(f, -held, price, price, ZERO, ZERO, ZERO))
    book.traded = traded
    order.reason = "delisted"
