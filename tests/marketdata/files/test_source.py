"""The operator's folder as a source of a chain: one symbol at a time, or a sentence why not."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from marketdata.sources.base import Asked, NoHistory, history_source, networked

MAP = "layout: per_symbol\ndate: Date\nclose: Close\nsplit: Split\ndividend: Div\n"
FILE = "Date,Close,Split,Div\n2020-01-03,5,2,\n2020-01-02,10,,\n2020-01-06,5.5,1,0.25\n"


def asked(symbol: str = "AAA", start: str = "2020-01-02", end: str = "2020-01-31", interval: str = "1d") -> Asked:
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    return Asked(symbol, interval, first, last, dt.datetime(2020, 2, 1, tzinfo=dt.UTC))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "map.yaml").write_text(MAP)
    (tmp_path / "AAA.csv").write_text(FILE)
    monkeypatch.setenv("STOCKBOT_FILES", str(tmp_path))
    return tmp_path


def test_a_symbol_with_its_actions_in_order(folder: Path) -> None:
    found = history_source("files").history(asked())
    assert found.time.astype(str).tolist() == ["2020-01-02", "2020-01-03", "2020-01-06"]
    np.testing.assert_array_equal(found.columns["close"], [10.0, 5.0, 5.5])
    assert found.splits == ((dt.date(2020, 1, 3), 2.0),) and found.dividends == ((dt.date(2020, 1, 6), 0.25),)
    assert (found.basis, networked(["files"])) == ("as_traded", frozenset())


def test_only_the_days_asked_for(folder: Path) -> None:
    assert history_source("files").history(asked(start="2020-01-03", end="2020-01-03")).columns["close"].tolist() == [
        5.0
    ]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (asked("ZZZ"), "files does not have ZZZ."),
        (asked(start="2021-01-01", end="2021-02-01"), "they go from 2020-01-02 to 2020-01-06"),
        (asked(interval="1h"), "files has bars of 1d, not 1h."),
    ],
)
def test_what_it_has_not_is_a_sentence(folder: Path, question: Asked, words: str) -> None:
    with pytest.raises(NoHistory) as fault:
        history_source("files").history(question)
    assert words in str(fault.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("map.yaml", "layout: per_symbol\n", "map.yaml, close: "),
        ("map.yaml", "layout: [\n", "files cannot be read"),
        ("map.yaml", MAP + "adjusted_close: Adj\n", "a fetch takes raw prices"),
        (
            "AAA.csv",
            "Date,Close,Split,Div\n2020-01-02,x,,\n",
            'AAA on 2020-01-02 (row 2 of AAA.csv) has a close of "x"',
        ),
        ("AAA.csv", FILE + "2020-01-06,6,,\n", "files has AAA twice on 2020-01-06."),
        ("AAA.csv", FILE + "2020-01-07,6,,-1\n", "AAA has a dividend of -1 on 2020-01-07"),
    ],
)
def test_a_folder_that_is_not_as_it_must_be(folder: Path, name: str, content: str, words: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(NoHistory) as fault:
        history_source("files").history(asked())
    assert words in str(fault.value)


def test_a_dividend_on_each_hour_of_its_day_is_one(folder: Path) -> None:
    (folder / "map.yaml").write_text(MAP + "interval: 1h\ntimezone: America/New_York\n")
    rows = [f"2020-01-03 {hour}:30,10,,0.25" for hour in ("09", "10", "11", "12", "13", "14", "15", "19")]
    (folder / "AAA.csv").write_text("Date,Close,Split,Div\n" + "\n".join(rows) + "\n")
    assert history_source("files").history(asked(interval="1h")).dividends == ((dt.date(2020, 1, 3), 0.25),)
    (folder / "AAA.csv").write_text((folder / "AAA.csv").read_text().replace("15:30,10,,0.25", "15:30,10,,0.5"))
    with pytest.raises(NoHistory, match=r"AAA has a dividend of 0\.25 and one of 0\.5 on 2020-01-03"):
        history_source("files").history(asked(interval="1h"))


def test_without_a_folder_it_is_not_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOCKBOT_FILES", raising=False)
    with pytest.raises(NoHistory, match="STOCKBOT_FILES must name a folder"):
        history_source("files").history(asked())
