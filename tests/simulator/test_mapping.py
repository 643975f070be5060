"""The three action mappings against formulas restated in numpy."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from simulator.engine import BookSession
from simulator.market import prepare_market
from tests.simulator.markets import make_bars, no_cost


def mapped(action, *, close=None, **groups):
    """Weights after one free step on flat prices."""
    flat = (
        np.full((3, len(action) - 1 if groups["episode"]["mapping_mode"] == "simplex_cash" else len(action)), 10.0)
        if close is None
        else close
    )
    config = no_cost(**groups)
    session = BookSession(prepare_market(make_bars(flat), config), config, 0, 2)
    session.step(np.array(action, dtype=float))
    return session.weights


def test_simplex_cash():
    action = np.array([0.2, -0.3, 0.9, 1.7])
    clipped = np.clip(action, -1, 1)
    expected = 0.9 * expit(5 * clipped[0]) * softmax(5 * clipped[1:])
    assert mapped(action, episode={"mapping_mode": "simplex_cash", "invest_max": 0.9}) == pytest.approx(
        expected, rel=1e-12
    )


def test_simplex_cash_leaves_out_assets_without_a_bar():
    close = np.full((3, 3), 10.0)
    close[0, 1] = np.nan
    weights = mapped([0.5, 0.1, 1.0, 0.2], close=close, episode={"mapping_mode": "simplex_cash"})
    pair = expit(2.5) * softmax([0.5, 1.0])
    assert weights == pytest.approx([pair[0], 0, pair[1]])


@pytest.mark.parametrize("action", [[0.1, -0.1, 0.0], [1.0, -1.0, 0.7]])
def test_tanh_leverage(action):
    u = np.tanh(3 * np.array(action))
    expected = 1.5 * u / max(1, np.abs(u).sum())
    margin = {"allow_short": True, "max_gross_leverage": 1.5, "max_net_leverage": 1.5, "max_position_weight": 1.5}
    assert mapped(action, episode={"mapping_mode": "tanh_leverage"}, margin=margin) == pytest.approx(
        expected, rel=1e-12
    )


def test_discrete_long_only_and_with_shorts():
    assert mapped([1, 0, 1], episode={"mapping_mode": "discrete"}).tolist() == pytest.approx([1 / 3, 0, 1 / 3])
    margin = {"allow_short": True, "max_gross_leverage": 2.0}
    assert mapped([2, 0, 1], episode={"mapping_mode": "discrete"}, margin=margin).tolist() == pytest.approx(
        [1 / 3, -1 / 3, 0]
    )
