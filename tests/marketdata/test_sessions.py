"""Sessions and closing times of the New York Stock Exchange, against what is publicly known of these days."""

import datetime as dt

import numpy as np
import pytest

from marketdata.bars import BARS_A_DAY, PERIODS_PER_YEAR
from marketdata.sessions import grid, sessions_between


def dates(found):
    return [str(session) for session in found.session]


def close_of(text):
    date = dt.date.fromisoformat(text)
    (close,) = sessions_between("XNYS", date, date).close
    return str(close)[:16]


def test_the_day_of_mourning_of_january_2025_has_no_session():
    found = sessions_between("XNYS", dt.date(2025, 1, 6), dt.date(2025, 1, 13))
    assert dates(found) == ["2025-01-06", "2025-01-07", "2025-01-08", "2025-01-10", "2025-01-13"]


def test_the_market_was_closed_after_11_september_2001():
    found = sessions_between("XNYS", dt.date(2001, 9, 10), dt.date(2001, 9, 18))
    assert dates(found) == ["2001-09-10", "2001-09-17", "2001-09-18"]


@pytest.mark.parametrize(
    ("date", "close"),
    [
        ("1990-01-02", "1990-01-02T21:00"),  # far outside the library's own window of twenty years
        ("2022-07-05", "2022-07-05T20:00"),  # summer time
        ("2022-12-28", "2022-12-28T21:00"),
        ("2026-11-27", "2026-11-27T18:00"),  # the half day after Thanksgiving
        ("2018-12-24", "2018-12-24T18:00"),
    ],
)
def test_close_in_utc(date, close):
    assert close_of(date) == close


def test_types_are_days_and_nanoseconds():
    found = sessions_between("XNYS", dt.date(2020, 1, 1), dt.date(2020, 1, 31))
    assert found.session.dtype == np.dtype("datetime64[D]")
    assert found.close.dtype == np.dtype("datetime64[ns]")
    assert len(found.session) == len(found.close) == 21


def test_a_span_without_a_session_is_empty():
    assert len(sessions_between("XNYS", dt.date(2020, 1, 4), dt.date(2020, 1, 5)).session) == 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="calendar must be one of XNYS"):
        sessions_between("XMOON", dt.date(2020, 1, 1), dt.date(2020, 1, 2))
    with pytest.raises(ValueError, match="must not lie after end"):
        sessions_between("XNYS", dt.date(2020, 1, 3), dt.date(2020, 1, 2))


def day(text):
    return dt.date.fromisoformat(text)


def times(found, name):
    return [str(time)[11:16] for time in getattr(found, name)]


def test_hours_of_a_session_end_with_it():
    found = grid("XNYS", "1h", day("2020-01-02"), day("2020-01-02"))
    assert times(found, "start") == ["14:30", "15:30", "16:30", "17:30", "18:30", "19:30", "20:30"]
    assert times(found, "known_at") == ["15:30", "16:30", "17:30", "18:30", "19:30", "20:30", "21:00"]
    assert {str(session) for session in found.session} == {"2020-01-02"}


def test_a_half_day_has_fewer_bars():
    found = grid("XNYS", "1h", day("2026-11-27"), day("2026-11-27"))
    assert (times(found, "start")[0], times(found, "known_at")[-1], found.n_bars) == ("14:30", "18:00", 4)
    assert grid("XNYS", "15m", day("2026-11-27"), day("2026-11-27")).n_bars == 14


def test_summer_time_moves_the_grid_by_an_hour():
    """Clocks went forward on Sunday 2020-03-08."""
    found = grid("XNYS", "1h", day("2020-03-06"), day("2020-03-09"))
    assert [times(found, "start")[row] for row in (0, 7)] == ["14:30", "13:30"]
    assert [times(found, "known_at")[row] for row in (6, 13)] == ["21:00", "20:00"]


@pytest.mark.parametrize("interval", BARS_A_DAY)
def test_a_regular_session_has_the_bars_that_annualisation_counts(interval):
    found = grid("XNYS", interval, day("2020-01-02"), day("2020-01-03"))
    assert found.n_bars == 2 * BARS_A_DAY[interval] == 2 * PERIODS_PER_YEAR["XNYS", interval] / 252
    assert (np.diff(found.known_at) > np.timedelta64(0)).all() and (found.start < found.known_at).all()


@pytest.mark.parametrize(("interval", "count"), [("1d", 1), ("1h", 24), ("15m", 96), ("1m", 1440)])
def test_what_never_closes_has_every_bar_of_a_day_in_utc(interval, count):
    found = grid("24/7", interval, day("2020-02-28"), day("2020-03-01"))
    assert found.n_bars == 3 * count == 3 * PERIODS_PER_YEAR["24/7", interval] / 365
    assert (str(found.start[0])[:16], str(found.known_at[-1])[:16]) == ("2020-02-28T00:00", "2020-03-02T00:00")
    assert [str(session) for session in np.unique(found.session)] == ["2020-02-28", "2020-02-29", "2020-03-01"]


def test_an_unknown_interval_is_named():
    with pytest.raises(ValueError, match="interval must be one of 1d, 1h, 15m, 1m, not 5m"):
        grid("XNYS", "5m", day("2020-01-02"), day("2020-01-03"))
