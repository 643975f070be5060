"""The settings of design.md §4, all costs 0, so that the oracle runs without the product's configuration."""

from types import SimpleNamespace
from typing import Any

Groups = dict[str, dict[str, Any]]

DEFAULTS: Groups = {
    "fees": {
        "commission_per_share": 0.0, "commission_pct_notional": 0.0, "taker_bps": 0.0, "maker_rebate_bps": 0.0,
        "borrow_fee_apr": 0.0, "regulatory_sell_fees": False,
    },
    "margin": {
        "allow_short": False, "max_gross_leverage": 1.0, "max_net_leverage": 1.0, "max_position_weight": 1.0,
        "maintenance_margin": 0.0, "cash_borrow_apr": 0.0, "cash_yield_apr": 0.0, "cash_yield_column": None,
        "short_rebate_apr": 0.0,
    },
    "exec": {
        "fill": "next_close", "order_type": "market", "limit_offset_bps": 0.0, "half_spread_bps": 0.0,
        "spread_source": "fixed", "impact_k": 0.0,
        "impact_exponent": 0.5, "participation_cap": "auto", "adv_window": 20, "lot_size": 0.0,
        "tick_size": 0.0, "min_order_notional": 0.0, "latency_bars": 0, "remainder": "drop", "delist_loss": 0.3,
        "liquidate_at_end": False,
    },
    "episode": {
        "start_cash": 1000.0, "mapping_mode": "discrete", "logit_scale": 5.0, "invest_max": 1.0,
        "max_step_change": None, "min_hold_bars": 0, "rebalance_eps": 0.0,
    },
    "guards": {"stop_eq_frac": 0.0, "daily_loss_limit": None, "max_drawdown": None},
    "sizing": {"kelly": None, "vol_target": None, "sizing_window": 60, "sizing_max": 1.0},
}  # fmt: skip
"""Nothing costs anything: a case names what it is about."""


def merged(groups: Groups) -> Groups:
    return {name: {**fields, **groups.get(name, {})} for name, fields in DEFAULTS.items()}


def settings(groups: Groups) -> SimpleNamespace:
    """The same names as attributes, as `SimulatorConfig` has them."""
    found = {name: SimpleNamespace(**fields) for name, fields in merged(groups).items()}
    for name in ("kelly", "vol_target"):
        value = getattr(found["sizing"], name)
        if value is not None:
            setattr(found["sizing"], name, SimpleNamespace(**value))
    return SimpleNamespace(**found)
