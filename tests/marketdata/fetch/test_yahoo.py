"""What the real yfinance makes of a small Yahoo's answers, and what we make of that."""

import datetime as dt
import logging

import numpy as np
import pytest
import yfinance

from marketdata.adjust import adjusted, unsplit
from marketdata.sources.alignment import align
from marketdata.sources.base import Asked, History, NoHistory, TryLater
from marketdata.sources.yahoo import YahooHistory
from tests.fake_yahoo import NEW_YORK, FakeYahoo, Truth, daily

CLOSES = {"2020-01-02": 100.0, "2020-01-03": 104.0, "2020-01-06": 52.0, "2020-01-07": 53.0, "2020-01-08": 18.0}
SPLITS, DIVIDENDS = {"2020-01-06": 2.0, "2020-01-08": 3.0}, {"2020-01-03": 1.0, "2020-01-06": 0.5}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)


def asked(symbol: str = "AAA", interval: str = "1d", start: str = "2020-01-02") -> Asked:
    return Asked(symbol, interval, dt.date.fromisoformat(start), dt.date(2020, 1, 31), dt.datetime.now(dt.UTC))


def test_what_yahoo_calls_raw_is_made_as_traded_again(yahoo: FakeYahoo) -> None:
    yahoo.symbols["AAA"] = daily(CLOSES, SPLITS, DIVIDENDS)
    said = YahooHistory(yahoo.url).history(asked())
    assert said.basis == "split_adjusted"
    assert said.columns["close"].tolist() == pytest.approx([100 / 6, 104 / 6, 52 / 3, 53 / 3, 18])  # as Yahoo tells it
    assert said.columns["volume"].tolist() == [6000, 6000, 3000, 3000, 1000]
    assert dict(said.dividends) == pytest.approx({dt.date(2020, 1, 3): 1 / 6, dt.date(2020, 1, 6): 0.5 / 3})
    traded, factor = unsplit(said.columns, said.time, said.splits)
    assert traded["close"].tolist() == pytest.approx(list(CLOSES.values()), rel=1e-12)
    assert traded["open"].tolist() == pytest.approx([c * 0.99 for c in CLOSES.values()], rel=1e-12)
    assert traded["volume"].tolist() == pytest.approx([1000] * 5)
    assert factor.tolist() == [6, 6, 3, 3, 1]


def test_a_split_after_the_last_day_asked_for_is_known_too(yahoo: FakeYahoo) -> None:
    yahoo.symbols["AAA"] = daily(CLOSES | {"2021-06-01": 9.0}, {"2021-06-01": 2.0})
    said = YahooHistory(yahoo.url).history(asked())
    assert said.columns["close"][0] == pytest.approx(50)
    assert unsplit(said.columns, said.time, said.splits)[0]["close"][0] == pytest.approx(100)


def test_our_total_return_is_that_of_yahoo(yahoo: FakeYahoo) -> None:
    """Yahoo's adjusted close, told by the server from the method that Yahoo describes, and yfinance's auto_adjust."""
    truth = yahoo.symbols["AAA"] = daily(CLOSES, SPLITS, DIVIDENDS)
    truth.adjusted = True
    source = YahooHistory(yahoo.url)
    said = source.history(asked())
    columns, _ = unsplit(said.columns, said.time, said.splits)
    day = {
        name: [(np.datetime64(d, "D"), x) for d, x in found.items()]
        for name, found in (("s", SPLITS), ("d", DIVIDENDS))
    }
    bars, _ = align({"AAA": (said.time, columns)}, splits={"AAA": day["s"]}, dividends={"AAA": day["d"]})
    ours = adjusted(bars, "total_return")
    ticker = yfinance.Ticker("AAA", session=source._session)
    theirs = ticker.history(start="2020-01-02", end="2020-01-31", auto_adjust=True)
    for name in ("open", "high", "low", "close"):
        column = ours.column(name)
        assert column is not None
        np.testing.assert_allclose(column[:, 0], theirs[name.capitalize()], rtol=1e-12)


def test_shorter_bars_have_their_start_in_utc(yahoo: FakeYahoo) -> None:
    start = dt.datetime(2020, 1, 2, 9, 30, tzinfo=NEW_YORK)
    yahoo.symbols["AAA"] = Truth({start + dt.timedelta(hours=h): (1.0, 2.0, 0.5, 1.5, 10.0) for h in range(7)})
    said = YahooHistory(yahoo.url).history(asked(interval="1h"))
    assert [str(time) for time in said.time[[0, 6]]] == ["2020-01-02T14:30:00", "2020-01-02T20:30:00"]


def test_minutes_are_asked_for_a_week_at_a_time(yahoo: FakeYahoo) -> None:
    now = dt.datetime(2020, 1, 31, 12, tzinfo=dt.UTC)
    minutes = [dt.datetime(2020, 1, d, 9, 30 + m, tzinfo=NEW_YORK) for d in (2, 15, 30) for m in range(3)]
    yahoo.symbols["AAA"] = Truth({at: (1.0, 2.0, 0.5, 1.5, 10.0) for at in minutes})
    question = Asked("AAA", "1m", dt.date(2020, 1, 2), dt.date(2020, 1, 31), now)
    assert len(YahooHistory(yahoo.url).history(question).time) == 9
    spans = [(last - first) / 86400 for _, first, last, _ in yahoo.asked]
    assert len(spans) == 5 and max(spans) == 7


@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "yahoo answers AAA with 429: too many requests for now."), (503, "yahoo answers AAA with 503.")],
)
def test_a_refusal_is_for_later(yahoo: FakeYahoo, status: int, words: str) -> None:
    yahoo.symbols["AAA"] = daily(CLOSES)
    yahoo.retry_after = "7"
    yahoo.fault = lambda symbol, n: status
    source = YahooHistory(yahoo.url)
    with pytest.raises(TryLater) as fault:
        source.history(asked())
    assert (str(fault.value), fault.value.after_s) == (words, 7.0 if status == 429 else None)
    yahoo.fault = lambda symbol, n: 0
    assert len(source.history(asked()).time) == 5  # nothing of the refusal is remembered


def test_a_server_that_is_not_there(yahoo: FakeYahoo) -> None:
    yahoo.close()
    with pytest.raises(TryLater, match="yahoo answers AAA with a network fault"):
        YahooHistory(yahoo.url).history(asked())


def test_an_unknown_symbol_and_an_empty_answer(yahoo: FakeYahoo) -> None:
    source = YahooHistory(yahoo.url)
    with pytest.raises(NoHistory, match=r"^yahoo does not have ZZZ: No data found, symbol may be delisted\.$"):
        source.history(asked("ZZZ"))
    yahoo.symbols["AAA"] = daily({"2010-01-04": 5.0})
    with pytest.raises(NoHistory, match=r"^yahoo .* AAA"):
        source.history(asked())


@pytest.mark.parametrize("address", ["ftp://x", "127.0.0.1:80", "http://x/path"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ValueError, match="STOCKBOT_YAHOO_URL must be an address such as"):
        YahooHistory(address)


def test_a_history_says_what_it_is(yahoo: FakeYahoo) -> None:
    yahoo.symbols["AAA"] = daily(CLOSES)
    said = YahooHistory(yahoo.url).history(asked())
    assert isinstance(said, History) and (said.currency, said.notes) == ("USD", ())
