"""Features know nothing of the future, and begin exactly where their warm-up says."""

import dataclasses

import numpy as np
import pytest

from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.features import PRESETS, FeaturePlan, build_features, feature_plan
from marketdata.indicators.base import Indicator
from marketdata.indicators.registry import INDICATORS, Call, parse
from marketdata.panel import Panel
from tests.marketdata.build import bars_of, random_bars

OHLCV = frozenset({"open", "high", "low", "close", "volume"})
READ = OHLCV | {"vwap", "dividend"}
OWN = [name for name, each in INDICATORS.items() if not each.across and "market" not in each.columns]
ALL = FeaturePlan(tuple(parse(name) for name in INDICATORS), ())
N = 900
BARS = random_bars(N)
FEATURES = build_features(BARS, ALL)
NEEDS_TIME = {"rsi", "ema_gap", "macd", "atr", "adx", "dmi", "keltner", "stoch_rsi", "ppo", "trix", "mass"}
"""Recursive ones: they wait for their first value to be forgotten."""


def one(text):
    return FeaturePlan((parse(text),), ())


def values_of(text, bars):
    return build_features(bars, one(text)).values[:, :, 0]


def with_another_future(bars, t):
    """The same bars up to t, others after it."""
    other = random_bars(bars.n_bars, assets=bars.n_assets, seed=99)
    after = np.arange(bars.n_bars) > t
    columns = {name: np.where(after[:, None], 3 * other.column(name), bars.column(name)) for name in READ}
    return dataclasses.replace(bars, **columns)


def first_difference(plan, t):
    """The earliest bar at which any feature changes when only bars after t do; the number of bars if none."""
    one, other = (build_features(bars, plan).values for bars in (BARS, with_another_future(BARS, t)))
    changed = ~((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=(1, 2))
    return int(np.argmax(changed)) if changed.any() else N


@pytest.mark.parametrize("t", [450, 451, 700, N - 2])
def test_no_feature_knows_a_later_bar(t):
    assert first_difference(ALL, t) > t


def test_the_check_would_see_a_feature_that_does():
    def tomorrow(columns):
        return np.append(columns["close"][1:], columns["close"][-1])

    def whole_sample(columns):
        return columns["close"] / columns["close"].mean()

    for peek in (tomorrow, whole_sample):
        cheat = Indicator("peek", "Peeks.", frozenset({"close"}), (), lambda: 0, peek)
        assert first_difference(FeaturePlan((Call(cheat, ()),), ()), 450) <= 450


@pytest.mark.parametrize("name", INDICATORS)
def test_values_begin_exactly_after_the_warm_up(name):
    call = parse(name)
    column = FEATURES.values[:, :, ALL.names.index(call.name)]
    assert np.isnan(column[: call.warmup]).all()
    assert np.isfinite(column[call.warmup :]).all()
    if name not in NEEDS_TIME:
        own = Panel(BARS).own(call.columns, 0)[1]
        with np.errstate(all="ignore"):
            first = np.flatnonzero(np.isfinite(call.compute(own)))[0]
        assert first == call.warmup


@pytest.mark.parametrize("cut", [1, 37, 60, 250])
def test_a_value_does_not_depend_on_where_the_data_begin(cut):
    later = BARS.between(BARS.session[cut].item(), BARS.session[-1].item())
    values = build_features(later, ALL).values
    for index, call in enumerate(ALL.calls):
        np.testing.assert_allclose(
            values[call.warmup :, :, index], FEATURES.values[cut + call.warmup :, :, index], rtol=0, atol=1e-8
        )


def test_a_late_symbol_waits_for_bars_of_its_own():
    bars = random_bars(N)
    for name in OHLCV | {"vwap"}:
        bars.column(name)[:100, 1] = np.nan
    values = build_features(bars, ALL).values
    own = [ALL.names.index(parse(name).name) for name in OWN]
    np.testing.assert_array_equal(values[:, 0, own], FEATURES.values[:, 0, own])
    for index, call in enumerate(ALL.calls):
        assert np.isnan(values[: 100 + call.warmup, 1, index]).all()
        assert np.isfinite(values[100 + call.warmup :, 1, index]).all()


def test_a_gap_has_no_value_and_does_not_spoil_what_follows():
    bars = bars_of([1.0, 2.0, np.nan, 4.0, 5.0, 6.0])
    values = values_of("sma_gap(2)", bars)[:, 0]
    np.testing.assert_allclose(values, [np.nan, 2 / 1.5 - 1, np.nan, 4 / 3 - 1, 5 / 4.5 - 1, 6 / 5.5 - 1])


def test_a_symbol_with_too_few_bars_has_no_value():
    bars = bars_of([[1.0, np.nan], [2.0, np.nan], [3.0, 5.0]])
    assert np.isnan(values_of("sma_gap(2)", bars)[:, 1]).all()
    assert np.isnan(values_of("rsi(14)", bars)).all()


@pytest.mark.parametrize("n", [1, 2, 5, 60])
def test_data_shorter_than_a_warm_up_gives_no_value_and_no_error(n):
    values = build_features(random_bars(n), ALL).values
    for index, call in enumerate(ALL.calls):
        assert np.isnan(values[: call.warmup, :, index]).all()
        assert np.isfinite(values[call.warmup :, :, index]).all()


def test_symbols_do_not_see_each_other_but_in_the_cross_section():
    alone = build_features(BARS.select(["B"]), ALL).values
    for index, call in enumerate(ALL.calls):
        same = np.array_equal(alone[:, 0, index], FEATURES.values[:, 1, index], equal_nan=True)
        assert same == (call.indicator.name in OWN), call.name


def test_each_value_is_known_at_the_close_of_its_bar():
    np.testing.assert_array_equal(FEATURES.known_at, BARS.known_at)
    assert FEATURES.values.shape == (N, 2, len(INDICATORS))
    assert FEATURES.values.dtype == np.float64 and FEATURES.values.flags.c_contiguous


def test_presets_leave_out_what_the_data_lacks():
    config = FeaturesConfig(feature_set=("ohlcv_ta_basic",))
    closes = feature_plan(config, {"close"}, "total_return")
    assert closes.names == (
        "log_return(1)", "log_return(5)", "log_return(20)", "log_return(60)", "volatility(20)", "rsi(14)",
        "macd(12,26,9)", "sma_gap(20)", "sma_gap(50)", "bollinger(20,2)",
    )  # fmt: skip
    assert closes.left_out == (
        "gap", "body", "high_low", "close_location", "volume_z(20)", "atr(14)", "adx(14)", "obv_change(20)",
    )  # fmt: skip
    whole = feature_plan(config, OHLCV, "raw")
    assert set(whole.names) == set(closes.names) | set(closes.left_out)
    assert whole.left_out == ()


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_serves_closes_and_holds_no_price_level(name):
    plan = feature_plan(FeaturesConfig(feature_set=(name,)), {"close"}, "total_return")
    assert "log_return(1)" in plan.names
    assert not any(parse(text).indicator.price_level for text in PRESETS[name])
    assert plan.warmup == max(call.warmup for call in plan.calls)


def test_what_is_asked_for_twice_stands_once():
    config = FeaturesConfig(feature_set=("ohlcv", "ohlcv_ta_basic"), indicators=("rsi", "rsi(14)", "rsi(7)"))
    names = feature_plan(config, OHLCV, "raw").names
    assert len(set(names)) == len(names)
    assert names[-1] == "rsi(7)"


def test_indicators_alone_are_enough():
    plan = feature_plan(FeaturesConfig(feature_set=(), indicators=("log_return(2)",)), {"close"}, "raw")
    assert (plan.names, plan.warmup) == (("log_return(2)",), 2)


def fault(indicators, fields, adjustment):
    with pytest.raises(ConfigFault) as caught:
        feature_plan(FeaturesConfig(indicators=indicators), fields, adjustment)
    assert list(caught.value.errors) == ["features.indicators"]
    return caught.value.errors["features.indicators"]


def test_an_explicit_indicator_without_its_columns_is_refused_by_name():
    (sentence,) = fault(("rsi(14)", "mfi(14)"), {"close"}, "raw")
    assert sentence == "mfi(14) needs high, low, volume, which this dataset does not have."


def test_an_explicit_price_level_is_refused_on_adjusted_data_only():
    (sentence,) = fault(("log_close",), {"close"}, "total_return")
    assert sentence.startswith("log_close is a price level, and total_return prices contain later corporate actions")
    config = FeaturesConfig(indicators=("log_close",))
    assert "log_close" in feature_plan(config, {"close"}, "raw").names


def test_all_bad_texts_are_told():
    assert len(fault(("rsii", "atr(14)", "rsi(1)"), {"close"}, "raw")) == 3


def test_bars_without_a_column_of_the_plan_are_refused():
    with pytest.raises(ValueError, match="the bars lack volume"):
        build_features(bars_of([1.0, 2.0]), one("volume_change(1)"))


def test_the_hash_is_of_names_and_values():
    again = build_features(random_bars(N), ALL)
    assert again.content_hash() == FEATURES.content_hash()
    again.values[500, 1, 3] += 1e-12
    assert again.content_hash() != FEATURES.content_hash()
    renamed = dataclasses.replace(FEATURES, names=FEATURES.names[::-1])
    assert renamed.content_hash() != FEATURES.content_hash()
