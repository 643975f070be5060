"""The resolved numbers of a `SimulatorConfig`, flat, so that the compiled step can read them."""

from typing import NamedTuple

import numpy as np

from simulator.config import SimulatorConfig
from simulator.config_groups import BASIS_POINT
from simulator.market import Market

SIMPLEX_CASH, TANH_LEVERAGE, DISCRETE = 0, 1, 2
_MAPPINGS = {"simplex_cash": SIMPLEX_CASH, "tanh_leverage": TANH_LEVERAGE, "discrete": DISCRETE}


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
    impact_exponent: float
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
    policy_layers: bool  # mapping, sizing, step cap, hold, band, stop and guards bind only the policy
    # of the extended rules
    limit: bool  # orders carry a limit
    limit_offset: float
    maker_rate: float  # fee of a resting order, of the traded value; negative is a rebate
    tick: float  # 0: off
    carry: bool
    latency: int
    high_low: bool  # the half spread is a column of the market
    regulatory: bool
    delist_loss: float
    maintenance: float  # 0: off
    daily_loss: float  # 0: off
    max_drawdown: float  # 0: off
    min_hold: int  # 0: off
    kelly: float  # 0: off
    vol_target: float  # 0: off
    sizing_window: int
    sizing_max: float
    periods: float  # bars a year


def make_rules(config: SimulatorConfig, market: Market, *, policy_layers: bool) -> Rules:
    """Rules of `config` on `market`, whose data decided what `auto` means."""
    fees, margin, execution, episode = config.fees, config.margin, config.exec, config.episode
    guards, sizing = config.guards, config.sizing
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
        half_spread=execution.half_spread_bps * BASIS_POINT * times,
        impact=market.impact_k * BASIS_POINT * times,
        impact_exponent=execution.impact_exponent,
        participation=market.participation,
        needs_volume=market.needs_volume,
        fee_per_share=fees.commission_per_share * times,
        fee_rate=(fees.commission_pct_notional + fees.taker_bps * BASIS_POINT) * times,
        cash_yield=margin.cash_yield_apr,
        margin_rate=margin.cash_borrow_apr,
        short_rebate=margin.short_rebate_apr,
        borrow_fee=fees.borrow_fee_apr,
        stop_fraction=guards.stop_eq_frac,
        liquidate=execution.liquidate_at_end,
        policy_layers=policy_layers,
        limit=execution.order_type == "limit",
        limit_offset=execution.limit_offset_bps * BASIS_POINT,
        maker_rate=fees.commission_pct_notional * times - fees.maker_rebate_bps * BASIS_POINT,  # income: not multiplied
        tick=execution.tick_size,
        carry=execution.remainder == "carry",
        latency=execution.latency_bars,
        high_low=execution.spread_source == "high_low",
        regulatory=fees.regulatory_sell_fees,
        delist_loss=execution.delist_loss,
        maintenance=margin.maintenance_margin,
        daily_loss=(guards.daily_loss_limit or 0.0) if policy_layers else 0.0,
        max_drawdown=(guards.max_drawdown or 0.0) if policy_layers else 0.0,
        min_hold=episode.min_hold_bars if policy_layers else 0,
        kelly=0.0 if sizing.kelly is None or not policy_layers else sizing.kelly.fraction,
        vol_target=0.0 if sizing.vol_target is None or not policy_layers else sizing.vol_target.annual_vol,
        sizing_window=sizing.sizing_window,
        sizing_max=sizing.sizing_max,
        periods=market.periods_per_year,
    )


def is_extended(rules: Rules, market: Market) -> bool:
    """Whether a rule is on that the lean step leaves out."""
    on = (
        rules.limit, rules.tick > 0, rules.carry, rules.latency > 0, rules.high_low, rules.regulatory,
        rules.maintenance > 0, rules.daily_loss > 0, rules.max_drawdown > 0, rules.min_hold > 0, rules.kelly > 0,
        rules.vol_target > 0,
    )  # fmt: skip
    extra = market.extra
    return any(on) or bool(extra.acts.any()) or bool((extra.last_bar < market.n_bars).any())
