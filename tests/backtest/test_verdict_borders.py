"""The verdict on its borders: what is exactly nothing is not above nothing.

Found by changing `backtest/verdict.py` on purpose (`scripts/mutate.py`) without a test that noticed.
"""

import numpy as np
import pytest

from backtest.verdict import judge, passes_every_test_of_chance, signed
from tests.backtest.test_verdict import KEYS, LABELS, excess, gate, verdict


@pytest.mark.parametrize(
    ("change", "passes"),
    [
        ({}, True),
        ({"low": np.array([0.02, 0.0])}, False),
        ({"by_seed": np.array([[0.1, 0.05], [0.1, 0.0]])}, False),
        ({"by_seed": np.array([[0.1, 0.05], [0.1, 1e-9]])}, True),
        ({"equal_risk": np.array([0.0, 0.03])}, False),
        ({"equal_risk": np.array([1e-9, 0.03])}, True),
        ({"dsr": (0.99, 0.95)}, True),
        ({"dsr": (0.99, 0.9499999)}, False),
        ({"dsr": (0.99, None)}, False),
    ],
)
def test_what_is_shown_is_above_and_not_at_nothing(change: dict[str, object], passes: bool) -> None:
    assert passes_every_test_of_chance(excess(**change)) is passes


def test_an_upper_limit_of_nothing_is_not_worse() -> None:
    assert verdict(excess(upper=np.array([0.1, 0.0]))).code != "worse"
    assert verdict(excess(upper=np.array([0.1, -1e-9]))).code == "worse"


def test_126_bars_and_ten_blocks_are_enough() -> None:
    assert verdict(excess(), n_bars=125).code == "too_short" != verdict(excess(), n_bars=126).code
    for block, code in ((25.2, "shown"), (25.21, "too_short")):
        assert verdict(excess(unclipped_block=block), n_bars=252, leaks=gate("passed")).code == code


def test_with_just_enough_bars_it_is_the_blocks_that_are_too_few() -> None:
    assert "126 bars are fewer than 10 blocks" in verdict(excess(unclipped_block=30.0), n_bars=126).sentence


def test_only_what_is_not_shown_says_how_much_more_would_be_needed() -> None:
    unsure = verdict(excess(low=np.array([0.02, -0.01])), leaks=gate("passed"))
    shown = verdict(excess(), leaks=gate("passed"))
    assert (unsure.code, shown.code) == ("not_shown", "shown")
    assert unsure.years_needed is not None and shown.years_needed is None


def test_percent_has_three_digits_at_most() -> None:
    said = [signed(x) for x in (1.0, 0.9996, 0.01, 0.00994, -0.01, -1.0)]
    assert said == ["+100 %", "+100.0 %", "+1.0 %", "+0.99 %", "−1.0 %", "−100 %"]


def test_one_that_is_left_out_stands_alone_in_its_sentence() -> None:
    for left_out, words in ((["Momentum"], "Momentum was left out"), (["A", "B", "C"], "A, B and C were left out")):
        sentence = verdict(excess(), left_out=left_out, leaks=gate("passed")).sentence
        assert words in sentence and f"and {words}" not in sentence


def test_one_baseline_is_the_only_one_and_of_two_the_best_is_named() -> None:
    names = "theta low high upper p bars_error bars_low equal_risk equal_risk_low equal_risk_high dsr"
    alone = {name: getattr(excess(), name)[1:] for name in names.split()}
    only = excess(**alone, by_seed=np.array([[0.05]]))
    said = judge(only, KEYS[1:], LABELS, subject="PPO policy", n_bars=252, trials=1).sentence
    assert "Equal weight, the only baseline" in said
    assert "Equal weight, the best of 2 baselines" in verdict(excess()).sentence
