"""Bars: selection, spans, presence, and a hash of what they say."""

import dataclasses

import numpy as np
import pytest

from marketdata.bars import PERIODS_PER_YEAR, Bars, BarsError, Delisting
from tests.marketdata.build import bars_of, closing_times, day, random_ohlcv, weekdays, with_actions


def test_present_is_a_finite_close_above_zero():
    bars = bars_of([1.0, np.nan, 0.0, -2.0, np.inf, 3.0])
    assert bars.present[:, 0].tolist() == [True, False, False, False, False, True]


def test_fields_are_those_that_exist():
    assert bars_of([1.0, 2.0]).fields == {"close"}
    assert random_ohlcv(5).fields == {"open", "high", "low", "close", "volume"}


def test_between_takes_both_ends_and_rates_along():
    session = np.array(["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"], dtype="datetime64[D]")
    bars = bars_of([1.0, 2.0, 3.0, 4.0], session=session, rates={"bill": np.array([0.1, 0.2, 0.3, 0.4])})
    part = bars.between(day("2020-01-03"), day("2020-01-06"))
    assert part.close[:, 0].tolist() == [2.0, 3.0]
    assert part.rates["bill"].tolist() == [0.2, 0.3]
    assert part.known_at.tolist() == bars.known_at[1:3].tolist()
    weekend_to_weekend = bars.between(day("2020-01-04"), day("2020-01-12"))
    assert weekend_to_weekend.close[:, 0].tolist() == [3.0, 4.0]


def test_between_without_a_session_is_refused():
    with pytest.raises(BarsError, match="no session lies between 2020-01-04 and 2020-01-05"):
        bars_of([1.0, 2.0]).between(day("2020-01-04"), day("2020-01-05"))


def test_select_keeps_the_order_asked_for():
    bars = bars_of([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert bars.select(["C", "A"]).close.tolist() == [[3.0, 1.0], [6.0, 4.0]]
    assert bars.select(["C", "A"]).symbols == ("C", "A")
    with pytest.raises(BarsError, match="Z"):
        bars.select(["Z"])


def test_arrays_are_contiguous_after_a_selection():
    part = random_ohlcv(20, assets=4).select(["D", "B"]).between(day("2020-01-06"), day("2020-01-10"))
    assert all(part.column(name).flags.c_contiguous for name in part.fields)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"close": np.ones((3, 2))}, "close"),
        ({"volume": np.ones((4, 1))}, "volume"),
        ({"rates": {"bill": np.ones(4)}}, "bill"),
        ({"symbols": ()}, "symbol"),
        ({"symbols": ("A", "A"), "close": np.ones((3, 2))}, "repeat"),
        ({"session": weekdays(3)[::-1]}, "session"),
        ({"session": weekdays(3)[[0, 1, 1]]}, "session"),
        ({"known_at": closing_times(weekdays(4))}, "known_at"),
        ({"interval": "2h"}, "2h"),
    ],
)
def test_arrays_that_make_no_bars_are_refused(change, word):
    good = {
        "symbols": ("A",), "session": weekdays(3), "known_at": closing_times(weekdays(3)), "close": np.ones((3, 1)),
    }  # fmt: skip
    Bars(**good)
    with pytest.raises(BarsError, match=word):
        Bars(**good | change)


def test_the_hash_is_of_what_is_said_not_of_memory():
    bars = random_ohlcv(30)
    bars.close[3, 1] = np.nan
    other_nan = bars.close.copy().view("uint64")
    other_nan[3, 1] ^= 1  # another bit pattern of NaN
    twin = dataclasses.replace(bars, close=np.asfortranarray(other_nan.view("float64")))
    assert np.isnan(twin.close[3, 1])
    assert twin.content_hash() == bars.content_hash()
    zero, minus = (bars_of([1.0, 2.0], volume=[value, 1.0]) for value in (0.0, -0.0))
    assert zero.content_hash() == minus.content_hash()


def test_the_hash_changes_with_each_part():
    base = bars_of([[1.0, 2.0], [3.0, 4.0]], volume=np.ones((2, 2)), rates={"bill": np.zeros(2)})
    other = {
        "symbols": ("B", "A"),
        "session": weekdays(3)[1:],
        "known_at": base.known_at + np.timedelta64(1, "ns"),
        "close": base.close + 1e-12,
        "volume": None,
        "open": base.close,
        "rates": {"note": np.zeros(2)},
        "adjustment": "split",
    }
    hashes = {dataclasses.replace(base, **{name: value}).content_hash() for name, value in other.items()}
    assert len(hashes | {base.content_hash()}) == len(other) + 1


def test_actions_membership_and_delistings_go_along_with_a_selection_and_a_span():
    bars = with_actions(random_ohlcv(20, assets=3))
    part = bars.select(["C", "A"]).between(bars.session[4].item(), bars.session[15].item())
    assert part.split[:, 1].tolist() == bars.split[4:16, 0].tolist()
    assert part.dividend[:, 0].tolist() == bars.dividend[4:16, 2].tolist()
    assert part.member[:, 0].tolist() == bars.member[4:16, 2].tolist()
    assert list(part.delistings) == ["C"]
    assert part.last_bar.tolist() == [6, -1]


def test_a_delisting_outside_the_span_is_no_last_bar():
    bars = with_actions(random_ohlcv(20, assets=3))
    assert bars.between(bars.session[0].item(), bars.session[10].item()).last_bar.tolist() == [-1, -1, -1]
    assert bars.between(bars.session[11].item(), bars.session[19].item()).last_bar.tolist() == [-1, -1, -1]


def test_the_hash_tells_actions_membership_and_delistings_apart_and_plain_bars_keep_theirs():
    plain = random_ohlcv(20, assets=3)
    full = with_actions(plain)
    parts = [dataclasses.replace(full, **{name: None}) for name in ("split", "dividend", "member")]
    parts.append(dataclasses.replace(full, delistings={}))
    assert len({each.content_hash() for each in [plain, full, *parts]}) == 6


def test_impossible_actions_are_refused_with_symbol_and_date():
    bars = random_ohlcv(3, assets=1)
    with pytest.raises(BarsError, match=f"split of A on {bars.session[1]} is 0.0, and must be more than 0"):
        dataclasses.replace(bars, split=np.array([[1.0], [0.0], [1.0]]))
    with pytest.raises(BarsError, match=f"dividend of A on {bars.session[2]}"):
        dataclasses.replace(bars, dividend=np.array([[0.0], [0.0], [-1.0]]))
    with pytest.raises(BarsError, match="belongs to raw prices"):
        dataclasses.replace(bars, adjustment="split", dividend=np.zeros((3, 1)))
    with pytest.raises(BarsError, match="Z"):
        dataclasses.replace(bars, delistings={"Z": Delisting(bars.session[1].item())})


def test_intraday_bars_share_a_session():
    session = np.array(["2024-01-02", "2024-01-02", "2024-01-03"], dtype="datetime64[D]")
    known = np.array(["2024-01-02T15:30", "2024-01-02T16:30", "2024-01-03T15:30"], dtype="datetime64[ns]")
    bars = Bars(("A",), session, known, np.ones((3, 1)), interval="1h")
    assert bars.periods_per_year == 1764
    assert bars.between(session[0].item(), session[0].item()).n_bars == 2
    with pytest.raises(BarsError, match="known_at"):
        dataclasses.replace(bars, known_at=known[[0, 0, 2]])


def test_periods_a_year_are_fixed_by_calendar_and_interval():
    known = {"1d": 252, "1h": 1764, "15m": 6552, "1m": 98_280}
    assert {interval: PERIODS_PER_YEAR["XNYS", interval] for interval in known} == known
    assert PERIODS_PER_YEAR["24/7", "1d"] == 365
    assert PERIODS_PER_YEAR["24/7", "1h"] == 365 * 24
