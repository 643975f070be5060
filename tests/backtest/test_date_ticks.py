"""Labels of time along a chart: two or more for any range of three bars or more, none so many that they meet."""

import numpy as np
import pytest

from backtest.report_charts import Series, date_ticks, line_chart

LONG = {"1d": 60 * 24, "1h": 60, "30m": 30, "15m": 15, "5m": 5, "1m": 1}
BARS_A_DAY = {"1d": 1, "1h": 7, "30m": 13, "15m": 26, "5m": 78, "1m": 390}


def closes(interval: str, n: int) -> np.ndarray:
    """`n` closes of weekdays from Monday 2020-03-02, 14:30 UTC on."""
    a_day = BARS_A_DAY[interval]
    days = np.busday_offset("2020-03-02", np.arange(n) // a_day, roll="forward").astype("datetime64[m]")
    minutes = 14 * 60 + 30 + (np.arange(n) % a_day) * LONG[interval]
    return (days if interval == "1d" else days + minutes).astype("datetime64[ns]")


@pytest.mark.parametrize("interval", LONG)
@pytest.mark.parametrize("n", [3, 4, 5, 7, 10, 21, 50, 130, 400, 1500, 9000])
def test_two_to_eight_labels_in_order(interval: str, n: int) -> None:
    times = closes(interval, n)
    for kind in ("ns", "D") if interval == "1d" else ("ns",):
        ticks = date_ticks(times.astype(f"datetime64[{kind}]"))
        assert 2 <= len(ticks) <= 8
        places = [place for place, _ in ticks]
        assert places == sorted(set(places)) and places[0] >= 0 and places[-1] < n
        assert len({text for _, text in ticks}) == len(ticks)


def test_a_week_begins_on_monday_and_a_session_has_hours() -> None:
    weeks = date_ticks(np.array(closes("1d", 22), "datetime64[D]"))
    assert weeks == [(5, "9 Mar"), (10, "16 Mar"), (15, "23 Mar"), (20, "30 Mar")]
    assert date_ticks(closes("1m", 240)) == [(30, "15:00"), (90, "16:00"), (150, "17:00"), (210, "18:00")]
    assert date_ticks(closes("1d", 3)) == [(1, "3 Mar"), (2, "4 Mar")]
    assert date_ticks(closes("1h", 10))[0] == (1, "2 Mar 15:30")


def test_years_and_months_as_before() -> None:
    assert [text for _, text in date_ticks(closes("1d", 1100))] == ["2021", "2022", "2023", "2024"]
    assert [text for _, text in date_ticks(closes("1d", 80))] == ["2020-04", "2020-05", "2020-06"]


def test_a_narrow_log_scale_has_labels_too() -> None:
    """Equity between 0.9 and 1.3: of 1, 2, 5 times powers of ten only 1 would fit."""
    values = np.linspace(0.9, 1.3, 30)
    chart = line_chart("x", [Series("x", 1, True, False, values)], closes("1d", 30), logarithmic=True)
    assert len(chart.y) >= 3 and "1" in [tick.text for tick in chart.y]
