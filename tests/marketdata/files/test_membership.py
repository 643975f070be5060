"""Who belongs to the universe when: intervals with both ends inside, and what a membership leaves unsaid."""

import numpy as np
import pytest

from marketdata.files.commit import survivorship
from marketdata.files.limits import FileRefused
from tests.marketdata.files.build import FULL, built, sentences
from tests.runs_app.datasets.made import SESSIONS, prices

MEMBERS = "symbol,start,end\nA,2019-01-01,2020-01-07\nA,2020-01-10,\nB,2020-01-03,2020-01-06\n"


def test_both_ends_are_inside(tmp_path):
    found = built(tmp_path, prices(), FULL, members=MEMBERS)
    member, days = found.bars.member, [str(day) for day in SESSIONS]
    assert [day for day, held in zip(days, member[:, 1], strict=True) if held] == ["2020-01-03", "2020-01-06"]
    assert [day for day, held in zip(days, member[:, 0], strict=True) if not held] == ["2020-01-08", "2020-01-09"]
    assert survivorship(found) == "point_in_time"
    assert found.bars.content_hash() != built(tmp_path, prices(), FULL).bars.content_hash()


def test_without_a_file_nothing_is_known(tmp_path):
    found = built(tmp_path, prices(), FULL)
    assert found.bars.member is None and survivorship(found) == "unknown"


def test_members_without_prices_are_told(tmp_path):
    found = built(tmp_path, prices(), FULL, members=MEMBERS + "DEAD,2020-01-02,2020-02-03\nOLD,1990-01-02,1991-02-03\n")
    assert "1 of 3 members have no prices here, DEAD first: names that died may be missing." in sentences(found)


def test_a_symbol_that_is_never_a_member_and_a_member_without_a_close_are_told(tmp_path):
    text = "\n".join(line for line in prices("AB").splitlines() if not line.startswith("2020-01-06,A,"))
    said = sentences(built(tmp_path, text, FULL, members="symbol,start,end\nA,2020-01-02,\n"))
    assert "B has prices and is never a member: it cannot be bought." in said
    assert "A is a member without a close on 1 session, 2020-01-06 first." in said


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ("symbol,start\nA,2020-01-02\n", "has no column end"),
        ("symbol,start,end\nA,2020-01-05,2020-01-02\n", "A leaves on 2020-01-02, before it joins on 2020-01-05 (row 2"),
        ("symbol,start,end\nA,2020-01-02,2020-02-03\nA,2020-02-03,\n", "A joins on 2020-02-03"),
        ("symbol,start,end\nA,2020-01-02,\nA,2020-03-02,\n", "intervals of a symbol must not overlap"),
        ("symbol,start,end\n=cmd,2020-01-02,\n", 'The symbol in row 2 of members.csv is "=cmd"'),
        ("symbol,start,end\nA,01/02/2020,\n", "four digits of the year"),
        ("symbol,start,end\nA,,\n", "The date in row 2 of members.csv is empty"),
        ("symbol,start,end\nA,2020-01-02,never\n", 'The date in row 2 of members.csv is "never"'),
    ],
)
def test_what_makes_no_sense_is_one_sentence(tmp_path, members, words):
    with pytest.raises(FileRefused) as refused:
        built(tmp_path, prices(), FULL, members=members)
    assert words in str(refused.value)


def test_semicolons_and_another_order_of_columns(tmp_path):
    other = "End;Symbol;Start;note\n2020-01-07;A;2019-01-01;x\n;A;2020-01-10;\n2020-01-06;B;2020-01-03;\n"
    first, second = (built(tmp_path, prices(), FULL, members=text).bars.member for text in (MEMBERS, other))
    np.testing.assert_array_equal(first, second)


def test_the_end_of_all_days_is_no_end(tmp_path):
    """What many write for a membership that goes on; the year 9999 is none that a price could have."""
    from marketdata.files.commit import members_of
    from tests.marketdata.files.build import put

    held = members_of(put(tmp_path, "m.csv", "symbol,start,end\nA,2020-01-02,9999-12-31\nB,2020-01-02,\n"))
    assert held["A"][0].end == held["B"][0].end
