"""Bars shorter than a day: times in a zone, by the start or the end of their bar, and markets that never close."""

import numpy as np
import pytest

from tests.marketdata.files.build import PER_SYMBOL, built, sentences

NEW_YORK = PER_SYMBOL | {"timezone": "America/New_York"}
STARTS = ["09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30"]
ENDS = ["10:30", "11:30", "12:30", "13:30", "14:30", "15:30", "16:00"]


def hours(times: list[str], day: str = "2020-01-02") -> dict[str, str]:
    rows = [f"{day} {time},{100 + place}" for place, time in enumerate(times)]
    return {"A.csv": "date,close\n" + "\n".join(rows) + "\n"}


@pytest.mark.parametrize(("times", "marks"), [(STARTS, "start"), (ENDS, "end")])
def test_a_day_of_hours(tmp_path, times, marks):
    found = built(tmp_path, hours(times), NEW_YORK | {"time_marks": marks}, interval="1h")
    assert found.bars.n_bars == 7 and str(found.bars.session[0]) == "2020-01-02"
    np.testing.assert_array_equal(found.bars.close[:, 0], 100.0 + np.arange(7))
    assert str(found.bars.known_at[0]) == "2020-01-02T15:30:00.000000000"
    assert str(found.bars.known_at[-1]) == "2020-01-02T21:00:00.000000000"
    assert found.bars.periods_per_year == 252 * 7


def test_a_time_that_ends_no_bar_is_left_out_and_told(tmp_path):
    found = built(tmp_path, hours([*ENDS, "09:30"]), NEW_YORK | {"time_marks": "end"}, interval="1h")
    assert found.bars.n_bars == 7
    assert any("1 row on times outside the sessions of XNYS" in text for text in sentences(found))


def test_daylight_saving_is_that_of_the_zone(tmp_path):
    found = built(tmp_path, hours(STARTS, "2020-07-01"), NEW_YORK, interval="1h")
    assert str(found.bars.known_at[0]) == "2020-07-01T14:30:00.000000000"


def test_a_market_that_never_closes(tmp_path):
    text = {"BTC.csv": "date,close\n2020-01-03,1\n2020-01-04,2\n2020-01-05,3\n"}
    bars = built(tmp_path, text, PER_SYMBOL, calendar="24/7").bars
    assert bars.n_bars == 3 and str(bars.known_at[-1]) == "2020-01-06T00:00:00.000000000"


def test_an_action_on_a_day_off_counts_on_the_next_session(tmp_path):
    text = {"A.csv": "date,close,split\n2020-01-03,10,\n2020-01-04,,2\n2020-01-06,5,\n"}
    found = built(tmp_path, text, PER_SYMBOL | {"split": "split"})
    np.testing.assert_array_equal(found.bars.split[:, 0], [1.0, 2.0])
    assert any("A has a split on 2020-01-04" in text for text in sentences(found))
