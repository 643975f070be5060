"""Rows of a file on the calendar: nothing is dropped or closed up without a word."""

import numpy as np
import pytest

from marketdata.bars import BarsError
from marketdata.sources.alignment import align


def rows(*pairs):
    """Days and closes in the order of the file."""
    days = np.array([date for date, _ in pairs], dtype="datetime64[D]")
    return days, {"close": np.array([close for _, close in pairs], dtype=float)}


# The week around 4 July 2022, a Monday: sessions are 06-30, 07-01, 07-05, 07-06, 07-07.
WEEK = [("2022-06-30", 1.0), ("2022-07-01", 2.0), ("2022-07-05", 3.0), ("2022-07-06", 4.0)]


def test_whole_rows_become_bars_with_their_close_in_utc():
    bars, findings = align({"A": rows(*WEEK)})
    assert [str(session) for session in bars.session] == [date for date, _ in WEEK]
    assert bars.close[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert str(bars.known_at[0])[:16] == "2022-06-30T20:00"
    assert findings == []


def test_a_session_without_a_row_stays_as_an_absent_bar():
    bars, findings = align({"A": rows(WEEK[0], *WEEK[2:])})
    assert str(bars.session[1]) == "2022-07-01"
    assert np.isnan(bars.close[1, 0])
    assert findings == []


def test_rows_on_a_holiday_and_a_weekend_are_left_out_and_told():
    bars, findings = align({"A": rows(*WEEK[:2], ("2022-07-02", 9.0), ("2022-07-04", 9.0), *WEEK[2:])})
    assert 9.0 not in bars.close
    (finding,) = findings
    assert (finding.level, finding.code, finding.symbol, str(finding.date)) == (
        "amber",
        "no_session",
        "A",
        "2022-07-02",
    )
    assert "2 rows on days without a session of XNYS" in finding.sentence


def test_the_index_begins_with_the_first_row_on_a_session():
    bars, _ = align({"A": rows(("2022-07-03", 9.0), *WEEK[2:], ("2022-07-09", 9.0))})
    assert [str(session) for session in bars.session] == ["2022-07-05", "2022-07-06"]


def test_a_repeated_row_is_amber_and_a_contradiction_red():
    bars, (same,) = align({"A": rows(*WEEK, WEEK[1])})
    assert bars.n_bars == 4
    assert (same.level, same.code, str(same.date)) == ("amber", "duplicate", "2022-07-01")
    bars, (other,) = align({"A": rows(*WEEK, WEEK[1], ("2022-07-05", 7.0))})
    assert (other.level, str(other.date)) == ("red", "2022-07-05")
    assert "2 repeated rows" in other.sentence and "other values" in other.sentence
    assert bars.close[2, 0] == 3.0


def test_rows_in_any_order_give_the_same_bars():
    one, _ = align({"A": rows(*WEEK)})
    other, _ = align({"A": rows(*reversed(WEEK))})
    assert one.content_hash() == other.content_hash()


def test_symbols_of_different_length_share_one_index():
    bars, _ = align({"A": rows(*WEEK), "B": rows(*WEEK[2:])})
    assert np.isnan(bars.close[:2, 1]).all()
    assert bars.close[2:, 1].tolist() == [3.0, 4.0]


@pytest.mark.parametrize("pairs", [[], [("2022-07-02", 1.0)]])
def test_no_row_on_a_session_is_refused(pairs):
    with pytest.raises(BarsError, match="no row of the source falls on a session of XNYS"):
        align({"A": rows(*pairs)})


def minutes(*pairs):
    """Starts of bars in UTC and closes."""
    return np.array([at for at, _ in pairs], "datetime64[s]"), {"close": np.array([close for _, close in pairs])}


HOURS = [("2020-01-02T14:30", 1.0), ("2020-01-02T16:30", 3.0), ("2020-01-03T14:30", 8.0)]


def test_shorter_rows_fall_on_the_bars_of_the_sessions():
    bars, findings = align({"A": minutes(*HOURS)}, interval="1h")
    assert (bars.n_bars, bars.interval, findings) == (8, "1h", [])
    assert bars.close[[0, 2, 7], 0].tolist() == [1.0, 3.0, 8.0] and np.isnan(bars.close[[1, 3, 4, 5, 6], 0]).all()
    assert [str(time)[:16] for time in bars.known_at[[0, 6]]] == ["2020-01-02T15:30", "2020-01-02T21:00"]


def test_rows_before_and_after_the_session_are_left_out_and_told():
    bars, (finding,) = align(
        {"A": minutes(("2020-01-02T13:30", 9.0), *HOURS, ("2020-01-03T14:47", 9.0))}, interval="1h"
    )
    assert 9.0 not in bars.close
    assert finding.sentence == (
        "A has 2 rows on times outside the sessions of XNYS, 2020-01-02 13:30 UTC first; left out."
    )


def test_an_action_is_in_force_from_the_first_bar_of_its_session():
    on = [(np.datetime64("2020-01-03"), 2.0)]
    bars, _ = align({"A": minutes(*HOURS)}, interval="1h", splits={"A": on}, dividends={})
    assert bars.split[:, 0].tolist() == [1, 1, 1, 1, 1, 1, 1, 2]
    assert (bars.dividend == 0).all()


def test_an_action_on_a_day_without_a_session_counts_on_the_next_and_is_told():
    splits, dividends = (
        [(np.datetime64("2022-07-04"), 2.0)],
        [(np.datetime64("2022-07-04"), 0.5), (np.datetime64("2022-07-05"), 0.25)],
    )
    bars, findings = align({"A": rows(*WEEK)}, splits={"A": splits}, dividends={"A": dividends})
    assert bars.split[:, 0].tolist() == [1, 1, 2, 1] and bars.dividend[:, 0].tolist() == [0, 0, 0.75, 0]
    assert {f.sentence for f in findings} == {
        f"A has a {name} on 2022-07-04, a day without a session; it counts on 2022-07-05."
        for name in ("split", "dividend")
    }


def test_many_actions_on_days_off_are_one_finding_of_the_symbol():
    """A file that repeats an amount on every day off must not make a report as long as itself."""
    days = [(np.datetime64(day), 0.5) for day in ("2022-07-04", "2022-07-02", "2022-07-03")]
    bars, findings = align({"A": rows(*WEEK)}, dividends={"A": days})
    assert bars.dividend[:, 0].tolist() == [0, 0, 1.5, 0]
    assert [f.sentence for f in findings] == [
        "A has a dividend on 2022-07-02, a day without a session; it counts on 2022-07-05. "
        "So it is with 2 more dividends."
    ]


def test_actions_outside_the_rows_concern_no_bar():
    far = [(np.datetime64("2022-06-01"), 2.0), (np.datetime64("2022-07-06"), 3.0), (np.datetime64("2023-01-03"), 5.0)]
    bars, findings = align({"A": rows(*WEEK)}, splits={"A": far})
    assert (bars.split[:, 0].tolist(), findings) == ([1, 1, 1, 3], [])


def test_rows_out_of_order_are_put_in_order_and_told():
    bars, (finding,) = align({"A": rows(WEEK[0], WEEK[2], WEEK[1], WEEK[3])})
    assert bars.close[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (finding.level, finding.code, str(finding.date)) == ("amber", "unsorted", "2022-07-01")
    assert "2022-07-01 after 2022-07-05 first" in finding.sentence
