"""The `random` baseline: twenty books of random weights as one fund that never moves money between them."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.baselines import Baseline
from backtest.config import JudgedConfig
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.ledger import Events, Ledger, Orders
from simulator.market import Market

Floats = NDArray[np.float64]

BOOKS = 20
SUMMED = ("equity", "cash", "gross_value", "net_value", "borrow", "interest", "dividends_by_asset")
STANDING = ("fees", "spread", "impact", "dividends", "shares")
"""What an event leaves standing until the next one."""


class RandomBook(Baseline):
    """At each monthly decision a fresh Dirichlet(1) draw over the assets that have a bar."""

    key = "random"

    def __init__(self, config: JudgedConfig, seed: np.random.SeedSequence) -> None:
        super().__init__(config)
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def shares_of(self, market: Market, t: int) -> Floats:
        drawn = self._generator.standard_exponential(market.n_assets) * market.offered[t]
        total = drawn.sum()
        weights: Floats = drawn / total if total > 0 else drawn
        return weights


class RandomFund:
    """Twenty books with a twentieth of the start each, seeds spawned from `evaluation.seed`, judged as their sum."""

    key = "random"
    layers = "mandate"

    def __init__(self, config: JudgedConfig) -> None:
        self._config = config

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """A draw has nothing to look at."""

    def books(self, market: Market, config: SimulatorConfig, t0: int, t1: int) -> list[Ledger]:
        """The twenty ledgers. Each trades in a twentieth of the volume, so that all of them together keep the cap and
        pay the impact of one book with all the money.
        """
        part = {"start_cash": config.episode.start_cash / BOOKS}
        small = config.model_copy(update={"episode": config.episode.model_copy(update=part)})
        seeds = np.random.SeedSequence(self._config.evaluation.seed).spawn(BOOKS)
        books = [RandomBook(self._config, seed) for seed in seeds]
        arrays = market.arrays._replace(usual_volume=market.arrays.usual_volume / BOOKS)
        share = dataclasses.replace(market, arrays=arrays)
        return [run_decisions(share, small, book.decisions(market, t0, t1), t0, t1) for book in books]

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        raise TypeError("the random fund is twenty books; run them with `books` and add them up with `add_up`")

    def decide(self, t: int, session: BookSession) -> None:
        raise TypeError("the random fund is twenty books; each has decisions of its own")


def add_up(ledgers: list[Ledger]) -> Ledger:
    """One ledger of a fund that holds these books of one range: money, shares and costs are sums, orders all orders."""

    def total(name: str) -> Floats:
        summed: Floats = np.sum([getattr(ledger, name) for ledger in ledgers], axis=0)
        return summed

    sums: dict[str, Any] = {name: total(name) for name in SUMMED}
    endings = {ledger.ended for ledger in ledgers}
    return dataclasses.replace(
        ledgers[0],
        **sums,
        events=add_events([ledger.events for ledger in ledgers]),
        orders=merge_orders([ledger.orders for ledger in ledgers]),
        bound=sum(ledger.bound for ledger in ledgers),
        ended=endings.pop() if len(endings) == 1 else "",
    )


def add_events(books: list[Events]) -> Events:
    """The events of all: in each of their rows the sum of what stands in every book."""
    row = np.unique(np.concatenate([book.row for book in books]))
    traded = np.zeros(len(row))
    for book in books:
        traded[np.searchsorted(row, book.row)] += book.traded
    latest = [np.searchsorted(book.row, row, side="right") - 1 for book in books]
    standing = {
        name: np.sum([getattr(book, name)[at] for book, at in zip(books, latest, strict=True)], axis=0)
        for name in STANDING
    }
    return Events(row=row, traded=traded, **standing)


def merge_orders(logs: list[Orders]) -> Orders:
    """All orders by the bar of their decision, within it in the order of the books."""
    names = Orders.__dataclass_fields__
    joined = {name: np.concatenate([getattr(log, name) for log in logs]) for name in names}
    order = np.argsort(joined["decided"], kind="stable")
    return Orders(**{name: column[order] for name, column in joined.items()})
