"""The resolved numbers of a `SimulatorConfig`, flat, so that the compiled step can read them."""

from typing import NamedTuple

import numpy as np

from simulator.config import SimulatorConfig
from simulator.market import Market

SIMPLEX_CASH, TANH_LEVERAGE, DISCRETE = 0, 1, 2
_MAPPINGS = {"simplex_cash": SIMPLEX_CASH, "tanh_leverage": TANH_LEVERAGE, "discrete": DISCRETE}

BPS = 1e-4


class Rules(NamedTuple):
    """Scalars of one simulation: weights in equity, rates as fractions (a year for financing), money."""

    mapping: int
    invest_max: float
    logit_scale: float
    allow_short: bool
    gross_cap: float
    net_cap: float
    position_cap: float
    step_cap: float  # inf: off
    band: float
    lot: float  # 0: fractional
    min_notional: float
    half_spread: float
    impact: float
    participation: float  # inf: off
    needs_volume: bool  # impact or participation is on
    fee_per_share: float
    fee_rate: float  # of the traded value
    cash_yield: float
    margin_rate: float
    short_rebate: float
    borrow_fee: float
    stop_fraction: float  # 0: off
    liquidate: bool
    policy_layers: bool  # mapping, step cap, band and stop bind only the policy


def make_rules(config: SimulatorConfig, market: Market, *, policy_layers: bool) -> Rules:
    """Rules of `config` on `market`, whose data decided what `auto` means."""
    fees, margin, execution, episode = config.fees, config.margin, config.exec, config.episode
    times = market.cost_multiplier
    return Rules(
        mapping=_MAPPINGS[episode.mapping_mode],
        invest_max=episode.invest_max,
        logit_scale=episode.logit_scale,
        allow_short=margin.allow_short,
        gross_cap=margin.max_gross_leverage,
        net_cap=margin.max_net_leverage,
        position_cap=margin.max_position_weight,
        step_cap=np.inf if episode.max_step_change is None else episode.max_step_change,
        band=episode.rebalance_eps,
        lot=execution.lot_size,
        min_notional=execution.min_order_notional,
        half_spread=execution.half_spread_bps * BPS * times,
        impact=market.impact_k * BPS * times,
        participation=market.participation,
        needs_volume=market.needs_volume,
        fee_per_share=fees.commission_per_share * times,
        fee_rate=(fees.commission_pct_notional + fees.taker_bps * BPS) * times,
        cash_yield=margin.cash_yield_apr,
        margin_rate=margin.cash_borrow_apr,
        short_rebate=margin.short_rebate_apr,
        borrow_fee=fees.borrow_fee_apr,
        stop_fraction=config.guards.stop_eq_frac,
        liquidate=execution.liquidate_at_end,
        policy_layers=policy_layers,
    )
