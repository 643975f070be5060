"""Adjustment against closed forms on paper, against what a holder gets, and against yfinance's own arithmetic."""

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yfinance.utils

from marketdata.adjust import adjusted, unsplit
from marketdata.bars import Bars, BarsError
from tests.marketdata.build import bars_of, random_ohlcv


def raw(close: list[float], splits: dict[int, float], dividends: dict[int, float]) -> Bars:
    """One symbol; open 99 % of the close, a volume of 1000."""
    n = len(close)
    split, dividend = np.ones((n, 1)), np.zeros((n, 1))
    for t, ratio in splits.items():
        split[t] = ratio
    for t, amount in dividends.items():
        dividend[t] = amount
    array = np.array(close)
    return bars_of(array, open=array * 0.99, volume=np.full(n, 1000.0), split=split, dividend=dividend)


def closes(bars: Bars) -> list[float]:
    return [float(x) for x in bars.close[:, 0]]


CASES = {
    "a 2:1 split": ([100, 104, 52, 53], {2: 2.0}, {}, [50, 52, 52, 53], [50, 52, 52, 53]),
    "a dividend": ([100, 100, 98, 99], {}, {2: 2.0}, [100, 100, 98, 99], [98, 98, 98, 99]),
    # the dividend is per new share: 1 of a close before it of 100 / 2 = 50, so the factor is 0.98
    "both on one day": ([100, 100, 49, 50], {2: 2.0}, {2: 1.0}, [50, 50, 49, 50], [49, 49, 49, 50]),
    "a reverse split": ([10, 10, 40, 42], {2: 0.25}, {}, [40, 40, 40, 42], [40, 40, 40, 42]),
    "two splits": ([60, 30, 30, 10], {1: 2.0, 3: 3.0}, {}, [10, 10, 10, 10], [10, 10, 10, 10]),
    "both on the first bar": ([50, 51, 52, 53], {0: 2.0}, {0: 1.0}, [50, 51, 52, 53], [50, 51, 52, 53]),
    "a dividend before a split": ([100, 95, 50, 51], {2: 2.0}, {1: 5.0}, [50, 47.5, 50, 51], [47.5, 47.5, 50, 51]),
}


@pytest.mark.parametrize("name", CASES)
def test_on_paper(name: str) -> None:
    close, splits, dividends, split_only, total = CASES[name]
    bars = raw(close, splits, dividends)
    assert closes(adjusted(bars, "split")) == pytest.approx(split_only, rel=1e-14)
    assert closes(adjusted(bars, "total_return")) == pytest.approx(total, rel=1e-14)


def test_volume_goes_the_other_way_and_prices_all_alike() -> None:
    bars = raw([100, 104, 50, 53], {2: 2.0}, {3: 1.0})
    split, total = adjusted(bars, "split"), adjusted(bars, "total_return")
    assert split.volume is not None and split.volume[:, 0].tolist() == [2000, 2000, 1000, 1000]
    # the dividend takes 1 / 50 off every price before it, so the shares that the same money buys are 1 / 0.98 as many
    assert total.volume is not None and total.volume[:, 0] == pytest.approx([2000 / 0.98] * 2 + [1000 / 0.98, 1000])
    assert total.open is not None
    np.testing.assert_allclose(total.open, total.close * 0.99, rtol=1e-15)
    assert (total.adjustment, total.split, total.dividend) == ("total_return", None, None)


@pytest.mark.parametrize("adjustment", ["split", "total_return"])
def test_price_times_volume_stays_the_money_traded(adjustment: Any) -> None:
    bars = random_ohlcv(80, assets=3)
    rng = np.random.default_rng(8)
    split = np.where(rng.random((80, 3)) < 0.05, 2.0, 1.0)
    dividend = np.where(rng.random((80, 3)) < 0.1, 0.2, 0.0)
    bars = dataclasses.replace(bars, split=split, dividend=dividend)
    got = adjusted(bars, adjustment)
    assert not np.allclose(got.close, bars.close)
    np.testing.assert_allclose(got.close * got.volume, bars.close * bars.volume, rtol=1e-12)


def test_ratios_are_those_of_a_holder_who_reinvests() -> None:
    """Shares and cash moved by hand, each dividend spent at the close before the ex-date, in its new shares."""
    rng = np.random.default_rng(4)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, 40)))
    splits, dividends = {7: 2.0, 20: 0.5, 21: 3.0}, {7: 0.4, 12: 0.3, 21: 0.2, 39: 0.5}
    total, shares, worth = adjusted(raw(list(close), splits, dividends), "total_return").close[:, 0], 1.0, [close[0]]
    for t in range(1, 40):
        ratio = splits.get(t, 1.0)
        shares *= ratio
        shares /= 1 - dividends.get(t, 0.0) / (close[t - 1] / ratio)
        worth.append(shares * close[t])
    np.testing.assert_allclose(total / total[0], np.array(worth) / worth[0], rtol=1e-12)


def test_a_gap_before_the_ex_date_takes_the_last_close() -> None:
    bars = raw([100, np.nan, 49, 50], {1: 2.0}, {2: 1.0})  # the split falls into the gap
    assert closes(adjusted(bars, "total_return"))[0] == pytest.approx(50 * (1 - 1 / 50))


def test_what_lies_after_a_window_changes_nothing_in_it() -> None:
    bars = raw([100, 104, 52, 53, 26], {2: 2.0, 4: 2.0}, {1: 1.0})
    first = bars.between(bars.session[0].item(), bars.session[3].item())
    assert closes(adjusted(first, "total_return"))[3] == 53


def test_equal_to_the_arithmetic_of_yfinance_where_that_is_defined() -> None:
    """Its `auto_adjust` scales open, high and low of split-adjusted rows by adjusted close / close."""
    bars = random_ohlcv(60, assets=1)
    dividend = np.zeros((60, 1))
    dividend[[20, 40]] = 0.3
    bars = dataclasses.replace(bars, split=np.ones((60, 1)), dividend=dividend)
    ours = adjusted(bars, "total_return")
    frame = pd.DataFrame({name.capitalize(): bars.column(name)[:, 0] for name in ("open", "high", "low", "close")})
    frame["Adj Close"] = ours.close[:, 0]
    theirs = yfinance.utils.auto_adjust(frame.copy())
    for name in ("open", "high", "low", "close"):
        np.testing.assert_allclose(ours.column(name)[:, 0], theirs[name.capitalize()], rtol=1e-12)


def test_what_cannot_be_adjusted_is_refused() -> None:
    with pytest.raises(BarsError, match="needs raw bars with their splits and dividends"):
        adjusted(random_ohlcv(10), "total_return")
    with pytest.raises(BarsError, match=r"dividend of A on .* is 100, as much as the close before it"):
        adjusted(raw([100, 100, 1], {}, {1: 100.0}), "total_return")
    same = random_ohlcv(10)
    assert adjusted(same, "raw") is same


def test_unsplit_is_the_reverse() -> None:
    bars = raw([100, 104, 52, 53, 18], {2: 2.0, 4: 3.0}, {})
    there = adjusted(bars, "split")
    days = [(day.item(), ratio) for day, ratio in zip(bars.session, bars.split[:, 0], strict=True) if ratio != 1]
    columns = {"close": there.close[:, 0], "volume": there.volume[:, 0]}
    back, factor = unsplit(columns, bars.session, reversed(days))
    assert back["close"].tolist() == pytest.approx(closes(bars), rel=1e-15)
    assert back["volume"].tolist() == pytest.approx([1000] * 5, rel=1e-15)
    assert factor.tolist() == [6, 6, 3, 3, 1]
    assert unsplit({}, bars.session, [(dt.date(2050, 1, 1), 5.0)])[1].tolist() == [5] * 5


@pytest.mark.parametrize(
    ("held", "actions", "asked", "works"),
    [
        ("raw", ("split",), "split", True),
        ("raw", ("split",), "total_return", False),
        ("raw", ("dividend",), "split", False),
        ("raw", ("dividend",), "total_return", False),
        ("raw", ("split", "dividend"), "total_return", True),
        ("split", (), "raw", False),
        ("split", (), "total_return", False),
        ("total_return", (), "split", False),
    ],
)
def test_each_adjustment_needs_the_actions_that_it_takes_out(
    held: str, actions: tuple[str, ...], asked: str, works: bool
) -> None:
    nothing = {"split": np.ones((4, 2)), "dividend": np.zeros((4, 2))}
    bars = bars_of(np.full((4, 2), 10.0), adjustment=held, **{name: nothing[name] for name in actions})
    if works:
        assert (adjusted(bars, asked).close == 10.0).all()  # type: ignore[arg-type]
    else:
        with pytest.raises(BarsError, match=f"adjustment {asked} needs raw bars with their splits and dividends"):
            adjusted(bars, asked)  # type: ignore[arg-type]
