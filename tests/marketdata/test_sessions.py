"""Sessions and closing times of the New York Stock Exchange, against what is publicly known of these days."""

import datetime as dt

import numpy as np
import pytest

from marketdata.sessions import sessions_between


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
