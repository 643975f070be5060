"""The books of one subject that was trained with several seeds: each is kept, and beside them what they add up to.

Figures are of each seed, so that no luck of one passes for the method's and no mixing of them for skill: the excess is
the mean over the seeds of the log growth of a bar, a metric the median of the seeds' own, wherever it stands: in the
figures, and in whatever is run again. Tables that need one account (curves, orders, trades, symbols) are of all books
added up, each with the whole start, and say so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from backtest.metrics import Metrics
from backtest.random_fund import add_up
from backtest.series import Floats, simple_returns
from simulator.ledger import Ledger


@dataclass(frozen=True)
class SeedBooks(Ledger):
    """All `books` added up; book k is that of `seeds[k]`."""

    books: tuple[Ledger, ...] = ()
    seeds: tuple[int, ...] = ()

    @classmethod
    def of(cls, books: Sequence[Ledger], seeds: Sequence[int]) -> Self:
        """Books of one range, one a seed, in the order of `seeds`."""
        whole = add_up(list(books))
        return cls(**{one.name: getattr(whole, one.name) for one in fields(Ledger)}, books=tuple(books),
                   seeds=tuple(seeds))  # fmt: skip


def books_of(ledger: Ledger) -> tuple[Ledger, ...]:
    """Each seed's book; the ledger itself of a subject without seeds."""
    return ledger.books if isinstance(ledger, SeedBooks) else (ledger,)


def returns_by_seed(ledger: Ledger) -> Floats:
    """Returns of a bar: (S, N) of S seeds, (N,) of a subject without seeds."""
    if not isinstance(ledger, SeedBooks):
        alone: Floats = simple_returns(ledger.equity)
        return alone
    return np.array([simple_returns(book.equity) for book in ledger.books])


def medians(by_seed: Sequence[Metrics]) -> Metrics:
    """The median of each metric over the seeds; None where one seed has none."""
    return {key: median([one[key] for one in by_seed]) for key in by_seed[0]}


def median(values: Sequence[float | None]) -> float | None:
    """Of the seeds' own figures; None where one seed has none."""
    known = [value for value in values if value is not None]
    return float(np.median(known)) if len(known) == len(values) else None


def medians_of(ledger: Ledger, figures: Callable[[Ledger], dict[str, float]]) -> dict[str, float]:
    """Figures of a book, or the median over the seeds of each of them; NaN where one has none."""
    books = books_of(ledger)
    if len(books) == 1:
        return figures(ledger)
    each = [figures(book) for book in books]
    return {key: float(np.median([one[key] for one in each])) for key in each[0]}
