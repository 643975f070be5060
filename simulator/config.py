"""What trading costs and what is allowed.

Rates are fractions a year unless a name ends in `_bps`; money is in the account's currency.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from marketdata.config_base import Part, knob, later, later_choices, off


class FeesConfig(Part):
    """Commissions and fees."""

    preset: Annotated[str | None, later(None, what="a cost preset")] = off(None, "A broker's schedule.")
    commission_per_share: float = knob(0.0, "Money a share.", unit="money/share", ge=0, le=100, advanced=True)
    commission_pct_notional: float = knob(
        0.0, "Fraction of the traded value.", unit="fraction", ge=0, le=0.2, advanced=True, title="Commission of value"
    )
    taker_bps: float = knob(1.0, "Fee of a market order, of the traded value.", unit="bps", ge=0, le=2000, title="Fee")
    maker_rebate_bps: Annotated[float, later(0.0, what="limit orders and their rebate")] = off(
        0.0, "Rebate of a resting order."
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
    regulatory_sell_fees: Annotated[bool, later(False, what="regulatory sell fees")] = off(
        False, "Dated rates on sells."
    )


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
    maintenance_margin: Annotated[float, later(0.0, what="a margin call")] = off(
        0.0, "Equity below this share of gross is called."
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


class ExecConfig(Part):
    """How orders become fills."""

    fill: Annotated[Literal["auto", "next_open", "next_close"], later_choices("vwap_window")] = knob(
        "auto",
        "Price of a fill: the next bar's open or close; auto takes the open where the data has one.",
        title="Fill",
    )
    order_type: Annotated[Literal["market", "limit"], later("market", what="a limit order")] = off(
        "market", "market or limit."
    )
    limit_offset_bps: Annotated[float, later(0.0, what="a limit order")] = off(
        0.0, "Distance of a limit from the mark."
    )
    half_spread_bps: float = knob(
        2.0, "Half of the bid-ask spread, paid on every fill.", unit="bps", ge=0, le=2000, title="Half spread"
    )
    spread_source: Annotated[str, later("fixed", what="the high-low spread")] = off("fixed", "fixed or high_low.")
    impact_k: Literal["auto"] | float = knob(
        "auto",
        "Square-root impact at 100 % of volume; auto is 100 where volume exists, else off.",
        unit="bps",
        title="Impact",
    )
    participation_cap: Literal["auto"] | float = knob(
        "auto", "Most of the usual volume that one bar's fills may take; auto is 0.1 where volume exists, else off.",
        unit="fraction", title="Participation cap",
    )  # fmt: skip
    adv_window: int = knob(
        20, "Bars over which usual volume is averaged.", unit="bars", ge=5, le=252, advanced=True, title="Volume window"
    )
    lot_size: float = knob(0.0, "Shares a lot; 0 allows fractions.", unit="shares", ge=0, le=1e6, advanced=True)
    tick_size: Annotated[float, later(0.0, what="a price tick")] = off(0.0, "Smallest price step.")
    min_order_notional: float = knob(
        0.0, "Orders worth less are dropped.", unit="money", ge=0, le=1e9, advanced=True, title="Least order"
    )
    latency_bars: Annotated[int, later(0, what="latency")] = off(0, "Bars between decision and order.")
    remainder: Annotated[str, later("drop", what="carrying a remainder")] = off("drop", "drop or carry.")
    delist_loss: Annotated[float, later(0.3, what="delisting")] = off(0.3, "Loss of a long position at a delisting.")
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
    min_hold_bars: Annotated[int, later(0, what="a minimum holding time")] = off(0, "Bars a position is kept.")
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
    daily_loss_limit: Annotated[float | None, later(None, what="the daily loss limit")] = off(
        None, "Loss in a session that flattens."
    )
    max_drawdown: Annotated[float | None, later(None, what="the drawdown guard")] = off(
        None, "Drawdown that flattens for good."
    )


class SizingConfig(Part):
    """Scaling of the policy's weights: off in this version."""

    kelly: Annotated[None, later(None, what="Kelly sizing")] = off(None, "Fraction of Kelly.")
    vol_target: Annotated[None, later(None, what="volatility targeting")] = off(None, "Annual volatility to aim at.")
    sizing_window: Annotated[int, later(60, what="sizing")] = off(60, "Bars of the estimate.")
    sizing_max: Annotated[float, later(1.0, what="sizing")] = off(1.0, "Largest factor.")


class SimulatorConfig(Part):
    """The groups that decide what a book does with a target."""

    fees: FeesConfig = Field(default_factory=FeesConfig)
    margin: MarginConfig = Field(default_factory=MarginConfig)
    exec: ExecConfig = Field(default_factory=ExecConfig)
    episode: EpisodeConfig = Field(default_factory=EpisodeConfig)
    guards: GuardsConfig = Field(default_factory=GuardsConfig)
    sizing: SizingConfig = Field(default_factory=SizingConfig)

    @model_validator(mode="after")
    def _mapping_fits(self) -> Self:
        if self.episode.mapping_mode == "tanh_leverage" and not self.margin.allow_short:
            raise ValueError("episode.mapping_mode tanh_leverage needs margin.allow_short: true")
        return self


AUTO_IMPACT_K = 100.0
AUTO_PARTICIPATION = 0.1


def data_faults(
    config: SimulatorConfig, fields: frozenset[str], adjustment: str, rate_columns: frozenset[str]
) -> dict[str, list[str]]:
    """Rules that the data cannot serve, by field name; empty when all is well. `fields` are the data's price fields.

    A back-adjusted price level contains later corporate actions, so nothing may hang on its level.
    """
    faults: dict[str, list[str]] = {}
    if config.exec.fill == "next_open" and "open" not in fields:
        faults["exec.fill"] = ["next_open needs opening prices, which this dataset lacks; use auto or next_close."]
    if "volume" not in fields:
        for name, value in (("impact_k", config.exec.impact_k), ("participation_cap", config.exec.participation_cap)):
            if value != "auto" and value != 0:
                faults[f"exec.{name}"] = [f"{name} needs volume, which this dataset lacks; use auto."]
    if adjustment != "raw":
        if config.exec.lot_size:
            faults["exec.lot_size"] = [f"Lots need raw prices, and this dataset's are adjusted ({adjustment}); use 0."]
        if config.fees.commission_per_share:
            faults["fees.commission_per_share"] = [
                f"A fee a share needs raw prices, and this dataset's are adjusted ({adjustment}); use 0."
            ]
    column = config.margin.cash_yield_column
    if column is not None and column not in rate_columns:
        known = ", ".join(sorted(rate_columns)) or "none"
        faults["margin.cash_yield_column"] = [f"This dataset has no rate column {column!r}; it has: {known}."]
    return faults
