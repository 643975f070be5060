"""Raw prices with recorded splits: features are those of prices adjusted for them; no split shows before its bar."""

import dataclasses

import numpy as np
import pytest

from marketdata.bars import Bars
from marketdata.expressions.expression import parse as parse_feature
from marketdata.features import FeaturePlan, build_features
from marketdata.indicators.registry import INDICATORS, parse
from tests.marketdata.build import random_bars

N = 900
ADJUSTED = dataclasses.replace(random_bars(N, assets=3), dividend=None, adjustment="split")
FRACTIONS = {(300, 0): 2.0, (420, 1): 3.0, (421, 1): 0.1, (700, 0): 1.5, (0, 2): 4.0, (N - 1, 2): 7.0}
SCALE_FREE = [name for name, each in INDICATORS.items() if not each.price_level and "dividend" not in each.columns]
MADE = ("close/lag(close,5)-1", "std(close,20)/mean(close,20)", "zscore(volume,9)", "delta(log(close),3)",
        "rank(delta(close,5)/close)", "where(close>lag(close,1),volume,0)/mean(volume,20)",
        "close*volume/mean(close*volume,20)", "max(high,9)/min(low,9)-rsi(14)")  # fmt: skip
NAMES = (*SCALE_FREE, "sma_gap(4)@1w", "volume_z(5)@1w", *MADE)
PLAN = FeaturePlan(tuple(parse_feature(name) for name in NAMES), ())


def raw() -> Bars:
    """What was quoted: more shares after a split, at a lower price each. Adjusted prices are in today's shares."""
    split = np.ones(ADJUSTED.close.shape)
    for where, fraction in FRACTIONS.items():
        split[where] = fraction
    later = np.prod(split, axis=0) / np.cumprod(split, axis=0)
    prices = {name: ADJUSTED.column(name) * later for name in ("open", "high", "low", "close", "vwap")}  # type: ignore[operator]
    assert ADJUSTED.volume is not None
    return dataclasses.replace(ADJUSTED, **prices, volume=ADJUSTED.volume / later, split=split, adjustment="raw")


RAW = raw()
OF_RAW, OF_ADJUSTED = (build_features(bars, PLAN).values for bars in (RAW, ADJUSTED))


@pytest.mark.parametrize("index", range(len(PLAN.calls)), ids=PLAN.names)
def test_a_feature_of_raw_prices_is_that_of_adjusted_ones(index: int) -> None:
    np.testing.assert_allclose(OF_RAW[:, :, index], OF_ADJUSTED[:, :, index], rtol=1e-6, atol=1e-8)


def test_without_the_record_a_split_is_a_crash() -> None:
    """The test above compares something: the same prices with the splits forgotten differ."""
    forgotten = build_features(dataclasses.replace(RAW, split=None), PLAN).values
    assert abs(OF_RAW[300, 0, PLAN.names.index("log_return(1)")]) < 0.3
    assert forgotten[300, 0, PLAN.names.index("log_return(1)")] < -0.5
    moved = ~np.isclose(forgotten, OF_ADJUSTED, rtol=1e-6, atol=1e-8, equal_nan=True).all(axis=(0, 1))
    blind = {PLAN.names[i] for i in np.flatnonzero(~moved)}
    assert blind <= {call.name for call in PLAN.calls if call.columns <= {"open", "high", "low", "close", "volume"}
                     and not call.warmup} | {"power(14)", "no_trade(20)", "parkinson(20)", "garman_klass(20)",
                     "rogers_satchell(20)", "vwap_close", "close*volume/mean(close*volume,20)"}  # fmt: skip


def test_a_later_split_changes_nothing_before_it() -> None:
    split = RAW.split
    assert split is not None
    other = split.copy()
    other[800:] *= 2.5
    again = build_features(dataclasses.replace(RAW, split=other), PLAN).values
    np.testing.assert_array_equal(again[:800], OF_RAW[:800])


def test_a_price_level_is_the_price_as_quoted() -> None:
    level = build_features(RAW, FeaturePlan((parse("log_close"),), ())).values[:, :, 0]
    np.testing.assert_array_equal(level, np.log(RAW.close))


def test_dividends_are_counted_in_the_shares_of_their_bar_and_left_in_returns() -> None:
    """Two dividends of 1 before a 2:1 split are 1 a share after it; the price falls by what is paid."""
    close = np.array([100.0, 99.0, 98.0, 49.0, 49.0])
    dividend, split = np.array([0.0, 1.0, 1.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.0, 2.0, 1.0])
    bars = dataclasses.replace(
        random_bars(5, 1), close=close[:, None], dividend=dividend[:, None], split=split[:, None]
    )
    plan = FeaturePlan((parse("dividend_yield(4)"), parse("log_return(1)")), ())
    found = build_features(bars, plan).values[:, 0]
    np.testing.assert_allclose(found[3:, 0], [1.0 / 49.0, 1.0 / 49.0])
    np.testing.assert_allclose(found[1:, 1], [np.log(0.99), np.log(98 / 99), 0.0, 0.0], atol=1e-15)
