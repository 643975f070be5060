"""Each leaf of the simulator's groups changes what a book does: none is accepted and ignored."""

import dataclasses

import numpy as np
import pytest

from marketdata.bars import Delisting
from simulator.config import SimulatorConfig
from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.config.leaves import nested, offered
from tests.simulator.markets import random_bars

SHORT = {"margin.allow_short": True, "episode.mapping_mode": "tanh_leverage", "margin.max_gross_leverage": 2.0,
         "margin.max_net_leverage": 2.0}  # fmt: skip
LEVERED = {"episode.invest_max": 2.0, "margin.max_gross_leverage": 2.0, "margin.max_net_leverage": 2.0}
CALLED = LEVERED | {"episode.logit_scale": 50.0, "episode.invest_max": 6.0, "margin.max_gross_leverage": 6.0,
                    "margin.max_net_leverage": 6.0, "margin.max_position_weight": 6.0}  # fmt: skip
SIZED = {"sizing.sizing_window": 10}

# leaf -> (company of both configurations, value, other value)
CASES = {
    "fees.commission_per_share": ({}, 0.0, 0.01),
    "fees.commission_pct_notional": ({}, 0.0, 0.001),
    "fees.taker_bps": ({}, 0.0, 5.0),
    "fees.borrow_fee_apr": (SHORT, 0.0, 0.2),
    "fees.preset": ({}, None, "schwab"),
    "fees.maker_rebate_bps": ({"exec.order_type": "limit", "exec.limit_offset_bps": 5.0}, 0.0, 5.0),
    "fees.regulatory_sell_fees": ({}, False, True),
    "margin.maintenance_margin": (CALLED, 0.0, 0.16),
    "exec.order_type": ({}, "market", "limit"),
    "exec.limit_offset_bps": ({"exec.order_type": "limit"}, 0.0, 80.0),
    "exec.spread_source": ({}, "fixed", "high_low"),
    "exec.tick_size": ({}, 0.0, 0.05),
    "exec.latency_bars": ({}, 0, 1),
    "exec.remainder": (
        {"episode.start_cash": 1e7},
        "drop",
        "carry",
    ),
    "exec.delist_loss": ({}, 0.3, 0.6),
    "episode.min_hold_bars": ({}, 0, 10),
    "guards.daily_loss_limit": ({}, None, 0.005),
    "guards.max_drawdown": ({}, None, 0.02),
    "sizing.kelly.fraction": (SIZED, 0.05, 0.1),
    "sizing.vol_target.annual_vol": (SIZED, 0.05, 0.2),
    "sizing.sizing_window": (SIZED | {"sizing.vol_target.annual_vol": 0.1}, 5, 20),
    "sizing.sizing_max": (SIZED | {"sizing.vol_target.annual_vol": 3.0}, 0.5, 1.0),
    "margin.allow_short": ({"episode.mapping_mode": "discrete"}, False, True),
    "margin.max_gross_leverage": (LEVERED | {"margin.max_gross_leverage": 1.0}, 1.0, 2.0),
    "margin.max_net_leverage": (LEVERED, 2.0, 0.5),
    "margin.max_position_weight": ({}, 1.0, 0.2),
    "margin.cash_borrow_apr": (LEVERED, 0.0, 0.2),
    "margin.cash_yield_apr": ({}, 0.0, 0.1),
    "margin.cash_yield_column": ({}, None, "tbill"),
    "margin.short_rebate_apr": (SHORT, 0.0, 0.1),
    "exec.fill": ({}, "next_open", "next_close"),
    "exec.half_spread_bps": ({}, 0.0, 5.0),
    "exec.impact_k": ({}, 0.0, 100.0),
    "exec.impact_exponent": ({"exec.impact_k": 100.0}, 0.5, 1.0),
    "exec.participation_cap": ({"episode.start_cash": 1e6}, 0.5, 0.01),
    "exec.adv_window": ({}, 5, 20),
    "exec.lot_size": ({}, 0.0, 10.0),
    "exec.min_order_notional": ({}, 0.0, 5000.0),
    "exec.liquidate_at_end": ({}, False, True),
    "episode.start_cash": ({}, 1e4, 1e6),
    "episode.logit_scale": ({}, 5.0, 1.0),
    "episode.mapping_mode": ({"margin.allow_short": True}, "simplex_cash", "discrete"),
    "episode.invest_max": ({}, 1.0, 0.5),
    "episode.max_step_change": ({}, None, 0.05),
    "episode.rebalance_eps": ({}, 0.0, 0.1),
    "guards.stop_eq_frac": (LEVERED, 0.0, 0.95),
}
OF_TRAINING = {"episode.max_steps", "episode.randomize_start"}  # lengths and starts of episodes: tests/rl


def test_the_table_names_every_leaf():
    assert set(CASES) | OF_TRAINING == set(offered(SimulatorConfig))


def returns(config):
    bars = random_bars(5, 60, 3)
    bars.rates["tbill"] = np.full(60, 0.05)
    gone = bars.session[40]
    for column in (bars.open, bars.high, bars.low, bars.close, bars.volume):
        column[41:, 2] = np.nan
    bars = dataclasses.replace(bars, delistings={"S2": Delisting(gone.astype(object))})
    session = BookSession(prepare_market(bars, config), config, 6, 59)
    rng = np.random.default_rng(2)
    while not session.done:
        action = rng.uniform(-1, 1, 4)
        if config.episode.mapping_mode == "discrete":
            action = np.round(action + 1)
        session.step(action[: session.width] if session.t % 3 else None)  # what is carried lives where nothing is said
    ledger = session.ledger()
    return ledger.equity / ledger.equity[0]


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_leaf_changes_the_result(name):
    company, value, other = CASES[name]
    one, two = (returns(SimulatorConfig(**nested(company | {name: v}))) for v in (value, other))
    assert not np.allclose(one, two, rtol=1e-9, atol=0)
