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
