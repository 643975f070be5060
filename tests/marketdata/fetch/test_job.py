"""The job from its configuration to a stored dataset: real process, real yfinance, a small Yahoo."""

import datetime as dt
import signal

import pytest

from marketdata.catalog import Catalog
from marketdata.fetch_raw import RawCopies
from marketdata.sessions import grid
from tests.fake_yahoo import NEW_YORK, FakeYahoo, Truth, daily
from tests.marketdata.fetch.conftest import Desk
from tests.waiting import until

pytestmark = pytest.mark.slow  # each starts a process or two

DAYS = ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"]
CLOSES = dict(zip(DAYS, [100.0, 104.0, 52.0, 53.0, 52.0, 54.0], strict=True))


@pytest.fixture(autouse=True)
def _symbols(yahoo: FakeYahoo) -> None:
    yahoo.symbols["AAA"] = daily(CLOSES, {"2020-01-06": 2.0}, {"2020-01-08": 0.5})
    yahoo.symbols["BBB"] = daily(dict(zip(DAYS, [10.0, 10.2, 10.1, 10.3, 10.2, 10.4], strict=True)))


def test_raw_bars_with_their_actions(desk: Desk) -> None:
    done = desk.fetch(symbols=["AAA", "BBB"])
    assert done.code == 0, done.err
    bars, note = done.bars, done.note
    assert bars.close[:, 0].tolist() == pytest.approx(list(CLOSES.values()), rel=1e-12)
    assert bars.volume is not None and bars.volume[:, 0].tolist() == pytest.approx([1000] * 6)
    assert bars.split is not None and bars.split[:, 0].tolist() == [1, 1, 2, 1, 1, 1]
    assert bars.dividend is not None and bars.dividend[:, 0].tolist() == pytest.approx([0, 0, 0, 0, 0.5, 0])
    assert (bars.adjustment, bars.calendar, bars.interval) == ("raw", "XNYS", "1d")
    assert (note["survivorship"], note["as_of"]) == ("unknown", str(dt.datetime.now(dt.UTC).date()))
    assert note["source"].startswith("yahoo (yfinance ") and "personal use" in note["license_note"]
    assert note["quality"]["level"] == "green", note["quality"]  # the split explains its jump
    entry = Catalog(desk.datasets).find("yahoo/mine")
    assert (entry.version, entry.actions) == (note["version"], {"split", "dividend"})


def test_what_is_stored_is_not_asked_for_again(desk: Desk, yahoo: FakeYahoo) -> None:
    first = desk.fetch(symbols=["AAA"])
    yahoo.asked.clear()
    second = desk.fetch(symbols=["AAA"])
    assert (yahoo.asked, second.note["asked"]) == ([], {"AAA": 0})
    assert second.note["version"] == first.note["version"]


def test_only_what_is_missing_is_asked_for_with_an_overlap(desk: Desk, yahoo: FakeYahoo) -> None:
    """A copy from a time when the last two days had not been: so it is remembered, and so it goes on."""
    yahoo.symbols["AAA"] = daily({day: CLOSES[day] for day in DAYS[:4]}, {"2020-01-06": 2.0})
    desk.fetch(symbols=["AAA"])
    copies = RawCopies(desk.datasets, "yahoo", "1d")
    (piece,) = copies.pieces("AAA")
    (path,) = (desk.datasets / "raw").rglob("*.json.gz")
    path.unlink()
    copies.append("AAA", type(piece)(piece.history, piece.start, dt.datetime(2020, 1, 8, 1, tzinfo=dt.UTC)))
    yahoo.symbols["AAA"] = daily(
        CLOSES | {"2021-03-01": 5.0}, {"2020-01-06": 2.0, "2021-03-01": 10.0}, {"2020-01-08": 0.5}
    )
    yahoo.asked.clear()
    done = desk.fetch(symbols=["AAA"], overlap=2)
    ((_, first, _, _),) = yahoo.asked
    assert dt.datetime.fromtimestamp(first, dt.UTC).date() == dt.date(2020, 1, 5)  # from the 6th on, a day for zones
    assert done.bars.close[:, 0].tolist() == pytest.approx(list(CLOSES.values()), rel=1e-12)
    assert done.bars.dividend is not None and done.bars.dividend[4, 0] == pytest.approx(0.5)
    assert "disagrees" not in done.codes
    assert len(copies.pieces("AAA")) == 2


def test_a_refetch_that_disagrees_is_told_and_never_taken(desk: Desk, yahoo: FakeYahoo) -> None:
    desk.fetch(symbols=["AAA"], end="2020-01-07")
    changed = CLOSES | {"2020-01-07": 53.5}
    yahoo.symbols["AAA"] = daily(changed, {"2020-01-06": 2.0}, {"2020-01-03": 1.0, "2020-01-08": 0.5})
    done = desk.fetch(symbols=["AAA"], start="2020-01-01")  # an earlier start asks for everything
    said = "AAA: the source now says a close of 53.5 on 2020-01-07, where 53 is stored (1 of 6 bars asked again differ)"
    assert any(said in text and "what was stored is kept" in text for text in done.warnings), done.warnings
    findings = {(f["level"], f["code"], f["date"]) for f in done.note["quality"]["findings"]}
    assert {("amber", "disagrees", "2020-01-07"), ("amber", "disagrees", "2020-01-03")} <= findings
    assert done.bars.close[3, 0] == pytest.approx(53)
    assert done.bars.dividend is not None and done.bars.dividend[1, 0] == 0
    assert any("a dividend of 1 on 2020-01-03, where none is stored" in text for text in done.warnings)


def test_a_split_that_is_told_late_is_told(desk: Desk, yahoo: FakeYahoo) -> None:
    """For days Yahoo may list no split, with prices of before and after beside each other."""
    yahoo.symbols["AAA"] = daily(CLOSES)
    assert "jump" in desk.fetch(symbols=["AAA"]).codes
    yahoo.symbols["AAA"] = daily(CLOSES, {"2020-01-06": 2.0})
    kept = desk.fetch(symbols=["AAA"], start="2020-01-01")
    assert any("a split of 2 on 2020-01-06, where none is stored" in text for text in kept.warnings)
    assert kept.bars.split is not None and (kept.bars.split == 1).all()


def test_a_429_is_waited_for(desk: Desk, yahoo: FakeYahoo) -> None:
    yahoo.fault = lambda symbol, n: 429 if symbol == "BBB" and n <= 2 else 0  # yfinance itself asks twice
    done = desk.fetch(symbols=["AAA", "BBB"])
    assert done.code == 0
    assert "yahoo answers BBB with 429: too many requests for now. It is asked again in 0.01 s." in done.warnings


def test_a_provider_that_stays_silent_ends_the_run_and_what_was_fetched_is_kept(desk: Desk, yahoo: FakeYahoo) -> None:
    yahoo.symbols["CCC"] = yahoo.symbols["BBB"]
    yahoo.fault = lambda symbol, n: 429 if symbol == "BBB" else 0
    done = desk.fetch(symbols=["AAA", "BBB", "CCC"], retries=1)
    assert done.code != 0
    assert done.sentence.startswith("BBB cannot be had. yahoo answers BBB with 429: too many requests for now.")
    assert "So too CCC." in done.sentence and "What was fetched is kept" in done.sentence
    assert yahoo.counted("CCC") == 0  # nobody knocks again at a closed door
    yahoo.fault = lambda symbol, n: 0
    yahoo.asked.clear()
    again = desk.fetch(symbols=["AAA", "BBB", "CCC"])
    assert again.code == 0 and again.note["asked"] == {"AAA": 0, "BBB": 6, "CCC": 6}


def test_killed_in_the_middle_it_goes_on(desk: Desk, yahoo: FakeYahoo) -> None:
    yahoo.fault = lambda symbol, n: (yahoo.hold.clear() or 0) if symbol == "BBB" else 0
    job, _ = desk.start(symbols=["AAA", "BBB"])
    until(lambda: yahoo.counted("BBB") == 1, within_s=30, what="the question for BBB")
    job.send_signal(signal.SIGKILL)
    job.communicate()
    yahoo.fault = lambda symbol, n: 0
    yahoo.hold.set()
    done = desk.fetch(symbols=["AAA", "BBB"])
    assert (done.code, done.note["asked"]) == (0, {"AAA": 0, "BBB": 6})


def test_unknown_symbols(desk: Desk) -> None:
    done = desk.fetch(symbols=["AAA", "ZZZ"])
    assert done.sentence == (
        "ZZZ cannot be had. yahoo does not have ZZZ: No data found, symbol may be delisted. "
        "What was fetched is kept; missing: leave_out makes a dataset of the others."
    )
    left = desk.fetch(symbols=["AAA", "ZZZ"], missing="leave_out")
    assert (left.code, left.note["symbols"], list(left.note["left_out"])) == (0, ["AAA"], ["ZZZ"])
    assert any(text.startswith("ZZZ was asked for and is left out. yahoo does not have ZZZ") for text in left.warnings)


def test_nothing_at_all_is_refused_even_where_symbols_may_be_left_out(desk: Desk) -> None:
    done = desk.fetch(symbols=["ZZZ"], missing="leave_out")
    assert done.sentence.startswith("ZZZ cannot be had.") and "leave_out" not in done.sentence


def test_the_next_source_serves_what_the_first_has_not(desk: Desk, yahoo: FakeYahoo) -> None:
    yahoo.symbols["AAA"] = daily({"2010-01-04": 20.0, "2010-01-05": 21.0})
    done = desk.fetch(symbols=["AAA", "SP500"], sources=["yahoo", "sample"], start="2010-01-04", end="2010-01-05")
    assert done.note["served"] == {"AAA": "yahoo", "SP500": "sample"}
    assert any(text.endswith("SP500 is taken from sample.") for text in done.warnings)
    assert "yahoo (yfinance" in done.note["source"] and "sample: SP500" in done.note["source"]
    assert done.bars.close[0, 1] == pytest.approx(1132.99)


def test_the_same_prices_under_a_second_id_are_a_dataset_too(desk: Desk, yahoo: FakeYahoo) -> None:
    yahoo.symbols["AAA"] = daily({"2020-01-02": 20.0, "2020-01-03": 21.0})
    first, second = (
        desk.fetch(id="yahoo/one", symbols=["AAA"]),
        desk.fetch(id="yahoo/two", symbols=["AAA"], title="Two"),
    )
    assert first.note["version"] == second.note["version"]
    one, two = (Catalog(desk.datasets).find(id) for id in ("yahoo/one", "yahoo/two"))
    assert (one.version, one.title, two.title) == (two.version, "AAA, 1d", "Two")


def test_indices_are_known_by_their_mark_by_their_source_and_by_who_asks(desk: Desk, yahoo: FakeYahoo) -> None:
    for symbol in ("AAA", "BBB", "^DJI", "DX-Y.NYB"):
        yahoo.symbols[symbol] = daily({"2010-01-04": 20.0, "2010-01-05": 21.0})
    yahoo.symbols["DX-Y.NYB"].kind = "INDEX"
    asked = {"symbols": ["AAA", "^DJI", "BBB", "SP500", "DX-Y.NYB"], "sources": ["yahoo", "sample"],
             "start": "2010-01-04", "end": "2010-01-05"}  # fmt: skip
    assert desk.fetch(**asked).note["indices"] == ["^DJI", "SP500", "DX-Y.NYB"]
    again = desk.fetch(**asked, indices=["BBB"])  # from the raw copies: Yahoo is not asked what they are
    assert again.note["indices"] == ["^DJI", "BBB", "SP500", "DX-Y.NYB"]
    assert sum(again.note["asked"].values()) == 0
    assert Catalog(desk.datasets).find("yahoo/mine").indices == ("^DJI", "BBB", "SP500", "DX-Y.NYB")


def test_a_second_fetch_waits_for_nobody(desk: Desk, yahoo: FakeYahoo) -> None:
    """By hand, beside the queue: the provider is asked by one at a time all the same."""
    yahoo.fault = lambda symbol, n: yahoo.hold.clear() or 0
    job, _ = desk.start(symbols=["AAA"])
    until(lambda: yahoo.counted("AAA") == 1, within_s=30, what="the first question")
    done = desk.fetch(symbols=["BBB"])
    yahoo.hold.set()
    job.communicate(timeout=60)
    assert done.sentence == "Another fetch from yahoo is at work; start this one again when it has ended."
    assert job.returncode == 0


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"interval": "1m"}, "start: Must be "),
        (
            {"calendar": "24/7", "interval": "1h", "start": None, "end": None},
            "AAA cannot be had. yahoo has no bars of 1h of AAA",
        ),
        ({"end": "2999-01-01"}, "end: Must not lie after today"),
        ({"symbols": ["../x"]}, "symbols.0: Must be a symbol in capitals"),
    ],
)
def test_bad_input_is_one_sentence(desk: Desk, config: dict[str, object], said: str) -> None:
    done = desk.fetch(**({"symbols": ["AAA"]} | config))
    assert done.code != 0 and done.sentence.startswith(said), done.sentence


def test_no_name_of_a_symbol_is_part_of_a_path(desk: Desk) -> None:
    desk.fetch(symbols=["AAA"])
    assert not [path for path in desk.datasets.rglob("*") if "AAA" in path.name]


def test_hours_of_the_last_weeks(desk: Desk, yahoo: FakeYahoo) -> None:
    """Yahoo keeps them for two years from today, so this test lives in the present: on the grid of the exchange."""
    today = dt.datetime.now(dt.UTC).date()
    known = grid("XNYS", "1h", today - dt.timedelta(days=30), today - dt.timedelta(days=2))
    day = known.session[-8].item()  # a split in the last of the weeks
    starts = [start.astype("datetime64[s]").item().replace(tzinfo=dt.UTC).astimezone(NEW_YORK) for start in known.start]
    prices = [(100.0 + row) / (2 if start.date() >= day else 1) for row, start in enumerate(starts)]
    bars = {start: (p, p * 1.01, p * 0.99, p, 50.0) for start, p in zip(starts, prices, strict=True)}
    yahoo.symbols["AAA"] = Truth(bars, {day: 2.0})
    done = desk.fetch(
        symbols=["AAA"], interval="1h", start=str(known.session[0]), end=str(today - dt.timedelta(days=2))
    )
    assert done.code == 0, done.err
    found = done.bars
    assert (found.interval, found.n_bars, found.periods_per_year) == ("1h", known.n_bars, 1764)
    assert found.known_at.tolist() == known.known_at.tolist()
    assert found.close[:, 0].tolist() == pytest.approx(prices, rel=1e-12)
    assert found.split is not None
    assert found.session[found.split[:, 0] != 1].tolist() == [day]  # once, on the first bar of its session
    assert done.note["quality"]["level"] == "green", done.note["quality"]


def test_minutes_beyond_what_yahoo_keeps(desk: Desk) -> None:
    assert "yahoo keeps bars of 1m for 29 days only." in desk.fetch(symbols=["AAA"], interval="1m").sentence
