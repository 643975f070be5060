"""Faults of the founding system that must not come back (the books): each was wrong there in the way told."""

import dataclasses

import numpy as np
import pytest

from simulator.config import SimulatorConfig
from simulator.engine import Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import prepare_market
from tests.simulator.markets import make_bars, no_cost

THOUSAND = {"start_cash": 1000.0}


def run(bars, config: SimulatorConfig, at: list[int], weights: list[list[float]]) -> Ledger:
    decisions = Decisions(np.array(at), np.array(weights, dtype=float))
    return run_decisions(prepare_market(bars, config), config, decisions, 0, bars.n_bars - 1)


def test_trap_5_a_book_whose_leverage_drifts_over_its_cap_goes_on() -> None:
    """There it ended the episode. 1500 of a stock on 1000 of equity, and the stock halves nearly, day by day.

    150 shares at 10, debt 500. At 8: 1200 − 500 = 700, leverage 1.71; at 7: 550, 1.91; at 6: 400, 2.25; back at 9: 850.
    """
    config = no_cost(margin={"max_gross_leverage": 1.5, "max_net_leverage": 1.5, "max_position_weight": 1.5,
                             "cash_borrow_apr": 0.0}, episode=THOUSAND)  # fmt: skip
    ledger = run(make_bars([10, 10, 8, 7, 6, 9, 9]), config, [0], [[1.5]])
    assert ledger.ended == "" and len(ledger.orders) == 1
    assert ledger.equity.tolist() == pytest.approx([1000, 1000, 700, 550, 400, 850, 850], abs=1e-9)
    assert ledger.gross[2:5].tolist() == pytest.approx([1200 / 700, 1050 / 550, 900 / 400], abs=1e-12)
    assert ledger.shares[1:, 0].tolist() == [150.0] * 6


def test_trap_9_the_volume_of_the_fill_bar_is_not_used() -> None:
    """There it was close × volume of the bar that fills at its open. Here 10 % of the mean of the bars before."""
    fills = []
    for volume in (0.0, 1000.0, 1e9):
        bars = make_bars(np.full(9, 10.0), volume=[1000.0] * 7 + [volume, 1000.0])
        config = no_cost(exec={"participation_cap": 0.1}, episode={"start_cash": 1e6})
        ledger = run(bars, config, [6], [[1.0]])
        fills.append(ledger.orders.qty_filled.tolist())
    assert fills == [[100.0]] * 3


def test_trap_10_half_of_the_spread_is_paid_on_each_side() -> None:
    """There all of it. 100 shares at 10 with a half spread of 50 bps: 10.05 in, 9.95 out, 1 % lost in all."""
    config = no_cost(exec={"half_spread_bps": 50.0}, episode={"start_cash": 1e6})
    ledger = run(make_bars([10.0] * 4), config, [0, 1], [[0.001], [0.0]])
    assert ledger.orders.price_fill.tolist() == pytest.approx([10.05, 9.95], abs=1e-12)
    assert ledger.equity[-1] == pytest.approx(1e6 - 100 * 0.10, abs=1e-9)


def test_trap_10_a_resting_limit_order_earns_the_makers_rebate() -> None:
    """There every fill was a taker's. A buy 1 % below 10 is touched through: 9.9, and 2 bps of it come back."""
    columns = {"open": [10.0, 10.0, 10.0], "high": [10.0, 10.0, 10.0], "low": [10.0, 9.8, 10.0]}
    bars = dataclasses.replace(
        make_bars([10.0] * 3, open=columns["open"]), **{k: np.array(v)[:, None] for k, v in columns.items()}
    )
    config = no_cost(fees={"taker_bps": 5.0, "maker_rebate_bps": 2.0}, episode=THOUSAND,
                     exec={"order_type": "limit", "limit_offset_bps": 100.0})  # fmt: skip
    orders = run(bars, config, [0], [[0.5]]).orders
    assert orders.price_fill.tolist() == pytest.approx([9.9], abs=1e-12)
    assert orders.fee.tolist() == pytest.approx([-50 * 9.9 * 2e-4], abs=1e-12)
