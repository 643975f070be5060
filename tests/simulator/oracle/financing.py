"""1.5, step B: interest and loan fees for the time from the close of t to the close of t+1."""

from decimal import Decimal

from tests.simulator.oracle.book import Book
from tests.simulator.oracle.numbers import ZERO


def finance(book: Book, t: int) -> None:
    """On the balances at the close of t. ΔK = F·δ·(cash_yield or margin_rate) + S·δ·(short_rebate − borrow_fee);
    the loan fee is kept apart as `borrow`.
    """
    rules, years = book.rules, book.data.years[t]
    shorts = sum((-book.held(a) for a in book.assets() if book.shares[a] < 0), ZERO)
    funds = book.cash - shorts
    interest = funds * years * (earned_rate(book, t) if funds > 0 else rules.margin_rate)
    interest += shorts * years * rules.short_rebate
    borrow = -shorts * years * rules.borrow_fee
    book.cash += interest + borrow
    book.interest += interest
    book.borrow += borrow


def earned_rate(book: Book, t: int) -> Decimal:
    """1.9 C, B: row t of a rate column pays for (t, t+1)."""
    column = book.rules.cash_yield_column
    return book.rules.cash_yield if column is None else book.data.rates[column][t]
