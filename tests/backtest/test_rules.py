"""The rules of a report: whatever differs from its default is named, with its value."""

from typing import Any

import numpy as np
import pytest

from backtest.rules import MAIN, leaves, simulator_rules, title_of
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars

OTHER: dict[str, tuple[Any, str]] = {
    "fees.preset": ("schwab", "schwab"),
    "fees.commission_per_share": (0.0125, "0.0125 a share"),
    "fees.commission_pct_notional": (0.0031, "0.31 %"),
    "fees.taker_bps": (7.25, "7.25 bps"),
    "fees.maker_rebate_bps": (0.4, "0.4 bps"),
    "fees.borrow_fee_apr": (0.035, "3.5 % a year"),
    "fees.regulatory_sell_fees": (True, "yes"),
    "margin.allow_short": (True, "yes"),
    "margin.max_gross_leverage": (1.75, "1.75 × equity"),
    "margin.max_net_leverage": (1.3, "1.3 × equity"),
    "margin.max_position_weight": (0.22, "0.22 × equity"),
    "margin.maintenance_margin": (0.27, "27 %"),
    "margin.cash_borrow_apr": (0.085, "8.5 % a year"),
    "margin.cash_yield_apr": (0.015, "1.5 % a year"),
    "margin.cash_yield_column": ("tbill", "tbill"),
    "margin.short_rebate_apr": (0.0075, "0.75 % a year"),
    "exec.fill": ("vwap_window", "vwap_window"),
    "exec.order_type": ("limit", "limit"),
    "exec.limit_offset_bps": (12.5, "12.5 bps"),
    "exec.half_spread_bps": (3.5, "3.5 bps"),
    "exec.spread_source": ("high_low", "high_low"),
    "exec.impact_k": (55.0, "55 bps at 100 % of usual volume"),
    "exec.impact_exponent": (0.8, "0.8"),
    "exec.participation_cap": (0.035, "3.5 % of usual volume"),
    "exec.adv_window": (33, "33 bars"),
    "exec.lot_size": (100.0, "100 shares"),
    "exec.tick_size": (0.01, "0.01"),
    "exec.min_order_notional": (250.0, "250"),
    "exec.latency_bars": (2, "2 bars"),
    "exec.remainder": ("carry", "carry"),
    "exec.delist_loss": (0.55, "55 %"),
    "exec.liquidate_at_end": (True, "yes"),
    "episode.start_cash": (1_234_567.5, "1,234,567.5"),
    "episode.max_steps": (99, "99 bars"),
    "episode.randomize_start": (False, "no"),
    "episode.logit_scale": (6.5, "6.5"),
    "episode.mapping_mode": ("discrete", "discrete"),
    "episode.invest_max": (0.9, "0.9 × equity"),
    "episode.max_step_change": (0.125, "12.5 % of equity"),
    "episode.min_hold_bars": (17, "17 bars"),
    "episode.rebalance_eps": (0.02, "2 % of equity"),
    "guards.stop_eq_frac": (0.45, "45 %"),
    "guards.daily_loss_limit": (0.07, "7 %"),
    "guards.max_drawdown": (0.33, "33 %"),
    "sizing.kelly.fraction": (0.5, "50 %"),
    "sizing.vol_target.annual_vol": (0.1, "10 % a year"),
    "sizing.sizing_window": (44, "44 bars"),
    "sizing.sizing_max": (1.5, "1.5 ×"),
}


def market_of(config: SimulatorConfig, **kinds: Any) -> Market:
    import dataclasses

    closes = np.linspace(10.0, 12.0, 40)
    bars = make_bars(closes, open=closes, volume=np.full(40, 1e5), **kinds)
    return prepare_market(dataclasses.replace(bars, rates={"tbill": np.zeros(40)}), config)


def with_leaf(path: str, value: Any) -> SimulatorConfig:
    nested: Any = value
    for name in reversed(path.split(".")):
        nested = {name: nested}
    return SimulatorConfig.model_validate(nested)


def test_the_table_names_every_leaf() -> None:
    both = {path for path, *_ in leaves(SimulatorConfig())} - {"sizing.kelly", "sizing.vol_target"}
    assert set(OTHER) == both | {"sizing.kelly.fraction", "sizing.vol_target.annual_vol"}


@pytest.mark.parametrize("path", OTHER)
def test_what_is_not_at_its_default_is_told(path: str) -> None:
    value, text = OTHER[path]
    config = with_leaf(path, value)
    field = next(field for leaf, field, _ in leaves(config) if leaf == path)
    told = {rule.name: rule for rule in simulator_rules(config, market_of(config))}
    rule = told[title_of(path, field)]
    assert text in rule.text and rule.definition == field.description != ""


def test_at_the_defaults_the_main_rules_alone_are_told_with_what_auto_became() -> None:
    config = SimulatorConfig()
    told = {rule.name: rule.text for rule in simulator_rules(config, market_of(config))}
    assert len(told) == len(MAIN)
    assert told["Fill"] == "next bar's open (auto)" and told["Impact"] == "100 bps at 100 % of usual volume (auto)"
    assert told["Participation cap"] == "10 % of usual volume (auto)" and told["Half spread"] == "2 bps"


def test_a_preset_on_adjusted_prices_says_what_it_leaves_out() -> None:
    config = with_leaf("fees.preset", "schwab")
    told = [rule.text for rule in simulator_rules(config, market_of(config, adjustment="split"))]
    assert any("left out: prices are adjusted" in text for text in told)


def test_regulatory_fees_say_what_is_not_charged() -> None:
    config = with_leaf("fees.preset", "alpaca")
    told = [rule.text for rule in simulator_rules(config, market_of(config))]
    assert any("Consolidated Audit Trail (CAT) fee" in text and "maximum a trade" in text for text in told)
    plain = SimulatorConfig()
    assert not any("CAT" in rule.text for rule in simulator_rules(plain, market_of(plain)))
