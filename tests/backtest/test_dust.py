"""A book that is fully invested has a cash balance of 0 but for rounding, and no interest on it."""

from typing import Any

import numpy as np
import pytest

from backtest.baselines import Equal
from backtest.breakdown import costs_of
from backtest.config import BacktestConfig
from simulator.ledger import Ledger
from simulator.market import prepare_market
from tests.backtest.books import run_strategy
from tests.simulator.markets import random_bars


def book(seed: int, **margin: Any) -> Ledger:
    config = BacktestConfig.model_validate({
        "policy": "equal", "fees": {"taker_bps": 3.0}, "margin": {"cash_borrow_apr": 0.06, **margin},
        "exec": {"impact_k": 0.0, "participation_cap": 1.0},
    })  # fmt: skip
    return run_strategy(Equal(config), prepare_market(random_bars(seed, 200, 3), config), config, 20, 199)


def test_dust_earns_and_pays_nothing() -> None:
    books = [book(seed) for seed in range(6)]
    left = np.concatenate([one.cash[1:] for one in books])
    assert ((left != 0) & (np.abs(left) < 1e-6)).any(), "some balance is dust"
    for one in books:
        assert (one.interest == 0).all() and (one.financing == 0).all()
        assert costs_of(one, 252.0)[0][-1] == 0.0


def test_what_is_earned_stays() -> None:
    """All cash until the bar after the first decision, at 2 % a year by calendar days."""
    config = BacktestConfig(policy="equal")
    days = prepare_market(random_bars(1, 200, 3), config).arrays.year_fraction[20]
    assert book(1, cash_yield_apr=0.02).interest[1] == pytest.approx(100_000 * 0.02 * days)
