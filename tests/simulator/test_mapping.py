"""1.2.1 by itself: each mapping against its closed form in Decimal, whatever has a bar at the decision."""

from typing import Any

import numpy as np
import pytest

from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.simulator.markets import make_bars, no_cost
from tests.simulator.oracle.mapping import mapping

WIDE = {"max_gross_leverage": 20.0, "max_net_leverage": 20.0, "max_position_weight": 20.0, "cash_borrow_apr": 0.0}


def mapped(action: list[float], present: list[bool], episode: dict[str, Any], margin: dict[str, Any]) -> np.ndarray:
    """Weights after one free step on flat prices; who is not `present` has no close at the decision."""
    close = np.full((3, len(present)), 10.0)
    close[0, ~np.array(present)] = np.nan
    config = no_cost(episode=episode, margin={**WIDE, **margin})
    session = BookSession(prepare_market(make_bars(close), config), config, 0, 2)
    session.step(np.array(action, dtype=float))
    return session.weights


PRESENT = pytest.mark.parametrize("present", [[True] * 4, [True, False, True, True], [False] * 4, [False] * 3 + [True]])


def expect(mode: str, action: list[float], present: list[bool], **settings: Any) -> list[float]:
    base: dict[str, Any] = {"invest_max": 1.0, "gross": 20.0, "logit_scale": 5.0, "allow_short": False}
    weights = mapping(mode, action, len(present), **{**base, **settings})
    return [float(w) for w in weights([a for a, there in enumerate(present) if there])]


@PRESENT
@pytest.mark.parametrize("action", [[0.2, -0.3, 0.9, 1.7, -1.4], [-9.0, 0, 0, 0, 0], [1.0, 1.0, -1.0, 0.3, 0.29999]])
@pytest.mark.parametrize("scale", [5.0, 2.0, 50.0])
def test_simplex_cash(action, present, scale):
    """invest_max·σ(c·a₀)·softmax over M of (c·a₁..c·a_A), actions clipped to ±1."""
    episode = {"mapping_mode": "simplex_cash", "invest_max": 0.9, "logit_scale": scale}
    expected = expect("simplex_cash", action, present, invest_max=0.9, logit_scale=scale)
    np.testing.assert_allclose(mapped(action, present, episode, {}), expected, rtol=1e-13, atol=1e-15)


@PRESENT
@pytest.mark.parametrize("action", [[0.1, -0.1, 0.05, 0.0], [1.0, -1.3, 0.7, -0.2], [0.001, 0, -0.4, 0.4]])
def test_tanh_leverage(action, present):
    """u = tanh(3a), w = max_gross_leverage·u / max(1, Σ|u|)."""
    margin = {"allow_short": True, "max_gross_leverage": 1.5}
    expected = expect("tanh_leverage", action, present, gross=1.5)
    found = mapped(action, present, {"mapping_mode": "tanh_leverage"}, margin)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@PRESENT
@pytest.mark.parametrize(("action", "short"), [([1, 0, 1, 1], False), ([2, 0, 1, 0], True)])
def test_discrete(action, short, present):
    """invest_max·d/A, d = a − 1, long-only d = a."""
    expected = expect("discrete", action, present, invest_max=0.7, allow_short=short)
    found = mapped(action, present, {"mapping_mode": "discrete", "invest_max": 0.7}, {"allow_short": short})
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_the_closed_forms_are_those_of_the_text():
    """Figures from a calculator, so that the formulas above are not only compared with each other."""
    both = expect("simplex_cash", [0.0, 0.2, 0.0], [True, True], invest_max=0.8)
    assert both == pytest.approx([0.4 * 0.731058578630005, 0.4 * 0.268941421369995], rel=1e-13)
    assert expect("tanh_leverage", [0.1, -0.2], [True, True], gross=1.0) == pytest.approx(
        [0.291312612451591, -0.537049566998035], rel=1e-13
    )
    assert expect("tanh_leverage", [1.0, -1.0], [True, True], gross=1.5) == pytest.approx([0.75, -0.75])
    assert expect("discrete", [2, 0, 1], [True, True, True], allow_short=True) == pytest.approx([1 / 3, -1 / 3, 0])
