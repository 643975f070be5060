"""FIFO by hand, and the identities that no stream of fills may break."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.trades import fifo
from simulator.ledger import Ledger
from tests.backtest.books import hand_ledger


def test_a_sale_closes_the_oldest_lot_first() -> None:
    """Buy 10 at 100 (fee 1), buy 10 at 110 (fee 2), sell 15 at 120 (fee 3): 10·20 and 5·10, fees 1+2 and 1+1."""
    trades = fifo(hand_ledger([(0, 10, 100, 1), (1, 10, 110, 2), (2, -15, 120, 3)], marks=[100, 110, 120, 130]))
    assert trades.qty.tolist() == [10, 5, 5]
    assert trades.pnl_gross.tolist() == pytest.approx([200, 50, 100])
    assert trades.fees.tolist() == pytest.approx([1 + 2, 1 + 1, 1])
    assert trades.bars.tolist() == [2, 1, 2]
    assert trades.is_open.tolist() == [False, False, True]
    assert trades.exit_price.tolist() == [120, 120, 130]


def test_a_flip_closes_all_and_opens_the_rest_short() -> None:
    """Long 10 at 100, sell 25 at 90 (fee 5): the close bears 2, the short of 15 bears 3."""
    trades = fifo(hand_ledger([(0, 10, 100, 0), (1, -25, 90, 5)], marks=[100, 90, 80]))
    assert trades.side.tolist() == [1, -1]
    assert trades.pnl_net.tolist() == pytest.approx([-100 - 2, 150 - 3])
    assert trades.qty.tolist() == [10, 15]


def test_slippage_is_the_way_from_reference_to_fill() -> None:
    """Reference 100 and 110, filled at 101 and 108: gross 10 a share, slippage 3, net 7."""
    ledger = hand_ledger([(0, 4, 101, 0), (1, -4, 108, 0)], marks=[100, 110], refs=[100, 110])
    trades = fifo(ledger)
    assert (trades.pnl_gross[0], trades.slippage[0], trades.pnl_net[0]) == pytest.approx((40, 12, 28))


def test_no_fill_no_trade() -> None:
    assert len(fifo(hand_ledger([], marks=[100, 100]))) == 0


SIZES = [Fraction(text) for text in ("10", "-10", "2", "-30", "25", "-3.3", "7.7")]
RATIOS = [Fraction(text) for text in ("2", "3", "1/2", "1/10")]
FILL = st.tuples(st.integers(0, 2), st.sampled_from(SIZES), st.floats(1, 500), st.floats(0, 5), st.floats(0, 0.2))
SPLIT = st.tuples(st.integers(0, 2), st.sampled_from(RATIOS))
Event = tuple[int, Fraction, float, float, float] | tuple[int, Fraction]
Lot = tuple[Fraction, float]  # signed shares and price, of today


def book_of(events: list[Event], marks: list[float]) -> Ledger:
    """A bar for each event, a fill or a split, and one more at `marks`."""
    split = np.ones((len(events) + 1, 3))
    rows, refs, assets = [], [], []
    for bar, (asset, amount, *fill) in enumerate(events):
        if not fill:
            split[bar, asset] = float(amount)
            continue
        ref, fee, slip = fill
        rows.append((bar, float(amount), ref * (1 + slip if amount > 0 else 1 - slip), fee))
        refs.append(ref)
        assets.append(asset)
    return hand_ledger(rows, marks=[[1.0] * 3] * len(events) + [marks], refs=refs, assets=assets, split=split)


def lots_by_hand(events: list[Event]) -> list[list[Lot]]:
    """What is left of each asset by the rule of first in, first out, in exact fractions: the reference."""
    left: list[list[Lot]] = [[], [], []]
    for asset, amount, *fill in events:
        lots = left[asset]
        if not fill:
            left[asset] = [(qty * amount, price / float(amount)) for qty, price in lots]
            continue
        while amount and lots and lots[0][0] * amount < 0:
            qty, price = lots.pop(0)
            used = min(abs(qty), abs(amount)) * (1 if amount > 0 else -1)
            amount -= used
            if qty + used:
                lots.insert(0, (qty + used, price))
        if amount:
            ref, _, slip = fill
            lots.append((amount, ref * (1 + slip if amount > 0 else 1 - slip)))
    return left


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.lists(FILL | SPLIT, max_size=40), st.lists(st.floats(1, 500), min_size=3, max_size=3))
def test_what_is_realised_and_what_is_open_is_all_profit_and_all_cost(events: list[Event], marks: list[float]) -> None:
    """Σ net P&L of trades and open lots is the change of equity, their costs are those of the fills, over splits too.

    What is left is what first in, first out leaves, at the price that it was bought for: the basis of cost.
    """
    ledger = book_of(events, marks)
    trades, orders = fifo(ledger), ledger.orders
    traded = np.abs(orders.qty_filled * orders.price_fill).sum() + ledger.gross_value[-1]
    assert trades.pnl_net.sum() == pytest.approx(ledger.equity[-1] - 10_000, abs=1e-11 * (10_000 + traded))
    assert trades.fees.sum() == pytest.approx(orders.fee.sum(), abs=1e-12 * (1 + traded))
    assert trades.slippage.sum() == pytest.approx(orders.slippage.sum(), abs=1e-12 * (1 + traded))
    assert (trades.qty > 0).all() and (trades.bars >= 0).all()
    for asset, lots in enumerate(lots_by_hand(events)):
        mine = trades.is_open & (trades.asset == asset)
        found = zip((trades.side * trades.qty)[mine], trades.entry_price[mine], strict=True)
        assert [pytest.approx((float(qty), price), rel=1e-9, abs=1e-8) for qty, price in lots] == list(found)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(FILL | SPLIT, max_size=40))
def test_one_asset_never_has_long_and_short_lots_at_once(events: list[Event]) -> None:
    trades = fifo(book_of([(0, *event[1:]) for event in events], [1.0] * 3))
    assert len(set(trades.side[trades.is_open].tolist())) <= 1
