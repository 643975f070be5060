"""Each switch that flatters when it is off has its sentence under the verdict, and only then."""

from typing import Any

import pytest

from backtest.realism import left_out
from simulator.config import SimulatorConfig

HONEST: dict[str, dict[str, Any]] = {
    "margin": {
        "allow_short": True, "max_gross_leverage": 2.0, "max_net_leverage": 1.5, "maintenance_margin": 0.25,
        "cash_borrow_apr": 0.05,
    },
    "fees": {"taker_bps": 1.0, "borrow_fee_apr": 0.01},
    "exec": {"half_spread_bps": 1.0},
}  # fmt: skip
ALWAYS = "Borrow availability is not modelled: every short sale is assumed to find its shares."


def told(**changes: dict[str, Any]) -> list[str]:
    groups = {name: {**HONEST[name], **changes.get(name, {})} for name in HONEST}
    return left_out(SimulatorConfig.model_validate(groups))


def test_with_everything_charged_only_what_cannot_be_modelled_is_said() -> None:
    assert told() == [ALWAYS]


def test_the_defaults_need_no_word() -> None:
    assert left_out(SimulatorConfig()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"margin": {"maintenance_margin": 0.0}},
            "No maintenance margin: positions of up to 2 × equity and shorts are never called, as a broker would.",
        ),
        ({"margin": {"cash_borrow_apr": 0.0}}, "Borrowed cash costs nothing."),
        ({"fees": {"borrow_fee_apr": 0.0}}, "Shorts pay no fee for the loan of their shares."),
        ({"fees": {"taker_bps": 0.0}}, "No fees are charged."),
        ({"exec": {"half_spread_bps": 0.0}}, "No spread is charged: orders fill at the reference price."),
    ],
)
def test_each_switch_that_is_off_is_said(changes: dict[str, Any], said: str) -> None:
    assert [text for text in told(**changes) if text != ALWAYS] == [said]


@pytest.mark.parametrize(
    ("margin", "said"),
    [
        ({"max_gross_leverage": 3.0, "maintenance_margin": 0.0}, "positions of up to 3 × equity are never called"),
        ({"allow_short": True}, "shorts are never called"),
    ],
)
def test_margin_calls_are_of_what_may_be_held(margin: dict[str, Any], said: str) -> None:
    found = left_out(SimulatorConfig.model_validate({"margin": margin}))
    assert any(said in text for text in found)


@pytest.mark.parametrize(
    "changes",
    [
        {"margin": {"cash_borrow_apr": 0.0, "max_net_leverage": 1.0}},  # longs are paid by shorts, nothing is borrowed
        {"fees": {"taker_bps": 0.0, "commission_per_share": 0.005}},
        {"fees": {"taker_bps": 0.0, "commission_pct_notional": 0.001}},
        {"exec": {"half_spread_bps": 0.0, "spread_source": "high_low"}},
    ],
)
def test_what_cannot_come_due_or_is_paid_otherwise_is_not_said(changes: dict[str, Any]) -> None:
    assert told(**changes) == [ALWAYS]
