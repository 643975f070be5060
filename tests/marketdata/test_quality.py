"""Each rule on bars made bad by hand."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from marketdata.findings import Finding
from marketdata.quality import check
from tests.marketdata.build import bars_of, random_ohlcv, weekdays


def spoiled(name, row, value, asset=0):
    bars = random_ohlcv(60)
    bars.column(name)[row, asset] = value
    return bars


def found(bars):
    return {(each.level, each.code, each.symbol, str(each.date)) for each in check(bars).findings}


def test_clean_bars_are_green():
    report = check(random_ohlcv(300, assets=3))
    assert (report.level, report.findings, report.refusal) == ("green", (), "")


DAY_20 = str(weekdays(60)[20])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("close", -1.5, f"A has a close of -1.5 on {DAY_20}; prices must be above 0."),
        ("open", 0.0, f"A has an open of 0 on {DAY_20}; prices must be above 0."),
        ("volume", -3.0, f"A has a volume of -3 on {DAY_20}; volume must not be negative."),
        ("low", 1e-13, f"A has a low of 1e-13 on {DAY_20}; 1e-12 to 1e+12 is right."),
        ("volume", 1e300, f"A has a volume of 1e+300 on {DAY_20}; up to 1e+18 is right."),
        ("high", np.inf, f"A has an infinite high on {DAY_20}."),
        ("close", np.inf, f"A has an infinite close on {DAY_20}."),
        ("high", 0.01, "below another price of the bar"),
    ],
)
def test_values_that_cannot_be_block_with_symbol_date_and_field(name, value, words):
    report = check(spoiled(name, 20, value))
    assert report.level == "red"
    assert words in report.refusal
    assert report.refusal.startswith("The data cannot be used: A has a")
    assert report.refusal.count(DAY_20) == 1
    assert DAY_20 in report.refusal and f" {name} " in report.refusal


def test_prices_that_no_account_can_be_kept_with_block():
    found = {finding.code: finding for finding in check(spoiled("open", 20, 1e308)).findings}["out_of_scale"]
    assert (found.level, found.sentence) == ("red", f"A has an open of 1e+308 on {DAY_20}; 1e-12 to 1e+12 is right.")


def test_a_low_above_the_open_blocks():
    bars = spoiled("open", 20, 0.001)
    assert check(bars).level == "red"
    assert f"A has a low of {bars.low[20, 0]:g} on {DAY_20}" in check(bars).refusal


def test_a_rounding_of_the_high_is_told_but_does_not_block():
    bars = random_ohlcv(60)
    top = max(bars.open[20, 0], bars.close[20, 0])
    bars.high[20, 0] = top * (1 - 1e-4)
    assert found(bars) == {("amber", "order", "A", DAY_20)}
    bars.high[20, 0] = top * (1 - 1e-8)
    assert found(bars) == set()


def test_a_missing_close_is_a_gap_of_the_symbol():
    assert found(spoiled("close", 20, np.nan)) == {("amber", "gap", "A", DAY_20)}


def test_a_session_without_any_symbol_is_a_gap_of_the_data():
    bars = random_ohlcv(60)
    for name in bars.fields:
        bars.column(name)[20] = np.nan
    assert ("amber", "session_gap", "", DAY_20) in found(bars)


def test_more_than_a_fifth_missing_blocks():
    bars = random_ohlcv(60)
    bars.close[20:34, 0] = np.nan
    assert ("red", "gap", "A", DAY_20) in found(bars)


def test_missing_fields_of_a_bar_are_told():
    assert found(spoiled("open", 20, np.nan)) == {("amber", "incomplete", "A", DAY_20)}
    assert found(spoiled("volume", 20, np.nan)) == {("amber", "incomplete", "A", DAY_20)}


def test_late_listing_and_early_end_are_told():
    bars = random_ohlcv(60)
    bars.close[:20, 0] = np.nan
    bars.close[40:, 1] = np.nan
    days = [str(session) for session in bars.session]
    assert found(bars) == {("amber", "starts_late", "A", days[20]), ("amber", "ends_early", "B", days[39])}


def test_a_symbol_without_bars_blocks():
    bars = random_ohlcv(60)
    bars.close[:, 1] = np.nan
    report = check(bars)
    assert report.level == "red"
    assert "B has no close from" in report.refusal


def walk(n):
    return 50 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, n)))


def test_a_stale_run_is_told_from_ten_bars_on_and_blocks_after_a_year():
    close = walk(600)
    close[100:109] = close[100]  # nine equal closes
    assert found(bars_of(close)) == set()
    close[100:110] = close[100]
    (finding,) = check(bars_of(close)).findings
    assert (finding.level, finding.code, str(finding.date)) == ("amber", "stale", str(weekdays(600)[100]))
    assert "the same close on 10 bars in a row" in finding.sentence
    close[100:353] = close[100]
    assert check(bars_of(close)).level == "red"


def test_a_jump_without_an_action_is_told_and_a_fivefold_one_blocks():
    close = walk(100)
    close[40:] /= 2
    assert found(bars_of(close)) == {("amber", "jump", "A", str(weekdays(100)[40]))}
    close[40:] /= 5
    assert found(bars_of(close)) == {("red", "jump", "A", str(weekdays(100)[40]))}


def test_a_jump_over_a_gap_is_seen():
    close = walk(100)
    close[40:] /= 2
    close[39] = np.nan
    assert ("amber", "jump", "A", str(weekdays(100)[40])) in found(bars_of(close))


def test_bars_without_trades_are_told():
    assert found(spoiled("volume", 20, 0.0)) == {("amber", "zero_volume", "A", DAY_20)}


def test_opens_filled_in_from_the_close_before_are_told():
    bars = random_ohlcv(60)
    bars.open[1:16, 0] = bars.close[:15, 0]  # 15 of 59
    bars.high[:, 0], bars.low[:, 0] = 1e4, 1.0
    assert found(bars) == {("amber", "open_is_last_close", "A", str(bars.session[1]))}
    bars.open[11:16, 0] *= 1.001
    assert found(bars) == set()


def test_coarse_rounding_of_adjusted_prices_is_told():
    exact = bars_of(walk(100) / 100, adjustment="total_return")
    assert found(exact) == set()
    rounded = bars_of(np.round(walk(100) / 100, 3), adjustment="total_return")
    ((level, code, symbol, _),) = found(rounded)
    assert (level, code, symbol) == ("amber", "coarse", "A")
    assert found(bars_of(np.round(walk(100) / 100, 3), adjustment="raw")) == set()  # there it is a tick


def test_a_weekend_is_no_session():
    bars = bars_of(walk(3), session=["2022-07-01", "2022-07-02", "2022-07-05"])
    assert ("red", "no_session", "", "2022-07-02") in found(bars)


def test_what_the_source_saw_counts_where_it_concerns_these_bars():
    def seen(symbol, date, level="red"):
        return Finding(level, "duplicate", symbol, dt.date.fromisoformat(date), "Seen.")

    stored = random_ohlcv(60)
    first, last = stored.session[20].item(), stored.session[40].item()
    part = stored.between(first, last)
    assert check(part, [seen("A", str(first))], stored).level == "red"
    assert (
        check(part, [seen("Z", str(first)), seen("A", "2019-02-01"), seen("A", "2021-02-01")], stored).level == "green"
    )
    assert check(part, [seen("A", "2021-02-01", "amber"), seen("", "2021-02-01")], stored).level == "green"
    assert check(part, [seen("A", "2019-02-01", "amber")], stored).level == "amber"  # the first of several days
    assert check(part, [seen("", "2019-02-01")], stored).level == "red"


def test_what_the_source_left_out_before_and_after_all_bars_is_told():
    bars = random_ohlcv(60)
    for day in ("2019-02-01", "2021-02-01"):
        finding = Finding("amber", "no_session", "A", dt.date.fromisoformat(day), "Left out.")
        assert check(bars, [finding]).findings == check(bars, [finding], bars).findings == (finding,)
        assert check(bars.select(("A",)), [finding], bars).findings == (finding,)


def test_the_report_as_plain_values():
    report = check(spoiled("close", 20, np.nan)).as_dict()
    assert report["level"] == "amber"
    (finding,) = report["findings"]
    assert finding == {
        "level": "amber", "code": "gap", "symbol": "A", "date": DAY_20,
        "sentence": f"A has no close on 1 session of its span, {DAY_20} first.",
    }  # fmt: skip
    assert Finding.from_dict(finding).as_dict() == finding


def test_red_comes_first():
    bars = spoiled("close", 3, np.nan)
    bars.volume[50, 1] = -1.0
    assert [(each.level, each.symbol) for each in check(bars).findings] == [("red", "B"), ("amber", "A")]


def with_action(close, *, split=(), dividend=()):
    columns = {"split": np.ones((len(close), 1)), "dividend": np.zeros((len(close), 1))}
    for name, found in (("split", split), ("dividend", dividend)):
        for t, amount in found:
            columns[name][t] = amount
    return bars_of(close, **columns)


def test_a_recorded_split_explains_its_jump_and_no_other():
    close = walk(100)
    close[40:] /= 2
    days = [str(day) for day in weekdays(100)]
    assert found(with_action(close, split=[(40, 2.0)])) == set()
    assert found(with_action(close, split=[(41, 2.0)])) == {("amber", "jump", "A", days[40])}
    report = check(with_action(walk(100), split=[(40, 2.0)]))
    assert "which the recorded split of 2 does not explain" in report.findings[0].sentence
    close[38:40] = np.nan  # over a gap, with the split inside it
    assert ("amber", "jump", "A", days[40]) not in found(with_action(close, split=[(39, 2.0)]))


def test_a_dividend_explains_its_fall_and_one_like_the_price_blocks():
    close = walk(100)
    paid = close[39] * 0.45
    close[40:] -= paid
    days = [str(day) for day in weekdays(100)]
    assert found(with_action(close, dividend=[(40, paid)])) == {("amber", "dividend", "A", days[40])}
    report = check(with_action(walk(100), dividend=[(40, 100.0)]))
    assert ("red", "dividend") in {(each.level, each.code) for each in report.findings}
    assert f"A has a dividend of 100 on {days[40]}" in report.refusal


@pytest.mark.parametrize("name", ["split", "dividend"])
def test_an_action_on_the_first_bar_is_told(name):
    report = check(with_action(walk(100), **{name: [(0, 2.0)]}))
    assert [(each.level, each.code) for each in report.findings] == [("amber", "first_bar_action")]
    assert report.findings[0].sentence.endswith("at or before its first close: it changes nothing here.")


def test_shorter_bars_are_counted_in_bars_and_told_by_the_minute():
    session = np.repeat(weekdays(10), 7)
    known_at = session.astype("datetime64[ns]") + np.tile(np.arange(7), 10) * np.timedelta64(1, "h")
    bars = bars_of(walk(70), session=weekdays(70))
    bars = dataclasses.replace(bars, session=session, known_at=known_at, interval="1h")
    bars.close[9] = np.nan
    sentences = {each.code: each.sentence for each in check(bars).findings}
    when = f"{weekdays(10)[1]} 02:00 UTC"
    assert sentences["gap"] == f"A has no close on 1 bar of its span, {when} first."
    assert sentences["session_gap"] == f"No symbol has a close on 1 of 70 bars, {when} first."


def test_a_market_that_never_closes_has_weekends():
    days = np.arange(np.datetime64("2022-07-01"), np.datetime64("2022-07-06"))
    bars = dataclasses.replace(bars_of(walk(5), session=days), calendar="24/7")
    assert found(bars) == set()
