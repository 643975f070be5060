"""Every column of a trade by hand: of lots below a share, of open ones, and of one that was split while it was held.

Found by changing `backtest/trades.py` on purpose (`scripts/mutate.py`) without a test that noticed.
"""

import dataclasses

import numpy as np
import pytest

from backtest.trades import fifo
from tests.backtest.books import hand_ledger


def test_prices_and_bars_of_a_closed_and_an_open_trade() -> None:
    trades = fifo(hand_ledger([(1, 10, 100, 0), (2, -4, 110, 0)], marks=[90, 100, 110, 130]))
    assert trades.entry_price.tolist() == [100, 100] and trades.exit_price.tolist() == [110, 130]
    assert trades.entry_value.tolist() == [400, 600]
    assert trades.exit_bar.tolist() == [2, -1] and trades.is_open.tolist() == [False, True]
    assert trades.n_closed == 1


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_what_is_left_of_a_lot_below_a_share_keeps_its_side(side: float) -> None:
    """Half a share, an eighth of it closed, a quarter then: what stays open is an eighth on the same side."""
    fills = [(0, side * 0.5, 100, 0), (1, -side * 0.125, 110, 0), (2, -side * 0.25, 120, 0)]
    trades = fifo(hand_ledger(fills, marks=[100, 110, 120, 130]))
    assert trades.qty.tolist() == [0.125, 0.25, 0.125] and trades.side.tolist() == [side] * 3
    assert trades.pnl_gross.tolist() == pytest.approx([side * 1.25, side * 5.0, side * 3.75])


def test_a_trade_over_a_split_is_told_in_the_shares_of_its_end() -> None:
    """10 bought at 101 (reference 100), split two for one, 20 sold at 49 (reference 50).

    In new shares: 20 from 50.5 to 49; nothing made at the references, 20·½ and 20·1 of slippage.
    """
    ledger = hand_ledger([(1, 10, 101, 0), (3, -20, 49, 0)], marks=[100, 100, 50, 50], refs=[100, 50])
    trades = fifo(dataclasses.replace(ledger, split=np.array([[1.0], [1.0], [2.0], [1.0]])))
    assert trades.qty.tolist() == [20] and trades.entry_price.tolist() == [50.5]
    found = (trades.pnl_gross[0], trades.slippage[0], trades.pnl_net[0])
    assert found == pytest.approx((0.0, 30.0, -30.0), abs=1e-12)
