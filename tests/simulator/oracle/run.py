"""1.1 Clock: the oracle's loop over bars. Slow and obvious; one book, one asset at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from marketdata.bars import Bars
from tests.simulator.oracle.actions import act
from tests.simulator.oracle.book import Book, Order, Row
from tests.simulator.oracle.checks import check, liquidate, mark_to_close
from tests.simulator.oracle.data import Data
from tests.simulator.oracle.fills import fill_bar
from tests.simulator.oracle.financing import finance
from tests.simulator.oracle.layers import Targets, free_assets
from tests.simulator.oracle.numbers import dec
from tests.simulator.oracle.orders import decide
from tests.simulator.oracle.rules import OracleRules
from tests.simulator.oracle.waterfall import effects

Weights = list[float] | Callable[[list[int]], list[Decimal]] | None
"""Weights after 1.2.1, or a mapping of the free assets M to them, or nothing."""


@dataclass
class Result:
    """Rows t0..t1, orders in the order of their decision, effects by (bar, asset), and what was too near to tell."""

    rows: list[Row]
    orders: list[Order]
    waterfall: dict[tuple[int, int], dict[str, Decimal]]
    ended: str
    halted: bool
    bound: int
    near: list[str] = field(default_factory=list)
    book: Book | None = None


def simulate(bars: Bars, rules: OracleRules, decisions: dict[int, Weights], t0: int, t1: int) -> Result:
    """One book from all cash at the close of t0 to the mark of t1."""
    data = Data(bars)
    book = Book(rules, data, t0)
    rows, decided = [book.row()], []
    for t in range(t0, t1):
        if not book.ended:
            decided += decide_at(book, t, decisions.get(t))
            if data.session[t + 1] != data.session[t]:
                book.session_equity = book.equity
            finance(book, t)
            act(book, t + 1)
            fill_bar(book, t + 1)
            mark_to_close(book, t + 1)
            check(book, t + 1)
            if t + 1 == t1 and rules.liquidate_at_end and not book.ended:
                liquidate(book, t1)
        rows.append(book.row())
    waterfall = {
        (t, a): effects(targets, a, orders.get(a), unit) for t, targets, orders, units in decided
        for a, unit in units.items()
    }  # fmt: skip
    return Result(rows, book.orders, waterfall, book.ended, book.halted, book.bound, book.near.calls, book)


Decided = tuple[int, Targets, dict[int, Order], dict[int, Decimal]]


def decide_at(book: Book, t: int, wanted: Weights) -> list[Decided]:
    """Step A. Nothing where the strategy says nothing, equity is gone, the book is halted, or an order was forced."""
    if wanted is None or book.equity <= 0 or book.halted or book.issued_at == t:
        return []
    weights = wanted(free_assets(book, t)) if callable(wanted) else [dec(w) for w in wanted]
    targets, orders = decide(book, t, weights)
    units = {a: mark / book.equity for a, mark in enumerate(book.marks) if mark is not None}
    return [(t, targets, orders, units)]
