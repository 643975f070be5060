"""The configuration of a simulation, and the rules that given data cannot serve."""

from typing import Self

from pydantic import Field, model_validator

from marketdata.config_base import Part
from simulator.config_groups import EpisodeConfig, ExecConfig, FeesConfig, GuardsConfig, MarginConfig, SizingConfig


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
"""bps at 100 % of usual volume: what `auto` means where there is volume."""
AUTO_PARTICIPATION = 0.1
"""Fraction of usual volume, likewise."""
VWAP_FIELDS = (("vwap",), ("open", "high", "low", "close"))
"""The fill rule `vwap_window` needs one group of these."""


def data_faults(
    config: SimulatorConfig, fields: frozenset[str], adjustment: str, rate_columns: frozenset[str]
) -> dict[str, list[str]]:
    """Rules that the data cannot serve, by field name; empty when all is well. `fields` are the data's price fields."""
    faults = _field_faults(config, fields)
    if adjustment != "raw":
        faults |= _level_faults(config, adjustment)
    column = config.margin.cash_yield_column
    if column is not None and column not in rate_columns:
        known = ", ".join(sorted(rate_columns)) or "none"
        faults["margin.cash_yield_column"] = [f"This dataset has no rate column {column!r}; it has: {known}."]
    return faults


def _field_faults(config: SimulatorConfig, fields: frozenset[str]) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    execution = config.exec
    if execution.fill == "next_open" and "open" not in fields:
        faults["exec.fill"] = ["next_open needs opening prices, which this dataset lacks; use auto or next_close."]
    if execution.fill == "vwap_window" and not any(fields.issuperset(group) for group in VWAP_FIELDS):
        faults["exec.fill"] = [
            "vwap_window needs vwap, or open, high, low and close, which this dataset lacks; use auto."
        ]
    missing = [name for name in ("open", "high", "low") if name not in fields]
    if execution.order_type == "limit" and missing:
        faults["exec.order_type"] = [f"A limit order needs {', '.join(missing)}, which this dataset lacks; use market."]
    missing = [name for name in ("high", "low") if name not in fields]
    if execution.spread_source == "high_low" and missing:
        faults["exec.spread_source"] = [f"high_low needs {' and '.join(missing)}, which this dataset lacks; use fixed."]
    if "volume" not in fields:
        for name, value in (("impact_k", execution.impact_k), ("participation_cap", execution.participation_cap)):
            if value != "auto" and value != 0:
                faults[f"exec.{name}"] = [f"{name} needs volume, which this dataset lacks; use auto."]
    return faults


def _level_faults(config: SimulatorConfig, adjustment: str) -> dict[str, list[str]]:
    """A back-adjusted price level contains later corporate actions, so nothing may hang on its level.

    A preset leaves out what is charged by the share, and the report says so; asked for by itself it is refused.
    """
    said = f"raw prices, and this dataset's are adjusted ({adjustment})"
    fees, execution = config.fees, config.exec
    asked = {
        "exec.lot_size": (execution.lot_size, f"Lots need {said}; use 0."),
        "exec.tick_size": (execution.tick_size, f"Ticks need {said}; use 0."),
        "fees.commission_per_share": (fees.commission_per_share, f"A fee a share needs {said}; use 0."),
        "fees.regulatory_sell_fees": (
            fees.regulatory_sell_fees and fees.preset is None,
            f"FINRA's fee a share needs {said}; use false, or a preset, which leaves it out.",
        ),
    }
    return {name: [sentence] for name, (value, sentence) in asked.items() if value}
