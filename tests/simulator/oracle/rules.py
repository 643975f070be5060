"""The settings of one simulation under the names of numbers.md, as plain numbers (the head of §1)."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.simulator.oracle.numbers import ONE, ZERO, dec


@dataclass(frozen=True)
class SellRate:
    """1.9 C, B: a regulatory rate of sells from a day on: of the traded value, and an amount per share."""

    since: dt.date
    of_value: Decimal = ZERO
    per_share: Decimal = ZERO


def _published(since: dt.date, dollars_a_million: str, taf: str) -> SellRate:
    return SellRate(since, Decimal(dollars_a_million) / 1_000_000, Decimal(taf))


US_SELL_RATES = (
    _published(dt.date(2019, 4, 16), "20.70", "0.000119"),
    _published(dt.date(2020, 2, 18), "22.10", "0.000119"),
    _published(dt.date(2021, 2, 25), "5.10", "0.000119"),
    _published(dt.date(2022, 1, 1), "5.10", "0.000130"),
    _published(dt.date(2022, 5, 14), "22.90", "0.000130"),
    _published(dt.date(2023, 1, 1), "22.90", "0.000145"),
    _published(dt.date(2023, 2, 27), "8.00", "0.000145"),
)
"""As published, for the days of the tests: the SEC fee of section 31 on value, FINRA trading activity fee a share."""


@dataclass(frozen=True)
class OracleRules:
    """Rates are fractions a year unless a name ends in `_bps`; None is off."""

    start_cash: Decimal = Decimal(100_000)
    # fees
    commission_per_share: Decimal = ZERO
    commission_bps: Decimal = ZERO
    taker_bps: Decimal = ZERO
    maker_rebate_bps: Decimal = ZERO
    sell_rates: tuple[SellRate, ...] = ()
    cost_multiplier: Decimal = ONE
    # margin
    allow_short: bool = False
    max_gross_leverage: Decimal = ONE
    max_net_leverage: Decimal = ONE
    max_position_weight: Decimal = ONE
    maintenance_margin: Decimal = ZERO
    cash_yield: Decimal = ZERO
    cash_yield_column: str | None = None
    margin_rate: Decimal = ZERO
    short_rebate: Decimal = ZERO
    borrow_fee: Decimal = ZERO
    # exec
    fill: str = "next_open"
    order_type: str = "market"
    limit_offset_bps: Decimal = ZERO
    half_spread_bps: Decimal = ZERO
    spread_source: str = "fixed"
    impact_k: Decimal = ZERO
    impact_exponent: Decimal = Decimal("0.5")
    participation_cap: Decimal | None = None
    adv_window: int = 20
    lot_size: Decimal = ZERO
    tick_size: Decimal = ZERO
    min_order_notional: Decimal = ZERO
    latency: int = 0
    remainder: str = "drop"
    delist_loss: Decimal = Decimal("0.3")
    liquidate_at_end: bool = False
    # layers of the policy
    layers: str = "policy"
    max_step_change: Decimal | None = None
    min_hold_bars: int = 0
    rebalance_eps: Decimal = ZERO
    kelly_fraction: Decimal | None = None
    vol_target: Decimal | None = None
    sizing_window: int = 60
    sizing_max: Decimal = ONE
    # guards
    stop_eq_frac: Decimal = ZERO
    daily_loss_limit: Decimal | None = None
    max_drawdown: Decimal | None = None

    @property
    def policy(self) -> bool:
        """1.2 Baselines: layers 1–4 and 6, stop and guards bind only the policy."""
        return self.layers == "policy"

    @property
    def uses_volume(self) -> bool:
        return self.impact_k > 0 or self.participation_cap is not None


def _optional(value: float | None) -> Decimal | None:
    return None if value is None else dec(value)


def rules_from(
    config: Any,
    fields: frozenset[str],
    *,
    layers: str,
    cost_multiplier: float = 1.0,
) -> OracleRules:
    """Rules of a `SimulatorConfig` on data with these fields: `auto` is what 1.3 "Reference price" says."""
    fees, margin, execution, episode = config.fees, config.margin, config.exec, config.episode
    guards, sizing = config.guards, config.sizing
    volume = "volume" in fields
    fill = execution.fill
    impact = (100.0 if volume else 0.0) if execution.impact_k == "auto" else execution.impact_k
    cap = (0.1 if volume else None) if execution.participation_cap == "auto" else execution.participation_cap
    return OracleRules(
        start_cash=dec(episode.start_cash),
        commission_per_share=dec(fees.commission_per_share),
        commission_bps=dec(fees.commission_pct_notional) * 10_000,
        taker_bps=dec(fees.taker_bps),
        maker_rebate_bps=dec(fees.maker_rebate_bps),
        sell_rates=US_SELL_RATES if fees.regulatory_sell_fees else (),
        cost_multiplier=dec(cost_multiplier),
        allow_short=margin.allow_short,
        max_gross_leverage=dec(margin.max_gross_leverage),
        max_net_leverage=dec(margin.max_net_leverage),
        max_position_weight=dec(margin.max_position_weight),
        maintenance_margin=dec(margin.maintenance_margin),
        cash_yield=dec(margin.cash_yield_apr),
        cash_yield_column=margin.cash_yield_column,
        margin_rate=dec(margin.cash_borrow_apr),
        short_rebate=dec(margin.short_rebate_apr),
        borrow_fee=dec(fees.borrow_fee_apr),
        fill=("next_open" if "open" in fields else "next_close") if fill == "auto" else fill,
        order_type=execution.order_type,
        limit_offset_bps=dec(execution.limit_offset_bps),
        half_spread_bps=dec(execution.half_spread_bps),
        spread_source=execution.spread_source,
        impact_k=dec(impact),
        impact_exponent=dec(execution.impact_exponent),
        participation_cap=_optional(cap),
        adv_window=execution.adv_window,
        lot_size=dec(execution.lot_size),
        tick_size=dec(execution.tick_size),
        min_order_notional=dec(execution.min_order_notional),
        latency=execution.latency_bars,
        remainder=execution.remainder,
        delist_loss=dec(execution.delist_loss),
        liquidate_at_end=execution.liquidate_at_end,
        layers=layers,
        max_step_change=_optional(episode.max_step_change),
        min_hold_bars=episode.min_hold_bars,
        rebalance_eps=dec(episode.rebalance_eps),
        kelly_fraction=None if sizing.kelly is None else dec(sizing.kelly.fraction),
        vol_target=None if sizing.vol_target is None else dec(sizing.vol_target.annual_vol),
        sizing_window=sizing.sizing_window,
        sizing_max=dec(sizing.sizing_max),
        stop_eq_frac=dec(guards.stop_eq_frac),
        daily_loss_limit=_optional(guards.daily_loss_limit),
        max_drawdown=_optional(guards.max_drawdown),
    )
