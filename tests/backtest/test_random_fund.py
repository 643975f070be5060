"""Twenty random books as one fund: sums of money, no money between them, one seed."""

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.random_fund import BOOKS, RandomFund, add_up
from backtest.runner import run_with_spread
from backtest.trades import fifo
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars, random_bars

SETTINGS = BacktestConfig(policy="random", evaluation={"seed": 3})


@pytest.fixture(scope="module")
def market() -> Market:
    return prepare_market(random_bars(4, 120, 5), SETTINGS)


@pytest.fixture(scope="module")
def books(market: Market) -> list[Ledger]:
    return RandomFund(SETTINGS).books(market, SETTINGS, 10, 110)


def test_each_book_starts_with_a_twentieth(books: list[Ledger]) -> None:
    assert len(books) == BOOKS
    assert all(book.equity[0] == SETTINGS.episode.start_cash / BOOKS for book in books)
    assert len({book.equity[-1] for book in books}) == BOOKS


def test_the_fund_is_the_sum_of_its_books(books: list[Ledger]) -> None:
    fund = add_up(books)
    assert fund.equity == pytest.approx(sum(book.equity for book in books))
    held = np.where(fund.shares != 0, fund.shares * fund.marks, 0).sum(axis=1)
    assert fund.cash + held == pytest.approx(fund.equity, abs=1e-6)
    assert len(fund.orders) == sum(len(book.orders) for book in books)
    assert (np.diff(fund.orders.decided) >= 0).all()
    gain = fund.equity[-1] - fund.equity[0]
    assert fifo(fund).pnl_net.sum() + fund.financing[-1] == pytest.approx(gain, abs=1e-9 * fund.equity[0])


def test_weights_are_drawn_evenly_over_what_can_be_traded(market: Market) -> None:
    """Dirichlet(1): mean 1/A, variance (A-1)/(A²(A+1))."""
    rows = []
    for seed in range(40):
        for child in np.random.SeedSequence(seed).spawn(BOOKS):
            from backtest.random_fund import RandomBook

            rows.append(RandomBook(SETTINGS, child).shares_of(market, 20))
    drawn = np.array(rows)
    assert drawn.sum(axis=1) == pytest.approx(1)
    assert drawn.mean() == pytest.approx(0.2) and drawn.var() == pytest.approx(4 / (25 * 6), rel=0.05)


def test_the_seed_decides_and_nothing_else(market: Market, books: list[Ledger]) -> None:
    again = add_up(RandomFund(SETTINGS).books(market, SETTINGS, 10, 110))
    other = BacktestConfig(policy="random", evaluation={"seed": 4})
    different = add_up(RandomFund(other).books(market, other, 10, 110))
    assert np.array_equal(again.equity, add_up(books).equity)
    assert not np.array_equal(again.equity, different.equity)


def test_the_fund_as_a_whole_keeps_the_participation_cap() -> None:
    """One asset of 1,000 shares a bar: twenty books that all want it may take 100 of them together, as one book may."""
    market = prepare_market(make_bars([50.0] * 40, open=[50.0] * 40, volume=[1000.0] * 40), SETTINGS)
    orders = add_up(RandomFund(SETTINGS).books(market, SETTINGS, 10, 39)).orders
    filled = np.bincount(orders.filled[orders.filled >= 0], np.abs(orders.qty_filled[orders.filled >= 0]))
    assert filled.max() == pytest.approx(100)


def test_a_fill_pays_the_impact_of_all_books_together() -> None:
    """One asset of 1,000,000 shares a bar and all the money at 50: 2,000 shares, and 100 bps times √0.002."""
    market = prepare_market(make_bars([50.0] * 40, open=[50.0] * 40, volume=[1e6] * 40), SETTINGS)
    fund = add_up(RandomFund(SETTINGS).books(market, SETTINGS, 10, 39))
    first = fund.orders.filled == fund.orders.filled.min()
    shares = fund.orders.qty_filled[first].sum()
    assert shares == pytest.approx(2000, rel=0.01)
    assert fund.orders.impact[first].sum() / (shares * 50) == pytest.approx(100e-4 * np.sqrt(shares / 1e6), rel=1e-3)


def test_the_spread_stands_beside_the_fund(market: Market, books: list[Ledger]) -> None:
    ledger, spread = run_with_spread(RandomFund(SETTINGS), market, SETTINGS, 10, 110)
    totals = [book.equity[-1] / book.equity[0] - 1 for book in books]
    assert spread is not None
    assert (spread.books, spread.low, spread.high) == (BOOKS, min(totals), max(totals))
    assert spread.low < ledger.equity[-1] / ledger.equity[0] - 1 < spread.high
