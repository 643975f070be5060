"""The equality checks of B1 and B2 say what differs."""

import numpy as np

from benchmarks.engine import TO_BACKTRADER, apart
from benchmarks.panel import hours, minutes, month_ends, panel


def test_paths_within_the_tolerance_are_equal_and_others_are_named() -> None:
    ours = np.array([100.0, 101.0, 102.0])
    assert apart("peer", ours, (ours * (1 + 1e-9)).tolist(), TO_BACKTRADER) == []
    assert "peer" in apart("peer", ours, (ours * (1 + 1e-7)).tolist(), TO_BACKTRADER)[0]


def test_paths_of_different_length_are_not_equal() -> None:
    assert apart("peer", np.ones(3), [1.0, 1.0], 1.0) == ["peer has 2 bars, ours has 3"]


def test_the_panel_is_the_one_the_goals_speak_of() -> None:
    bars = panel()
    assert bars.close.shape == (8313, 20)
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    months = bars.session.astype("datetime64[M]")
    assert len(month_ends(bars)) == len(np.unique(months))


def test_the_minutes_are_those_the_goal_speaks_of() -> None:
    bars = minutes()
    assert bars.close.shape == (500_000, 10)
    assert bars.interval == "1m" and set(np.diff(bars.known_at)) == {np.timedelta64(60, "s")}
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (hours(bars)[:3].tolist(), len(hours(bars))) == ([0, 60, 120], 8334)
