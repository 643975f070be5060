"""`make calibrate` in small: a planted signal is found and shown on bars that nobody saw, and nothing without one."""

import pytest

from rl.calibrate import standard
from rl.calibrate.standard import TRIALS, main, try_one

pytestmark = pytest.mark.slow


def test_a_planted_signal_is_found_and_shown() -> None:
    found = try_one(TRIALS["planted"], 0, steps=80_000, train_bars=7_000)
    assert found.capture is not None and found.capture[0] > 0.4 and found.shown


@pytest.mark.parametrize("k", [0, 1])
def test_where_nothing_is_planted_nothing_is_shown_and_costs_are_lost(k: int) -> None:
    found = try_one(TRIALS["null"], k, steps=30_000, train_bars=1_000)
    assert not found.shown and found.oracle is None and found.growth[0] < 2e-4


@pytest.fixture
def hardly_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("STEPS", 4_096), ("QUICK_STEPS", 4_096), ("QUICK_BARS", 500)):
        monkeypatch.setattr(standard, name, value)


def test_quick_is_held_to_no_goal(hardly_trained: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--only", "mlp,null"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["k", "bps/bar", "oracle", "capture", "verdict", "time"]
    assert [row.split()[:2] for row in rows[::2]] == [["mlp", "0"], ["null", "0"]] and rows[2].split()[3] == "-"
    assert rows[1::2] == [f"{name}: tried once in small, which is held to no goal" for name in ("mlp", "null")]


def test_a_goal_that_is_missed_is_told_beside_what_was_reached(
    hardly_trained: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = standard.Trial(standard.SETUPS["mlp"], 0.5, 500, 2, standard._capture_told, standard._each_captures)
    monkeypatch.setitem(TRIALS, "mlp", small)
    assert main(["--only", "mlp", "--first", "3", "--worlds", "1"]) == 1
    rows = capsys.readouterr().out.splitlines()
    assert rows[1].split()[:2] == ["mlp", "3"] and "at least, goal 0.80 in each: MISSED" in rows[-1]


@pytest.mark.parametrize("arguments", [["--only", "gold"], ["--worlds", "0"], ["--worlds", "-1"], ["--first", "-2"]])
def test_a_wrong_command_line_is_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error:" in capsys.readouterr().err
