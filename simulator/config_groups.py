"""The groups of a simulation's configuration: what trading costs and what is allowed.

Rates are fractions a year unless a name ends in `_bps`; money is in the account's currency.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from marketdata.config_base import Part, knob, later, off
from simulator.presets import PRESETS

if TYPE_CHECKING:
    Preset = str
else:
    Preset = Literal[tuple(PRESETS)]

BASIS_POINT = 1e-4
"""What a field that ends in `_bps` counts, as a fraction."""
CAP_SLACK = 1e-9
"""By which a weight or a sum of weights may pass its cap: rounding."""


class FeesConfig(Part):
    """Commissions and fees."""

    preset: Preset | None = knob(
        None, "A broker's schedule in place of the fees below; empty leaves them as they are.", title="Fee preset"
    )
    commission_per_share: float = knob(0.0, "Money a share.", unit="money/share", ge=0, le=100, advanced=True)
    commission_pct_notional: float = knob(
        0.0, "Fraction of the traded value.", unit="fraction", ge=0, le=0.2, advanced=True, title="Commission of value"
    )
    taker_bps: float = knob(1.0, "Fee of a market order, of the traded value.", unit="bps", ge=0, le=2000, title="Fee")
    maker_rebate_bps: float = knob(
        0.0,
        "Rebate of a limit order that rested in the book, of the traded value.",
        unit="bps",
        ge=0,
        le=100,
        advanced=True,
        title="Maker rebate",
    )
    borrow_fee_apr: float = knob(
        0.0,
        "What a short position pays for the loan.",
        unit="fraction/year",
        ge=0,
        le=10,
        advanced=True,
        title="Borrow fee",
    )
    regulatory_sell_fees: bool = knob(
        False,
        "The SEC's and FINRA's fees on sales of US shares, as of the day of the fill, without a maximum; no CAT fee.",
        advanced=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _preset_fills(cls, values: Any) -> Any:
        """A preset's numbers in place of defaults; the resolved group says both, so that it reads back the same."""
        name = values.get("preset") if isinstance(values, dict) else None
        if not isinstance(name, str) or name not in PRESETS:
            return values  # for its field to judge
        schedule = PRESETS[name].values()
        for field, value in schedule.items():
            given = values.get(field, value)
            if _plain(given) not in (value, cls.model_fields[field].default):
                raise ValueError(f"{field} {given} differs from the preset {name}, which sets {value}; leave one")
        return values | schedule


def _plain(value: Any) -> Any:
    """The number that a form's text stands for; anything else as it is, for its field to judge."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


class MarginConfig(Part):
    """What may be held, and what money costs."""

    allow_short: bool = knob(False, "Whether a position may be negative.", advanced=True)
    max_gross_leverage: float = knob(
        1.0,
        "Most that all positions together may be worth, in equity.",
        unit="× equity",
        gt=0,
        le=20,
        title="Gross limit",
    )
    max_net_leverage: float = knob(
        1.0,
        "Most that longs less shorts may be worth, in equity.",
        unit="× equity",
        gt=0,
        le=20,
        advanced=True,
        title="Net limit",
    )
    max_position_weight: float = knob(
        1.0, "Most that one position may be worth, in equity.", unit="× equity", gt=0, le=20, title="Position limit"
    )
    maintenance_margin: float = knob(
        0.0,
        "Equity below this share of gross brings a margin call; 0 is off.",
        unit="fraction",
        ge=0,
        le=20,
        advanced=True,
        title="Maintenance margin",
    )
    cash_borrow_apr: float = knob(
        0.06, "Interest on borrowed cash.", unit="fraction/year", ge=0, le=10, advanced=True, title="Cash borrow rate"
    )
    cash_yield_apr: float = knob(0.0, "Interest on idle cash.", unit="fraction/year", ge=0, le=10, title="Cash yield")
    cash_yield_column: str | None = knob(
        None,
        "A rate column of the dataset in place of cash_yield_apr.",
        advanced=True,
        max_length=64,
        title="Cash yield column",
    )
    short_rebate_apr: float = knob(
        0.0, "Interest on short proceeds.", unit="fraction/year", ge=0, le=10, advanced=True, title="Short rebate"
    )

    @model_validator(mode="after")
    def _call_before_the_cap(self) -> Self:
        if self.maintenance_margin * self.max_gross_leverage >= 1:
            raise ValueError(
                f"maintenance_margin {self.maintenance_margin:g} must lie below 1/max_gross_leverage, "
                f"{1 / self.max_gross_leverage:g}, or a book within its limits would be called"
            )
        return self


class ExecConfig(Part):
    """How orders become fills."""

    fill: Literal["auto", "next_open", "next_close", "vwap_window"] = knob(
        "auto",
        "Price of a fill: the next bar's open, close or average; auto takes the open where the data has one.",
        title="Fill",
    )
    order_type: Literal["market", "limit"] = knob(
        "market", "Orders at the market, or at a limit that the bar must trade through.", title="Order type"
    )
    limit_offset_bps: float = knob(
        0.0,
        "How far below the mark a limit buys, and above it sells.",
        unit="bps",
        ge=0,
        le=5000,
        advanced=True,
        title="Limit offset",
    )
    half_spread_bps: float = knob(
        2.0, "Half of the bid-ask spread, paid on every fill.", unit="bps", ge=0, le=2000, title="Half spread"
    )
    spread_source: Literal["fixed", "high_low"] = knob(
        "fixed",
        "The half spread as given, or estimated from highs and lows with the given one as its floor.",
        advanced=True,
        title="Spread source",
    )
    impact_k: Literal["auto"] | float = knob(
        "auto",
        "Impact at 100 % of volume; auto is 100 where volume exists, else off.",
        unit="bps",
        title="Impact",
    )
    impact_exponent: float = knob(
        0.5,
        "How impact grows with the share of volume: 0 is constant, 0.5 its square root, 1 linear, 2 quadratic.",
        ge=0,
        le=2,
        advanced=True,
        title="Impact exponent",
    )
    participation_cap: Literal["auto"] | float = knob(
        "auto", "Most of the usual volume that one bar's fills may take; auto is 0.1 where volume exists, else off.",
        unit="fraction", title="Participation cap",
    )  # fmt: skip
    adv_window: int = knob(
        20, "Bars over which usual volume is averaged.", unit="bars", ge=5, le=252, advanced=True, title="Volume window"
    )
    lot_size: float = knob(0.0, "Shares a lot; 0 allows fractions.", unit="shares", ge=0, le=1e6, advanced=True)
    tick_size: float = knob(
        0.0,
        "Smallest price step, rounded against the order; 0 is off.",
        unit="money",
        ge=0,
        le=1e3,
        advanced=True,
        title="Tick",
    )
    min_order_notional: float = knob(
        0.0, "Orders worth less are dropped.", unit="money", ge=0, le=1e9, advanced=True, title="Least order"
    )
    latency_bars: int = knob(
        0,
        "Bars that pass before an order reaches the market.",
        unit="bars",
        ge=0,
        le=20,
        advanced=True,
        title="Latency",
    )
    remainder: Literal["drop", "carry"] = knob(
        "drop",
        "What did not fill is dropped, or carried until the next decision.",
        advanced=True,
        title="Remainder",
    )
    delist_loss: float = knob(
        0.3,
        "Loss of a long position at a delisting whose last payment is not recorded.",
        unit="fraction",
        ge=0,
        le=1,
        advanced=True,
        title="Delisting loss",
    )
    liquidate_at_end: bool = knob(False, "Sell everything at the last close, with costs.", advanced=True)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.impact_k != "auto" and not 0 <= self.impact_k <= 10_000:
            raise ValueError("impact_k must be auto or lie between 0 and 10000")
        if self.participation_cap != "auto" and not 0 < self.participation_cap <= 1:
            raise ValueError("participation_cap must be auto or lie above 0 and up to 1")
        return self


class EpisodeConfig(Part):
    """The book and how an action becomes a target."""

    start_cash: float = knob(100_000.0, "Money at the start.", unit="money", gt=0, le=1e12, title="Start cash")
    max_steps: int = knob(
        252,
        "Bars of a training episode; evaluation always runs to the end.",
        unit="bars",
        ge=2,
        le=100_000,
        title="Episode length",
    )
    randomize_start: bool = knob(True, "Start training episodes at random bars.", advanced=True)
    logit_scale: float = knob(5.0, "Scale of an action before the softmax.", gt=0, le=50, advanced=True)
    mapping_mode: Literal["simplex_cash", "tanh_leverage", "discrete"] = knob(
        "simplex_cash", "How an action becomes weights.", title="Action mapping"
    )
    start_weights: Annotated[None, later(None, what="a starting portfolio")] = off(None, "Weights at the start.")
    invest_max: float = knob(
        1.0, "Most that is invested.", unit="× equity", gt=0, le=20, advanced=True, title="Invested at most"
    )
    max_step_change: float | None = knob(
        None,
        "Most that a target weight may move in one bar; empty is no cap.",
        unit="weight",
        gt=0,
        le=40,
        title="Step limit",
    )
    min_hold_bars: int = knob(
        0,
        "Bars for which a position may grow but not shrink; 0 is off.",
        unit="bars",
        ge=0,
        le=10_000,
        advanced=True,
        title="Least holding time",
    )
    rebalance_eps: float = knob(
        0.0,
        "Targets nearer than this to the weight held make no order.",
        unit="weight",
        ge=0,
        le=1,
        title="No-trade band",
    )


class GuardsConfig(Part):
    """What ends or halts a book."""

    stop_eq_frac: float = knob(0.0, "The policy stops when equity falls below this share of the start; 0 is off.",
                               unit="fraction", ge=0, lt=1, advanced=True, title="Stop at")  # fmt: skip
    daily_loss_limit: float | None = knob(
        None,
        "Loss since the last session's close at which the policy sells all; empty is off.",
        unit="fraction",
        gt=0,
        lt=1,
        advanced=True,
        title="Daily loss limit",
    )
    max_drawdown: float | None = knob(
        None,
        "Fall from the highest equity at which the policy sells all and stays out; empty is off.",
        unit="fraction",
        gt=0,
        lt=1,
        advanced=True,
        title="Drawdown limit",
    )


class KellyConfig(Part):
    """Weights scaled by the growth-optimal factor of the estimate."""

    fraction: float = knob(0.5, "Part of the growth-optimal size.", unit="fraction", gt=0, le=2, title="Kelly fraction")


class VolTargetConfig(Part):
    """Weights scaled to a volatility."""

    annual_vol: float = knob(0.1, "Volatility to aim at.", unit="fraction/year", gt=0, le=5, title="Target volatility")


class SizingConfig(Part):
    """Scaling of the policy's weights; off unless one of the two is given."""

    kelly: KellyConfig | None = Field(None, description="Scale by a fraction of Kelly's factor; empty is off.")
    vol_target: VolTargetConfig | None = Field(None, description="Scale to a volatility; empty is off.")
    sizing_window: int = knob(
        60, "Bars of returns behind the estimate.", unit="bars", ge=2, le=1000, advanced=True, title="Sizing window"
    )
    sizing_max: float = knob(1.0, "Largest factor.", unit="×", gt=0, le=10, advanced=True, title="Largest factor")

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.kelly is not None and self.vol_target is not None:
            raise ValueError("kelly.fraction and vol_target.annual_vol exclude each other; leave one of them empty")
        return self
