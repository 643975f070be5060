"""Each rule sounds at its bound, once, and not before it has lasted."""

import math

import numpy as np
import pytest

from rl.alarms import Rules, Sameness, one_thing
from rl.learner import Update

NORMAL_ENTROPY = 0.5 * math.log(2 * math.pi * math.e)  # of a normal with deviation 1


def update(kl: float = 0.01, noise: float = 0.4, explained: float = 0.5, dimensions: int = 3) -> Update:
    return Update(kl, dimensions * (NORMAL_ENTROPY + math.log(noise)), explained)


def sounded(rules: Rules, *updates: Update) -> list[list[str]]:
    return [[alarm.rule for alarm in rules.look(one)] for one in updates]


def test_a_healthy_training_is_silent() -> None:
    assert sounded(Rules(3, None), *[update()] * 10) == [[]] * 10


def test_far_moves_sound_when_they_last_and_once() -> None:
    far, near = update(kl=0.2), update()
    assert sounded(Rules(3, None), far, far, near, far, far, far, far) == [[], [], [], [], [], ["kl"], []]


@pytest.mark.parametrize(("noise", "rules"), [(0.0101, []), (0.0099, ["entropy"])])
def test_noise_below_a_hundredth_is_the_end_of_trying(noise: float, rules: list[str]) -> None:
    found = Rules(5, None).look(update(noise=noise, dimensions=5))
    assert [alarm.rule for alarm in found] == rules
    assert all(alarm.value == pytest.approx(noise) for alarm in found)


@pytest.mark.parametrize(("left", "rules"), [(0.021, []), (0.019, ["entropy"])])
def test_of_choices_a_fiftieth_of_a_fair_draw(left: float, rules: list[str]) -> None:
    found = Rules(4, 3).look(Update(0.01, 4 * math.log(3) * left, 0.5))
    assert [alarm.rule for alarm in found] == rules


def test_a_critic_worse_than_a_constant_for_five_updates() -> None:
    assert sounded(Rules(3, None), *[update(explained=-1.5)] * 6) == [[], [], [], [], ["critic"], []]
    assert sounded(Rules(3, None), *[update(explained=math.nan)] * 6) == [[]] * 6  # returns that do not vary


def walk(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), 50)
    return {"holds cash": shares * 0.005, "holds constant weights": np.full((50, 3), 0.3),
            "holds one asset": np.eye(3)[rng.integers(0, 3, 50)] * 0.97 + shares * 0.01, "": shares}[kind]  # fmt: skip


@pytest.mark.parametrize("kind", ["holds cash", "holds constant weights", "holds one asset", ""])
def test_a_policy_that_does_one_thing_is_named(kind: str) -> None:
    assert one_thing(walk(kind)) == kind


def test_one_thing_sounds_at_its_third_look_in_a_row_and_once() -> None:
    sameness = Sameness()
    kinds = ["holds cash", "holds cash", "", "holds cash", "holds one asset", "holds one asset", "holds one asset",
             "holds one asset"]  # fmt: skip
    found = [sameness.look(walk(kind)) for kind in kinds]
    assert [alarm is not None for alarm in found] == [False] * 6 + [True, False]
    assert "holds one asset at each of 3 looks" in found[6].sentence
