"""Vendors lay the day's action on each of its bars: the same again is one action, another is refused by name."""

import numpy as np
import pytest

from marketdata.files.limits import FileRefused
from tests.marketdata.files.build import PER_SYMBOL, built
from tests.marketdata.files.test_intraday import ENDS, NEW_YORK, STARTS

ACTIONS = {"split": "split", "dividend": "dividend"}
EX, AFTER_HOURS = "2020-01-03", "2020-01-03 19:30"  # 19:30 in New York is 00:30 of the 4th in UTC


def hours(cell: str, times: list[str], also: str = "") -> dict[str, str]:
    """Three sessions of hours at 10, with `cell` (split,dividend) on each bar of the second."""
    rows = [
        f"{day} {time},10,{cell if day == EX else ','}" for day in ("2020-01-02", EX, "2020-01-06") for time in times
    ]
    return {"A.csv": "date,close,split,dividend\n" + "\n".join(rows) + "\n" + also}


@pytest.mark.parametrize(("times", "marks"), [(STARTS, "start"), (ENDS, "end")])
def test_the_same_dividend_on_each_bar_of_the_ex_date_is_paid_once(tmp_path, times, marks):
    found = built(tmp_path, hours(",0.5", times), NEW_YORK | ACTIONS | {"time_marks": marks}, interval="1h")
    np.testing.assert_array_equal(found.bars.dividend[:, 0], [0] * 7 + [0.5] + [0] * 13)
    assert found.report.level == "amber"  # of the one symbol alone
    first_alone = hours(",", times)["A.csv"].replace(f"{EX} {times[0]},10,,", f"{EX} {times[0]},10,,0.5")
    alone = built(tmp_path, {"A.csv": first_alone}, NEW_YORK | ACTIONS | {"time_marks": marks}, interval="1h")
    assert found.bars.content_hash() == alone.bars.content_hash()


def test_the_same_split_on_each_bar_is_one_split(tmp_path):
    text = hours("2,", STARTS)["A.csv"]
    for time in STARTS:
        text = text.replace(f"2020-01-02 {time},10,", f"2020-01-02 {time},20,")
    found = built(tmp_path, {"A.csv": text}, NEW_YORK | ACTIONS, interval="1h")
    np.testing.assert_array_equal(found.bars.split[:, 0], [1] * 7 + [2] + [1] * 13)


def test_a_bar_after_hours_belongs_to_its_day_in_new_york(tmp_path):
    found = built(tmp_path, hours(",0.5", STARTS, f"{AFTER_HOURS},10,,0.5\n"), NEW_YORK | ACTIONS, interval="1h")
    np.testing.assert_array_equal(found.bars.dividend[:, 0], [0] * 7 + [0.5] + [0] * 13)


@pytest.mark.parametrize(
    ("cell", "other", "sentence"),
    [
        (",0.5", ",0.7", "A has a dividend of 0.5 and one of 0.7 on 2020-01-03; a session has one, the sum"),
        ("2,", "3,", "A has a split of 2 and one of 3 on 2020-01-03; a session has one, the product"),
    ],
)
def test_two_amounts_on_one_session_are_refused(tmp_path, cell, other, sentence):
    text = hours(cell, STARTS)["A.csv"].replace(f"{EX} {STARTS[4]},10,{cell}", f"{EX} {STARTS[4]},10,{other}")
    with pytest.raises(FileRefused) as refused:
        built(tmp_path, {"A.csv": text}, NEW_YORK | ACTIONS, interval="1h")
    assert sentence in str(refused.value)


def test_a_row_of_a_day_that_stands_twice_pays_once(tmp_path):
    text = "date,close,dividend\n2020-01-02,10,\n2020-01-03,10,0.5\n2020-01-03,10,0.5\n2020-01-06,10,\n"
    found = built(tmp_path, {"A.csv": text}, PER_SYMBOL | {"dividend": "dividend"})
    np.testing.assert_array_equal(found.bars.dividend[:, 0], [0, 0.5, 0])
