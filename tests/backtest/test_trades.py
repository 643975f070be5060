"""FIFO by hand, and the identities that no stream of fills may break."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.trades import fifo
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


SIZE = st.sampled_from([-30.0, -10.0, -3.3, 2.0, 7.7, 10.0, 25.0])
FILL = st.tuples(
    st.integers(0, 2), SIZE, st.floats(1, 500), st.floats(0, 5), st.floats(0, 0.2)
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(FILL, max_size=40), st.lists(st.floats(1, 500), min_size=3, max_size=3))
def test_trades_and_open_lots_hold_all_profit_and_all_cost(
    fills: list[tuple[int, float, float, float, float]], marks: list[float]
) -> None:
    """Σ net P&L + open lots = -Σ q p - Σ fees + shares at the marks, whatever the order of buys and sells."""
    rows = [
        (k, qty, ref * (1 + slip if qty > 0 else 1 - slip), fee) for k, (_, qty, ref, fee, slip) in enumerate(fills)
    ]
    refs = [ref for _, _, ref, _, _ in fills]
    assets = [asset for asset, *_ in fills]
    ledger = hand_ledger(rows, marks=[[1.0] * 3] * len(rows) + [marks], refs=refs, assets=assets)
    trades, orders = fifo(ledger), ledger.orders
    held = np.bincount(orders.asset, orders.qty_filled, minlength=3) if len(rows) else np.zeros(3)
    gain = -(orders.qty_filled * orders.price_fill).sum() - orders.fee.sum() + (held * np.array(marks)).sum()
    scale = 1e-12 * (1 + np.abs(orders.qty_filled * orders.price_fill).sum())
    assert trades.pnl_net.sum() == pytest.approx(gain, abs=scale)
    assert trades.fees.sum() == pytest.approx(orders.fee.sum(), abs=scale)
    assert trades.slippage.sum() == pytest.approx(orders.slippage.sum(), abs=scale)
    lots = trades.is_open
    left = (
        np.bincount(trades.asset[lots], (trades.side * trades.qty)[lots], minlength=3) if len(trades) else np.zeros(3)
    )
    assert left == pytest.approx(held, abs=1e-8)
    assert (trades.qty > 0).all() and (trades.bars >= 0).all()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(FILL, max_size=40))
def test_one_asset_never_has_long_and_short_lots_at_once(fills: list[tuple[int, float, float, float, float]]) -> None:
    rows = [(k, qty, price, fee) for k, (_, qty, price, fee, _) in enumerate(fills)]
    trades = fifo(hand_ledger(rows, marks=[1.0] * (len(rows) + 1)))
    assert len(set(trades.side[trades.is_open].tolist())) <= 1
