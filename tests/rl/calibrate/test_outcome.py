"""What came of all worlds in words: each result, limits that fit their counts, and a calibration that was stopped."""

from typing import Any

import pytest

from backtest.verdict import Code as Verdict
from rl.calibrate.attempt import Attempt
from rl.calibrate.outcome import LEADS, Calibration, line
from rl.config import CalibrateConfig


def attempt(
    kappa: float, number: int, code: Verdict, growth: tuple[float, ...] = (1e-4,), oracle: float = 5e-4
) -> Attempt:
    return Attempt(kappa, number, code, 0.02, -0.01, "equal", growth, 0.0, oracle if kappa else None, 0.5)


def calibration(planted: list[Verdict], null: list[Verdict], growth: float = 4e-4, **asked: Any) -> Calibration:
    worlds = {"planted_worlds": len(planted), "null_worlds": len(null), **asked}
    config = CalibrateConfig.model_validate({"calibration": worlds, "training": {"seeds": [4]}})
    found = [attempt(0.5, number, code, (growth,)) for number, code in enumerate(planted, start=1)]
    found += [attempt(0.0, number, code, (-2e-5,)) for number, code in enumerate(null, start=1)]
    return Calibration(config, "2020-01-02", "2022-12-30", 755, tuple(found))


@pytest.mark.parametrize(
    ("planted", "null", "growth", "code"),
    [
        (["shown"] * 3 + ["not_shown"] * 2, ["not_shown"] * 10, 4e-4, "learns"),
        (["shown"] * 2 + ["not_shown"] * 3, ["worse"] * 10, 4e-4, "not_shown"),
        (["not_shown"] * 5, ["not_shown"] * 10, 1e-4, "learns_nothing"),
        (["shown"] * 5, ["shown"] * 3 + ["not_shown"] * 7, 4e-4, "false_alarms"),
        (["shown"] * 5, ["shown"] * 1 + ["not_shown"] * 9, 4e-4, "learns"),  # one of ten may be luck
        ([], ["not_shown"] * 10, 0.0, "no_signal"),
    ],
)
def test_each_result_has_its_word(planted: list[Verdict], null: list[Verdict], growth: float, code: str) -> None:
    found = calibration(planted, null, growth)
    assert found.code == code and found.complete
    assert found.sentence.startswith(f"{LEADS[found.code]}. ")


def test_power_and_false_discovery_rate_in_words() -> None:
    sentence = calibration(["shown"] * 5, ["not_shown"] * 10).sentence
    assert (
        "A signal of strength 0.5 was shown in 5 of 5 worlds: the power is at least 54 % with 95 % confidence."
        in sentence
    )
    assert (
        "In 0 of 10 worlds with nothing to find it was shown: the false-discovery rate is below 26 % with 95 % "
        in sentence
    )
    assert "the mean growth there was −0.20 bps a bar" in sentence and "earned 0.80 (0.80 to 0.80)" in sentence


def test_the_ends_of_both_rates() -> None:
    none, all_of_them = calibration(["worse"] * 5, ["shown"] * 2), calibration(["shown"], ["not_shown"])
    assert "the power is below 46 % with 95 % confidence" in none.sentence
    assert "the false-discovery rate may be anything up to 100 %" in none.sentence
    assert "1 of 1 world:" in all_of_them.sentence and "at least 5 %" in all_of_them.sentence


def test_a_signal_that_costs_eat() -> None:
    config = CalibrateConfig.model_validate(
        {"calibration": {"planted_worlds": 1, "null_worlds": 0, "strengths": [0.01]}}
    )
    found = Calibration(config, "", "", 200, (attempt(0.01, 1, "worse", (-1e-4,), oracle=-1e-6),))
    assert found.groups[0].capture is None and found.code == "learns_nothing"
    assert "an oracle that knows the signal earns nothing with it either" in found.sentence


def test_one_that_was_stopped_says_how_far_it_came() -> None:
    found = calibration(["shown"] * 2, [], planted_worlds=5, null_worlds=10)
    assert not found.complete and "So far 2 of 15 worlds were tried." in found.sentence
    told = found.as_dict()
    assert told["complete"] is False and [one["kappa"] for one in told["groups"]] == [0.5]
    assert (told["groups"][0]["asked"], told["groups"][0]["tried"]) == (5, 2)


def test_the_strongest_of_several_strengths_counts() -> None:
    config = CalibrateConfig.model_validate(
        {"calibration": {"planted_worlds": 1, "null_worlds": 1, "strengths": [0.1, 0.5]}}
    )
    assert config.calibration.worlds == ((0.1, 1), (0.5, 1), (0.0, 1))
    tried = (attempt(0.1, 1, "worse"), attempt(0.5, 1, "shown"), attempt(0.0, 1, "not_shown"))
    found = Calibration(config, "", "", 300, tried)
    assert found.code == "learns" and [group.kappa for group in found.groups] == [0.1, 0.5, 0.0]


def test_a_line_of_the_log() -> None:
    assert line(attempt(0.5, 3, "shown", (4e-4, 1e-4))) == (
        "world 3, strength 0.5: shown, +2.0 % a year against equal, +4.00, +1.00 bps a bar, the oracle +5.00; "
        "capture 0.800, 0.200"
    )
    assert "nothing to find: not_shown" in line(attempt(0.0, 1, "not_shown")) and "oracle" not in line(
        attempt(0.0, 1, "worse")
    )
