"""What is asked for and what is kept, by a clock of the test: the chain alone, with a source that is played."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketdata.config_base import ConfigFault
from marketdata.fetch_chain import Chain
from marketdata.fetch_config import DataConfig, resolved
from marketdata.fetch_raw import RawCopies
from marketdata.sources import base
from marketdata.sources.base import Asked, History, HistorySpec, NoHistory, TryLater


class Played:
    """Daily closes 100, 101, … by day of January 2020, up to the question's now; told what was asked."""

    key = "played"
    license_note = "Played."
    asked: list[Asked] = []
    change: dict[int, float] = {}
    faults: list[Exception | None] = []

    def history(self, asked: Asked) -> History:
        type(self).asked.append(asked)
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        last = min(asked.now.date(), dt.date(2020, 1, 31))
        days = [day for day in np.arange(asked.start, np.datetime64(last) + 1) if np.is_busday(day)]
        close = [self.change.get(day.item().day, 99.0 + day.item().day) for day in days]
        return History(np.array(days, "datetime64[D]"), {"close": np.array(close)})


@pytest.fixture(autouse=True)
def _played(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = HistorySpec(f"{__name__}:Played", "Played", True, {"1d": None, "1h": 60}, ("XNYS",))
    monkeypatch.setitem(base.HISTORIES, "played", spec)
    monkeypatch.setattr(Played, "asked", [])
    monkeypatch.setattr(Played, "change", {})
    monkeypatch.setattr(Played, "faults", [])


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


class Desk:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.told: list[str] = []
        self.slept: list[float] = []

    def chain(self, now: str, **config: Any) -> Chain:
        asked = {"id": "played/x", "symbols": ["AAA"], "start": "2020-01-02", "sources": ["played"]} | config
        found = resolved(DataConfig.model_validate(asked), at(now).date())
        return Chain(found, self.root, at(now), self.told.append, self.slept.append)

    def closes(self, now: str, **config: Any) -> list[float]:
        served = self.chain(now, **config).serve("AAA")
        assert served is not None
        return [float(x) for x in served.known.columns["close"]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_bar_that_is_still_being_traded_is_not_kept(desk: Desk) -> None:
    """New York closes at 21:00 UTC in winter."""
    assert desk.closes("2020-01-07 20:59") == [101, 102, 105]
    assert desk.closes("2020-01-07 21:01") == [101, 102, 105, 106]


def test_each_day_brings_its_bars_and_an_overlap(desk: Desk) -> None:
    desk.closes("2020-01-08 22:00")
    desk.closes("2020-01-08 23:00")
    desk.closes("2020-01-10 22:00", overlap=2)
    assert [asked.start for asked in Played.asked] == [dt.date(2020, 1, 2), dt.date(2020, 1, 7)]


def test_a_symbol_that_has_ended_is_asked_once_more_and_not_every_time(desk: Desk) -> None:
    for day in ("2020-03-03", "2020-03-03", "2020-03-04"):
        desk.closes(f"{day} 22:00", end="2020-02-14")
    assert len(Played.asked) == 1  # asked long after the last bar that is wanted, and it had none later than January
    desk.closes("2020-03-06 22:00")
    assert len(Played.asked) == 2


def test_an_earlier_start_asks_for_everything(desk: Desk) -> None:
    desk.closes("2020-01-08 22:00", start="2020-01-06")
    assert desk.closes("2020-01-08 22:00", start="2020-01-03") == [102, 105, 106, 107]


def test_what_was_said_first_stays_and_all_takes_the_new(desk: Desk) -> None:
    desk.closes("2020-01-08 22:00")
    Played.change = {7: 50.0, 9: 60.0}
    assert desk.closes("2020-01-09 22:00") == [101, 102, 105, 106, 107, 60]
    served = desk.chain("2020-01-12 22:00", refetch="all").serve("AAA")
    assert served is not None and served.known.columns["close"].tolist() == [101, 102, 105, 50, 107, 60, 109]
    told = [text for _, text in served.known.disagreements]
    assert any("now says a close of 50 on 2020-01-07, where 106 is stored" in text for text in told)
    assert all(text.endswith("the new is taken.") for text in told)
    assert desk.closes("2020-01-12 22:00", refetch="all")[3] == 50 and len(Played.asked) == 3  # fresh: not again
    assert desk.closes("2020-01-12 22:00")[3] == 106  # who does not ask for it keeps what was said first


def test_a_rounding_is_no_disagreement(desk: Desk) -> None:
    desk.closes("2020-01-08 22:00")
    Played.change = {7: 106 * (1 + 5e-5)}
    served = desk.chain("2020-01-09 22:00").serve("AAA")
    assert served is not None and served.known.disagreements == ()


def test_waits_double_and_what_the_provider_asks_for_is_heeded(desk: Desk) -> None:
    Played.faults = [TryLater("Busy."), TryLater("Busy.", 90.0), TryLater("Busy.")]
    assert len(desk.closes("2020-01-08 22:00", wait_s=30.0)) == 5
    assert desk.slept == [30, 90, 120]
    assert desk.told[0] == "Busy. It is asked again in 30 s."


def test_a_silent_provider_is_not_asked_for_the_next_symbol(desk: Desk) -> None:
    Played.faults = [TryLater("Busy.")] * 9
    chain = desk.chain("2020-01-08 22:00", retries=1, symbols=["AAA", "BBB"])
    assert (chain.serve("AAA"), chain.serve("BBB"), len(Played.asked)) == (None, None, 2)
    assert chain.failed["AAA"] == ["Busy. It did not answer in 2 tries; start again later: what was fetched is kept."]
    assert chain.failed["BBB"] == ["BBB was not asked of played, which did not answer in 2 tries."]


def test_a_fetch_waits_half_an_hour_in_all(desk: Desk) -> None:
    """Whatever its retries say, and over all symbols together: others stand behind it."""
    Played.faults = [TryLater("Busy.")] * 50
    chain = desk.chain("2020-01-08 22:00", retries=20, wait_s=900.0, symbols=["AAA", "BBB"])
    assert (chain.serve("AAA"), chain.serve("BBB"), desk.slept) == (None, None, [900, 900])
    assert chain.failed["AAA"] == [
        "Busy. It had this fetch wait for 1800 s and wants 900 s more, over the 1800 s that a fetch waits; "
        "start again later: what was fetched is kept."
    ]


def test_waits_for_one_symbol_count_for_the_next(desk: Desk) -> None:
    Played.faults = [TryLater("Busy.", 900.0), None, TryLater("Busy.", 900.0), None, TryLater("Busy.", 1.0)]
    chain = desk.chain("2020-01-08 22:00", wait_s=1.0, symbols=["AAA", "BBB", "CCC"])
    assert [chain.serve(symbol) is None for symbol in ("AAA", "BBB", "CCC")] == [False, False, True]
    assert desk.slept == [900, 900] and len(Played.asked) == 5


def test_a_symbol_that_the_provider_has_no_more_is_served_from_what_is_stored(desk: Desk) -> None:
    desk.closes("2020-01-08 22:00")
    Played.faults = [NoHistory("played does not have AAA.")]
    assert len(desk.closes("2020-01-09 22:00")) == 5
    assert desk.told == ["played does not have AAA. What is stored of AAA is used."]


def test_a_torn_copy_is_asked_for_again(desk: Desk, tmp_path: Path) -> None:
    desk.closes("2020-01-08 22:00")
    (path,) = tmp_path.rglob("*.json.gz")
    path.write_bytes(path.read_bytes()[:40])
    assert len(desk.closes("2020-01-08 23:00")) == 5 and len(Played.asked) == 2
    assert len(RawCopies(tmp_path, "played", "1d").pieces("AAA")) == 1


def test_copies_are_only_added(desk: Desk, tmp_path: Path) -> None:
    desk.closes("2020-01-08 22:00")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json.gz")}
    desk.closes("2020-01-12 22:00", refetch="all")
    after = {path: path.read_bytes() for path in tmp_path.rglob("*.json.gz")}
    assert len(after) == 2 and before.items() <= after.items()


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"interval": "1h"}, "start", "Must be 2020-02-21 or later: played keeps bars of 1h for 60 days only."),
        ({"interval": "1m"}, "interval", "No source of the chain has 1m on XNYS: played offers 1d, 1h on XNYS."),
        ({"calendar": "24/7"}, "interval", "No source of the chain has 1d on 24/7: played offers 1d, 1h on XNYS."),
        ({"start": "2020-04-21", "end": "2020-05-01"}, "end", "Must not lie after today, 2020-04-21."),
        ({"start": "2020-04-21"}, "start", "Must lie before today, 2020-04-21."),
    ],
)
def test_what_no_source_keeps_is_refused(desk: Desk, config: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ConfigFault) as fault:
        desk.chain("2020-04-21 12:00", **config)
    assert words in fault.value.errors[field]


def test_a_start_that_is_left_empty_is_said(desk: Desk) -> None:
    assert desk.chain("2020-04-21 12:00", interval="1h", start=None).config.start == dt.date(2020, 2, 21)
    assert desk.chain("2020-04-21 12:00", start=None).config.start == dt.date(2010, 4, 22)
