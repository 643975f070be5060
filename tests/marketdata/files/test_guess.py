"""The first column map: names, separators, marks and orders as files in the wild have them."""

import pytest

from tests.marketdata.files.build import built, guessed, sentences

YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-02,9,11,8,10,9.9,100\n2020-01-03,9,11,8,10,9.9,100\n"
GERMAN = "Datum;Symbol;Schluss\n02.01.2020;A;1.234,50\n31.01.2020;A;1.250,00\n"


def columns_of(folder, content, name="prices.csv"):
    return guessed(folder, content, name).columns


def test_a_file_of_yahoo(tmp_path):
    found = guessed(tmp_path, YAHOO, "AAPL.csv")
    wanted = {"layout": "per_symbol", "date": "Date", "open": "Open", "close": "Close", "volume": "Volume"}
    assert wanted.items() <= found.columns.items() and "adjusted_close" not in found.columns
    assert found.notes == [
        "Adj Close is left out: the prices are taken raw; map it and change the adjustment to use it."
    ]


def test_an_adjusted_close_alone_is_the_close(tmp_path):
    assert columns_of(tmp_path, "date,ticker,adj_close\n2020-01-02,A,1\n")["close"] == "adj_close"


def test_a_german_file(tmp_path):
    found = columns_of(tmp_path, GERMAN)
    wanted = {
        "separator": "semicolon",
        "decimal": "comma",
        "thousands": "point",
        "date_format": "dmy",
        "symbol": "Symbol",
    }
    assert wanted.items() <= (found | guessed(tmp_path, GERMAN.replace("Schluss", "Close")).columns).items()


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("date\tsymbol\tclose\n2020-01-02\tA\t1\n", "separator", "tab"),
        ("date|symbol|close\n2020-01-02|A|1\n", "separator", "pipe"),
        ("date,symbol,close\n1/31/2020,A,1\n", "date_format", "mdy"),
        ("date,symbol,close\n31/1/2020,A,1\n", "date_format", "dmy"),
        ("date,symbol,close\n1577923200,A,1\n", "date_format", "epoch_s"),
        ('date,symbol,close\n2020-01-02,A,"1,234.5"\n', "thousands", "comma"),
        ("date;symbol;close\n2020-01-02;A;1,5\n", "decimal", "comma"),
        ("Date,AAPL,MSFT\n2020-01-02,1,2\n", "layout", "wide"),
        (",AAPL,MSFT\n2020-01-02,1,2\n", "date", "column 1"),
        ("date,symbol,close,rate:bill\n2020-01-02,A,1,0.01\n", "rates", ["rate:bill"]),
    ],
)
def test_what_a_file_shows_is_found(tmp_path, text, key, value):
    assert columns_of(tmp_path, text)[key] == value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path, encoding):
    text = "date,symbol,close,näme\r\n2020-01-02,A,1,ä\r\n2020-01-03,A,1,ö\r\n"
    found = guessed(tmp_path, text.encode(encoding))
    bars = built(tmp_path, text.encode(encoding), found.columns).bars
    assert bars.n_bars == 2


def test_a_day_that_may_be_a_month_is_for_a_person_to_say(tmp_path):
    text = "date,symbol,close\n01/02/2020,A,1\n01/03/2020,A,1\n"
    found = guessed(tmp_path, text)
    assert "01/02/2020 may be day/month/year or month/day/year" in found.notes[0]
    with pytest.raises(ValueError, match="four digits of the year"):
        built(tmp_path, text, found.columns)
    assert str(built(tmp_path, text, found.columns | {"date_format": "mdy"}).bars.session[0]) == "2020-01-02"
    assert "weekend" not in " ".join(sentences(built(tmp_path, text, found.columns | {"date_format": "mdy"})))


def test_two_orders_in_one_file_are_told(tmp_path):
    text = "date,symbol,close\n31/01/2020,A,1\n01/31/2020,A,1\n"
    assert "are in different orders" in guessed(tmp_path, text).notes[0]


def test_columns_that_nothing_is_made_of_are_named(tmp_path):
    text = "Day,Ticker,Opening,Hi,Lo,Last,Shares,Sector,Rank\n2020-01-02,AAA,1,2,1,1.5,10,tech,3\n"
    found = guessed(tmp_path, text)
    assert {"open": "Opening", "high": "Hi", "low": "Lo", "close": "Last"}.items() <= found.columns.items()
    assert found.notes == ["Nothing is taken from Sector, Rank; say what they hold if they are wanted."]
    assert guessed(tmp_path, "date,symbol,close\n2020-01-02,AAA,1.5\n").notes == []
    many = "date,symbol,close," + ",".join(f"x{n}" for n in range(20)) + "\n2020-01-02,AAA,1.5" + ",1" * 20 + "\n"
    assert "x7 and 12 more" in guessed(tmp_path, many).notes[0]
