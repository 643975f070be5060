"""Longer bars: made of the symbol's own, there when the calendar says that they are complete, and not a bar earlier."""

import dataclasses
import datetime as dt
import functools

import numpy as np
import pytest

from marketdata.bars import Bars
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.features import FeaturePlan, build_features, feature_plan
from marketdata.indicators.registry import IndicatorError, parse
from marketdata.sessions import sessions_between
from marketdata.timeframes import periods
from tests.marketdata.build import closing_times, random_bars


def daily(first: str, last: str, calendar: str = "XNYS", assets: int = 1) -> Bars:
    """A random walk on every session of the calendar."""
    days = sessions_between(calendar, dt.date.fromisoformat(first), dt.date.fromisoformat(last)).session
    bars = random_bars(len(days), assets)
    return dataclasses.replace(bars, session=days, known_at=closing_times(days), calendar=calendar)


@functools.cache
def whole(calendar: str) -> Bars:
    return daily("2022-01-03", "2024-06-28", calendar)


def intraday(first: str, last: str, minutes: int, interval: str) -> Bars:
    """Bars of a few minutes on every session of the exchange."""
    known = sessions_between("XNYS", dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    step = np.timedelta64(minutes, "m")
    ends = [np.append(np.arange(a + step, b, step), b) for a, b in zip(known.open, known.close, strict=True)]
    sessions = np.repeat(known.session, [len(each) for each in ends])
    bars = random_bars(len(sessions), 1)
    return dataclasses.replace(bars, session=sessions, known_at=np.concatenate(ends), interval=interval)


def values(text: str, bars: Bars) -> np.ndarray:
    call = parse(text, bars.interval, bars.calendar)
    return build_features(bars, FeaturePlan((call,), ())).values[:, :, 0]


def ends(bars: Bars, timeframe: str) -> list[str]:
    return [str(day) for day in bars.session[periods(bars, timeframe).last]]


def test_a_week_ends_on_the_last_day_that_the_calendar_expects() -> None:
    bars = daily("2024-03-25", "2024-04-12")  # Good Friday is 29 March
    assert ends(bars, "1w") == ["2024-03-28", "2024-04-05", "2024-04-12"]


def test_a_month_ends_so_too_also_with_the_data() -> None:
    bars = daily("2024-02-26", "2024-05-31")  # 29 March is Good Friday, 30 and 31 a weekend
    assert ends(bars, "1mo") == ["2024-02-29", "2024-03-28", "2024-04-30", "2024-05-31"]
    assert ends(daily("2024-05-01", "2024-05-30"), "1mo") == []


def test_what_no_calendar_could_know_does_not_end_a_week() -> None:
    """On Monday 10 September 2001 four more days were to come; so on 26 October 2012, before the storm, a Friday."""
    assert ends(daily("2001-09-03", "2001-09-21"), "1w") == ["2001-09-07", "2001-09-21"]
    assert ends(daily("2012-10-22", "2012-11-02"), "1w") == ["2012-10-26", "2012-11-02"]
    assert ends(daily("2012-10-01", "2012-10-26"), "1mo") == []


def test_where_trading_never_stops_weeks_end_on_sunday() -> None:
    assert ends(daily("2024-03-01", "2024-03-31", "24/7"), "1w") == [f"2024-03-{d:02}" for d in (3, 10, 17, 24, 31)]


def weekly_closes(bars: Bars) -> dict[np.datetime64, float]:
    """By the Monday of each week, in plain Python: the last close."""
    found: dict[np.datetime64, float] = {}
    for day, close in zip(bars.session, bars.close[:, 0], strict=True):
        found[day - (day.item().weekday())] = close
    return found


def test_the_value_is_that_of_the_last_complete_week() -> None:
    """Bar by bar: on the week's last session its own return, on all others that of the week before."""
    bars = daily("2023-01-02", "2024-06-28")
    weeks = weekly_closes(bars)
    mondays = sorted(weeks)
    got = values("log_return(1)@1w", bars)[:, 0]
    sessions = sessions_between("XNYS", dt.date(2023, 1, 2), dt.date(2024, 7, 8)).session
    compared = 0
    for t, day in enumerate(bars.session):
        place = mondays.index(day - day.item().weekday())
        after = sessions[sessions > day][0]
        complete = place if after - after.item().weekday() != mondays[place] else place - 1
        if np.isfinite(got[t]):
            expected = np.log(weeks[mondays[complete]] / weeks[mondays[complete - 1]])
            assert got[t] == pytest.approx(expected, abs=1e-12), day
            compared += 1
    assert compared > 300


def test_high_low_open_and_volume_of_a_week() -> None:
    bars = daily("2024-01-02", "2024-03-28")
    rows = slice(-4, None)  # Monday to Thursday before Good Friday
    assert bars.open is not None and bars.high is not None and bars.low is not None
    high, low = bars.high[rows, 0].max(), bars.low[rows, 0].min()
    assert values("high_low@1w", bars)[-1, 0] == pytest.approx(np.log(high / low), abs=1e-12)
    assert values("body@1w", bars)[-1, 0] == pytest.approx(np.log(bars.close[-1, 0] / bars.open[-4, 0]), abs=1e-12)
    assert values("high_low@1w", bars)[-2, 0] != values("high_low@1w", bars)[-1, 0]


def test_a_symbol_without_the_last_bar_of_a_week_waits_for_its_next_one() -> None:
    bars = daily("2023-06-01", "2024-06-28")
    friday = int(np.flatnonzero(bars.session == np.datetime64("2024-05-17"))[0])
    without = dataclasses.replace(bars, close=bars.close.copy())
    without.close[friday] = np.nan
    got, whole = (values("log_return(1)@1w", each)[:, 0] for each in (without, bars))
    assert np.isnan(got[friday]) and got[friday - 1] == whole[friday - 1]
    weeks = weekly_closes(without)
    last, before = bars.close[friday - 1, 0], weeks[np.datetime64("2024-05-06")]
    assert got[friday + 1] == pytest.approx(np.log(last / before), abs=1e-12)  # Thursday's close is the week's


@pytest.mark.parametrize(("text", "calendar"), [("sma_gap(4)@1w", "XNYS"), ("momentum(6,1)@1mo", "XNYS"),
                                                ("volatility(5)@1w", "24/7")])  # fmt: skip
@pytest.mark.parametrize("shift", range(0, 40, 7))
def test_the_warm_up_is_an_upper_bound_and_not_far_off(text: str, calendar: str, shift: int) -> None:
    bars = whole(calendar)
    bars = bars.between(bars.session[shift].item(), bars.session[-1].item())
    call = parse(text, "1d", calendar)
    got = values(text, bars)[:, 0]
    assert np.isnan(got[: call.warmup]).all() and np.isfinite(got[call.warmup :]).all()
    late = random_bars(1)
    assert late.n_bars == 1 and np.isnan(values(text, late)).all()


def test_a_late_symbol_has_a_warm_up_of_its_own() -> None:
    bars = daily("2022-01-03", "2024-06-28", assets=2)
    for name in ("open", "high", "low", "close", "volume"):
        bars.column(name)[:101, 1] = np.nan  # type: ignore[index]
    call = parse("sma_gap(4)@1w")
    got = values("sma_gap(4)@1w", bars)
    assert np.isnan(got[: 101 + call.warmup, 1]).all() and np.isfinite(got[101 + call.warmup :, 1]).all()


def test_where_the_data_begin_does_not_matter_after_the_warm_up() -> None:
    bars = daily("2020-01-02", "2024-06-28")
    call = parse("sma_gap(10)@1w")
    for cut in (1, 2, 3, 4, 17):
        later = bars.between(bars.session[cut].item(), bars.session[-1].item())
        np.testing.assert_allclose(
            values(call.name, later)[call.warmup :], values(call.name, bars)[cut + call.warmup :], atol=1e-12
        )


def test_an_hour_of_quarters_ends_at_the_open_plus_whole_hours_and_at_a_half_days_close() -> None:
    bars = intraday("2024-11-27", "2024-12-02", 15, "15m")  # 29 November closes at 13:00 in New York, 18:00 UTC
    last = periods(bars, "1h").last
    at = [str(time)[11:16] for time in bars.known_at[last & (bars.session == np.datetime64("2024-11-29"))]]
    assert at == ["15:30", "16:30", "17:30", "18:00"]
    at = [str(time)[11:16] for time in bars.known_at[last & (bars.session == np.datetime64("2024-11-27"))]]
    assert at == ["15:30", "16:30", "17:30", "18:30", "19:30", "20:30", "21:00"]


def test_a_session_of_hours_ends_at_its_close_also_on_a_half_day() -> None:
    bars = intraday("2024-11-25", "2024-12-06", 60, "1h")
    last = periods(bars, "1d").last
    assert [str(day) for day in bars.session[last]] == [str(day) for day in np.unique(bars.session)]
    assert str(bars.known_at[last][3])[:16] == "2024-11-29T18:00"
    assert [str(day) for day in bars.session[periods(bars, "1w").last]] == ["2024-11-29", "2024-12-06"]


def test_days_of_intraday_bars_are_those_of_daily_bars() -> None:
    """sma_gap(5) of sessions at each session's last bar, from closes taken by hand."""
    bars = intraday("2024-10-01", "2024-12-06", 60, "1h")
    last = np.flatnonzero(periods(bars, "1d").last)
    closes = bars.close[last, 0]
    got = values("sma_gap(5)@1d", bars)[:, 0]
    for day in range(10, len(last)):
        assert got[last[day]] == pytest.approx(closes[day] / closes[day - 4 : day + 1].mean() - 1, abs=1e-12)
        assert got[last[day] - 1] == pytest.approx(closes[day - 1] / closes[day - 5 : day].mean() - 1, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "interval", "words"),
    [
        ("rsi(14)@1d", "1d", "rsi(14)@1d: @1d needs bars shorter than 1d; these are bars of 1d."),
        ("rsi(14)@1h", "1d", "@1h needs bars shorter than 1h"),
        ("rsi(14)@15m", "1h", "@15m needs bars shorter than 15m"),
        ("rsi(14)@2w", "1d", "rsi(14)@2w asks for periods of 2w; known are 15m, 1h, 1d, 1w, 1mo."),
        ("rsi(14)@", "1d", "has '@' at character 8"),
        ("rsi@1w@1mo", "1d", "has '@1mo' at character 7"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_sentence(text: str, interval: str, words: str) -> None:
    with pytest.raises(IndicatorError) as caught:
        parse(text, interval)
    assert words in str(caught.value) and str(caught.value).endswith(".")


def test_a_configuration_names_the_field() -> None:
    with pytest.raises(ConfigFault) as caught:
        feature_plan(FeaturesConfig(indicators=("rsi(14)@1h",)), {"close"}, "raw")
    assert list(caught.value.errors) == ["features.indicators"]
    plan = feature_plan(
        FeaturesConfig(feature_set=(), indicators=("log_return(1)@1w", "gap@1d")), {"open", "close"}, "raw", "1h"
    )
    assert plan.names == ("log_return(1)@1w", "gap@1d") and plan.warmup == 3 * 35 - 1
