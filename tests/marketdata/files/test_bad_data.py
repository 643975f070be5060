"""Each kind of bad price is one sentence of the report, or of the refusal, that names symbol, date and field."""

import datetime as dt

import pytest

from marketdata.files import build as build_files
from marketdata.files.limits import FileRefused
from tests.marketdata.files.build import FULL, LONG, WIDE, built, sentences
from tests.runs_app.datasets.made import SESSIONS, prices

SPAN = [str(day) for day in SESSIONS]


def row(symbol: str, day: str, text: str) -> str:
    """The file with one row of another text: open,high,low,close,volume."""
    lines = prices().splitlines()
    return "\n".join(f"{day},{symbol},{text}" if line.startswith(f"{day},{symbol},") else line for line in lines)


def without(symbol: str, days: list[str]) -> str:
    return "\n".join(line for line in prices().splitlines() if not any(line.startswith(f"{d},{symbol},") for d in days))


BACKWARDS = "\n".join([prices().splitlines()[0], *prices().splitlines()[:0:-1]])
AGAIN, OTHER = prices() + prices().splitlines()[5], prices() + f"{SPAN[2]},A,1,2,0.5,1,1"
HOLIDAY = prices() + "2020-01-20,A,1,1,1,1,1"
FIRST_TOO = HOLIDAY.replace("\n", "\n2020-01-01,A,1,1,1,1,1\n", 1)
CASES = [
    ("unsorted", BACKWARDS, "amber", ("A", "order", SPAN[-2])),
    ("repeated, the same", AGAIN, "amber", ("A", "repeated row", SPAN[2], "same values")),
    ("repeated, other values", OTHER, "red", ("A", "repeated row", SPAN[2], "other values")),
    ("a gap", without("A", SPAN[30:33]), "amber", ("A has no close on 3 sessions", SPAN[30])),
    ("a large gap", without("A", SPAN[30:90]), "red", ("A has no close on 60 sessions", SPAN[30])),
    ("NaN", row("A", SPAN[7], "NaN,NaN,NaN,NaN,5"), "amber", ("A has no close on 1 session", SPAN[7])),
    ("no open", row("A", SPAN[7], ",200,50,100,5"), "amber", ("A has a close but no open", SPAN[7])),
    ("zero", row("A", SPAN[7], "100,200,50,0,5"), "red", ("A has a close of 0", SPAN[7], "above 0")),
    ("negative", row("B", SPAN[7], "100,200,-50,100,5"), "red", ("B has a low of -50", SPAN[7], "above 0")),
    ("negative volume", row("B", SPAN[7], "100,200,50,100,-5"), "red", ("B has a volume of -5", SPAN[7])),
    ("high below low", row("A", SPAN[7], "100,90,110,100,5"), "red", ("A has a high of 90", SPAN[7])),
    ("a holiday", HOLIDAY, "amber", ("A has 1 row on days without a session of", "2020-01-20")),
    ("holidays, the first row too", FIRST_TOO, "amber",
     ("A has 2 rows on days without a session of", "2020-01-01 first; left out")),
    ("a holiday after all", prices() + "2021-01-01,A,1,1,1,1,1", "amber", ("A has 1 row on days", "2021-01-01")),
    ("starts late", without("B", SPAN[:9]), "amber", ("B has no close before", SPAN[9])),
    ("ends early", without("B", SPAN[-9:]), "amber", ("B has no close after", SPAN[-10])),
    ("one asset", prices("A"), "amber", ("A is the only symbol",)),
    ("one bar", "\n".join(prices().splitlines()[:3]), "red", ("The files hold one bar", SPAN[0], "at least two")),
    ("a price that is a fifth", row("A", SPAN[7], "10,11,9,10,5"), "red", ("A's close is", SPAN[8])),
]  # fmt: skip


@pytest.mark.parametrize(("content", "level", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_report_says_it(tmp_path, content, level, words):
    found = built(tmp_path, content, FULL)
    said = [finding for finding in found.report.findings if all(word in finding.sentence for word in words)]
    assert said, sentences(found)
    assert (said[0].level, found.report.level) == (level, level)


def test_good_prices_are_green(tmp_path):
    assert built(tmp_path, prices(), FULL).report.as_dict() == {"level": "green", "findings": []}


def test_no_row_on_a_session_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="No row of the source falls on a session of XNYS"):
        built(tmp_path, "date,symbol,close\n2020-01-04,A,1\n2020-01-05,A,2\n", LONG)


def test_a_thousand_symbols_are_taken_and_one_more_is_not(tmp_path):
    days = SPAN[:5]
    names = [f"S{number}" for number in range(1000)]
    body = "\n".join(f"{day}," + ",".join(str(10 + number % 7) for number in range(1000)) for day in days)
    assert built(tmp_path, f"date,{','.join(names)}\n{body}", WIDE).bars.n_assets == 1000
    more = f"date,{','.join([*names, 'X'])}\n" + "\n".join(f"{line},10" for line in body.splitlines())
    with pytest.raises(FileRefused, match="hold 1,001 symbols; at most 1,000"):
        built(tmp_path, more, WIDE)


def test_more_bars_than_the_limit_are_refused_with_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(build_files, "MAX_BARS", 100)
    with pytest.raises(
        FileRefused, match=r"from 2020-01-02 to 2020-07-17: about 137 bars × 2 symbols = 274; at most 100"
    ):
        built(tmp_path, prices(), FULL)


@pytest.mark.parametrize(
    ("cells", "columns", "words"),
    [
        ("12x,,,", {}, 'A on 2020-01-03 (row 3 of prices.csv) has a close of "12x"'),
        ("10,-2,,", {"split": "split"}, "A has a split of -2 on 2020-01-03; it must be above 0."),
        ("10,,,-3", {"final_return": "left"}, "A has a final_return of -3 on 2020-01-03; at least -1"),
        ("10,,5,", {"rates": ["rate"]}, "is 5; rates are fractions a year, 0.05 for 5 %."),
    ],
)
def test_a_wrong_cell_is_told_with_symbol_date_and_field(tmp_path, cells, columns, words):
    text = f"date,symbol,close,split,rate,left\n2020-01-02,A,10,,,\n2020-01-03,A,{cells}\n"
    with pytest.raises(FileRefused) as refused:
        built(tmp_path, text, LONG | columns)
    assert words in str(refused.value)


def test_a_delisting_before_the_last_row_is_refused(tmp_path):
    text = "date,symbol,close,left\n2020-01-02,A,10,-0.3\n2020-01-03,A,10,\n"
    with pytest.raises(FileRefused, match="A has a final_return on 2020-01-02, and its last row is 2020-01-03"):
        built(tmp_path, text, LONG | {"final_return": "left"})


def test_two_rates_of_one_day_are_refused(tmp_path):
    text = "date,symbol,close,r\n2020-01-02,A,10,0.01\n2020-01-02,B,10,0.02\n"
    with pytest.raises(FileRefused, match="has two values on 2020-01-02"):
        built(tmp_path, text, LONG | {"rates": ["r"]})


def test_the_as_of_date_lies_between_the_last_bar_and_today(tmp_path):
    from marketdata.files.commit import _check_as_of

    found = built(tmp_path, prices(), FULL)
    _check_as_of(found, dt.date(2020, 7, 17), dt.date(2020, 7, 17))
    with pytest.raises(FileRefused, match="on or after 2020-07-17, the last day of the prices"):
        _check_as_of(found, dt.date(2020, 7, 16), dt.date(2020, 7, 17))
    with pytest.raises(FileRefused, match="on or before 2020-07-20"):
        _check_as_of(found, dt.date(2020, 7, 21), dt.date(2020, 7, 20))
