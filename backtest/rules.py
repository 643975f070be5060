"""Parts of a configuration in words: the main rules, and every other one that is not at its default."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from marketdata.config_base import is_later
from runfiles.figures import minus
from simulator.config import SimulatorConfig
from simulator.market import Market

MAIN = frozenset({
    "fees.taker_bps", "fees.borrow_fee_apr", "margin.allow_short", "margin.max_gross_leverage",
    "margin.max_position_weight", "margin.cash_borrow_apr", "margin.cash_yield_apr", "exec.fill",
    "exec.half_spread_bps", "exec.impact_k", "exec.participation_cap", "exec.latency_bars", "episode.start_cash",
})  # fmt: skip
"""Rules that are told whatever they are."""

FILLS = {
    "next_open": "next bar's open",
    "next_close": "next bar's close",
    "vwap_window": "next bar's average price: its vwap, else the mean of open, high, low and close (vwap_window)",
}
PER_CENT = {"fraction": "%", "fraction/year": "% a year", "weight": "% of equity"}
WORDS = {"money": "", "money/share": "a share"}
NOT_CHARGED = (
    "; not charged: the maximum a trade of FINRA's Trading Activity Fee, rounding up to cents, and the Consolidated "
    "Audit Trail (CAT) fee, which brokers such as Alpaca pass on for buys and sells"
)
"""Beside the regulators' fees on sales."""
BY_THE_SHARE = frozenset({"fees.commission_per_share", "fees.regulatory_sell_fees"})

TRADING = "Trading"


@dataclass(frozen=True)
class Rule:
    """`definition` says what the name means, empty where the text says it; `group` is its heading."""

    name: str
    text: str
    definition: str
    group: str


def simulator_rules(config: SimulatorConfig, market: Market) -> list[Rule]:
    """The main rules and all that differ from their default, in the order of the configuration."""
    return [
        Rule(title_of(path, field), _text(path, field, value, market), field.description or "", TRADING)
        for path, field, value in leaves(config)
        if path in MAIN or value != field.get_default(call_default_factory=True)
    ]


def part_rules(
    name: str, part: BaseModel, group: str, *, always: frozenset[str] = frozenset(), leave: frozenset[str] = frozenset()
) -> list[Rule]:
    """Leaves of a group of a configuration that are not at their default, and those of `always`; `leave` are told
    elsewhere. Both by dotted path.
    """
    return [
        Rule(title_of(path, field), value_text(value, _unit(field)), field.description or "", group)
        for path, field, value in _leaves(name, part)
        if path not in leave and (path in always or value != field.get_default(call_default_factory=True))
    ]


def leaves(config: SimulatorConfig) -> Iterator[tuple[str, FieldInfo, Any]]:
    """(dotted path, field, value) of each leaf of the simulator's groups; those of a group that is off are left out."""
    for name in SimulatorConfig.model_fields:
        yield from _leaves(name, getattr(config, name))


def _leaves(path: str, group: BaseModel) -> Iterator[tuple[str, FieldInfo, Any]]:
    for name, field in type(group).model_fields.items():
        value = getattr(group, name)
        if isinstance(value, BaseModel):
            for leaf, inner, held in _leaves(f"{path}.{name}", value):
                yield leaf, _always(inner), held
        elif not is_later(field):
            yield f"{path}.{name}", field, value


def _always(field: FieldInfo) -> FieldInfo:
    """A leaf of a group that is off by default: to have it at all is no default."""
    return FieldInfo(
        default=..., title=field.title, description=field.description, json_schema_extra=field.json_schema_extra
    )


def title_of(path: str, field: FieldInfo) -> str:
    """The title of its knob, else its name in words."""
    return field.title or path.rsplit(".", 1)[-1].replace("_", " ").capitalize()


def _text(path: str, field: FieldInfo, value: Any, market: Market) -> str:
    if path == "exec.fill":
        return FILLS[market.fill] + (" (auto)" if value == "auto" else "")
    if path == "exec.impact_k":
        shown = f"{market.impact_k:g} bps at 100 % of usual volume" if market.impact_k else "off"
        return shown + (" (auto)" if value == "auto" else "")
    if path == "exec.participation_cap":
        cap = market.participation
        shown = f"{_digits(cap * 100)} % of usual volume" if math.isfinite(cap) else "off"
        return shown + (" (auto)" if value == "auto" else "")
    told = value_text(value, _unit(field))
    told += NOT_CHARGED if path == "fees.regulatory_sell_fees" and value else ""
    left_out = path in BY_THE_SHARE and value and market.bars.adjustment != "raw"
    return told + (", but its part by the share is left out: prices are adjusted" if left_out else "")


def _unit(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def value_text(value: Any, unit: str) -> str:
    """A value of a configuration with its unit; shares of one in percent."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value_text(one, unit if unit in PER_CENT else "") for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_digits(share * 100)} %" for name, share in value.items())
    if not isinstance(value, int | float):
        return str(value)
    if unit in PER_CENT:
        return f"{_digits(value * 100)} {PER_CENT[unit]}"
    return f"{_digits(value)} {WORDS.get(unit, unit)}".strip()


def _digits(value: float) -> str:
    """As it was given: twelve digits, thousands apart."""
    text = f"{value:.12g}"
    return minus(text if "e" in text or abs(value) < 10_000 else f"{value:,.12g}")
