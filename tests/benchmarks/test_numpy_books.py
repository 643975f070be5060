"""R5's reference in numpy and the compiled step are two writings of the same rules."""

from typing import Any

import numpy as np
import pytest

from benchmarks.books import RULES, both, differences, drawn
from benchmarks.numpy_books import NumpyBooks
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market
from tests.simulator.markets import random_bars

STEPS = 30


def changed(**groups: dict[str, Any]) -> SimulatorConfig:
    values = RULES.model_dump()
    for name, fields in groups.items():
        values[name] |= fields
    return SimulatorConfig.model_validate(values)


def market(config: SimulatorConfig, *, ragged: bool = False) -> Market:
    return prepare_market(random_bars(3, n_bars=160, n_assets=5, ragged=ragged), config)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(
    "config",
    [
        RULES,
        changed(exec={"lot_size": 0.0}, episode={"rebalance_eps": 0.0, "max_step_change": 40.0}),
        changed(guards={"stop_eq_frac": 0.97}),
        changed(exec={"participation_cap": 0.001}),
        changed(episode={"invest_max": 3.0}),
    ],
    ids=["bench", "fractions", "stops", "little volume", "funding"],
)
def test_equal_to_the_compiled_step(config: SimulatorConfig, ragged: bool) -> None:
    prepared = market(config, ragged=ragged)
    assert differences(prepared, config, *drawn(prepared, 16, STEPS)) == []


def test_a_wrong_rule_in_the_reference_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NumpyBooks, "earn_interest", lambda self: None)
    prepared = market(RULES)
    found = differences(prepared, RULES, *drawn(prepared, 4, STEPS))
    assert any("cash" in sentence for sentence in found)


def test_the_case_trades_and_stops() -> None:
    config = changed(guards={"stop_eq_frac": 0.97})
    prepared = market(config)
    starts, actions = drawn(prepared, 16, STEPS)
    _, plain = both(prepared, config, starts)
    for action in actions:
        plain.step(action)
    assert np.count_nonzero(~plain.live) > 0
