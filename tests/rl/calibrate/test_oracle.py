"""The oracle's rule: with one seat as it is defined, with several and with shorts by hand; seats by the caps."""

from typing import Any

import numpy as np
import pytest

from rl.calibrate.oracle import Seats, seats_of, targets
from simulator.config import SimulatorConfig

NAN = float("nan")


def by_definition(signal: Any, delta: float) -> Any:
    found, held = np.zeros_like(signal), -1
    for t, row in enumerate(signal):
        best = int(row.argmax())
        if held >= 0 and row[held] < -delta:
            held = -1
        if (held < 0 and row[best] > 0) or (held >= 0 and row[best] > row[held] + delta):
            held = best
        if held >= 0:
            found[t, held] = 1.0
    return found


@pytest.mark.parametrize("delta", [0.0, 0.5, 2.0])
def test_one_seat_is_the_rule_of_planted_v1(delta: float) -> None:
    signal = np.random.default_rng(0).standard_normal((2_000, 5))
    assert np.array_equal(targets(signal, delta), by_definition(signal, delta))


def test_two_seats() -> None:
    signal = np.array([[0.5, 1.0, -1.0], [0.5, 1.0, 0.9], [0.5, 1.0, 1.1], [-0.4, -0.6, 2.0], [-1.0, -1.0, -1.0]])
    held = [[1, 1, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert np.array_equal(targets(signal, 0.5, Seats(2, 0.4)), 0.4 * np.array(held))


def test_shorts_take_what_lies_far_below_zero() -> None:
    signal = np.array([[0.5, -1.0], [0.5, -0.1], [0.7, 0.6], [-0.1, -0.1]])
    assert targets(signal, 0.5, Seats(1, 1.0, short=True)).tolist() == [[0, -1], [0, -1], [1, 0], [1, 0]]


def test_what_has_no_bar_is_not_held() -> None:
    signal = np.array([[NAN, 1.0], [3.0, 1.0], [NAN, -3.0]])
    for short, last in ((False, [0, 0]), (True, [0, -1])):
        assert targets(signal, 0.0, Seats(1, 1.0, short)).tolist() == [[0, 1], [1, 0], last]


@pytest.mark.parametrize(
    ("config", "seats"),
    [
        ({}, Seats(1, 1.0)),
        ({"margin": {"max_position_weight": 0.3}}, Seats(4, 0.25)),
        ({"margin": {"max_position_weight": 0.1}}, Seats(5, 0.1)),  # no more than there are symbols
        ({"episode": {"invest_max": 0.5}}, Seats(1, 0.5)),
        ({"episode": {"mapping_mode": "discrete"}}, Seats(5, 0.2)),
        ({"margin": {"allow_short": True}}, Seats(1, 1.0)),  # simplex_cash never goes short
        ({"margin": {"allow_short": True, "max_gross_leverage": 2.0}, "episode": {"mapping_mode": "tanh_leverage"}},
         Seats(2, 1.0, short=True)),
    ],
)  # fmt: skip
def test_seats_follow_from_the_caps(config: Any, seats: Seats) -> None:
    assert seats_of(SimulatorConfig.model_validate(config), 5) == seats
