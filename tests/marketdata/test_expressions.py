"""Expressions as features: canonical text, bounds, sentences, units, warm-up, splits and shared parts."""

import dataclasses

import numpy as np
import pytest
from pydantic import ValidationError

from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault, config_hash, sentences
from marketdata.expressions import functions
from marketdata.expressions.expression import Expression, parse
from marketdata.expressions.functions import FIELDS, FUNCTIONS
from marketdata.features import FeaturePlan, build_features, feature_plan
from marketdata.indicators.registry import INDICATORS, Call, IndicatorError
from tests.marketdata.build import bars_of, random_bars

OHLCV = {"open", "high", "low", "close", "volume"}


def values(text, bars):
    return build_features(bars, FeaturePlan((parse(text),), ())).values[:, :, 0]


def test_no_name_means_two_things():
    assert not set(INDICATORS) & (set(FIELDS) | set(FUNCTIONS)) and not set(FIELDS) & set(FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rsi", "rsi(14)"), (" rsi( 014 ) ", "rsi(14)"), ("rsi - 1", "rsi(14)-1"), ("(rsi(14) @1w)", "rsi(14)@1w"),
        ("close / mean( close , 20 ) - 1.50", "close/mean(close,20)-1.5"),
        ("close/(open*2)", "close/(open*2)"), ("(close/open)*2", "close/open*2"), ("gap-(gap-1)", "gap-(gap-1)"),
        ("(close>open)==(gap>0)", "(close>open)==(gap>0)"), ("-(gap+1)", "-(gap+1)"), ("rank(momentum(60,5))", None),
    ],
)  # fmt: skip
def test_one_text_stands_for_each_feature(text, name):
    assert parse(text).name == (name or text)
    assert parse(parse(text).name) == parse(text)


def test_one_indicator_in_brackets_is_that_indicator():
    assert isinstance(parse("(rsi)"), Call) and isinstance(parse("-rsi"), Expression)


def test_two_ways_to_write_a_feature_have_one_hash_and_do_not_stand_twice():
    one, other = (FeaturesConfig(indicators=(text,)) for text in ("rsi( 14 ) * 2.0", "rsi(14)*2"))
    assert config_hash(one) == config_hash(other)
    with pytest.raises(ValidationError, match="must not repeat"):
        FeaturesConfig(indicators=("rsi( 14 )", "rsi(14)"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lag(close, 0)/close", "character 12: lag needs a whole number of bars from 1 to 1000."),
        ("std(close, 1)/close", "std needs a whole number of bars from 2 to 1000."),
        ("mean(close, 2.5)", "mean needs a whole number of bars from 2 to 1000."),
        ("lag(close, 1001)", "from 1 to 1000."),
        ("lag(close, -1)", "from 1 to 1000."),
        ("max(close, open)", "max needs a whole number of bars from 2 to 1000."),
        ("lag(close)", "lag takes 2 arguments (x, n)."),
        ("where(close>open,1)", "where takes 3 arguments (condition, a, b)."),
        ("log()", "log takes 1 argument (x)."),
        ("mean(3, 20)", "mean needs something of the market here, not a number."),
        ("1 + 2", "reads nothing of the market"),
        ("close + foo", "character 9: foo is neither a column or function"),
        ("close(3)", "close is a column and takes no brackets"),
        ("close@1w / close", "@1w goes with an indicator"),
        ("gap + rsi(1)", "character 7: rsi takes a whole n between 2 and 100, not 1."),
        ("gap + rsi(14)@1h", "@1h needs bars shorter than 1h"),
        ("clip(gap, close, 1)", "clip needs a number as bound."),
        ("clip(gap, 1, -1)", "clip needs lo below hi."),
        ("close +", "ends at character 8, where a number, a name or an opening bracket would be right."),
        ("close open", "has 'open' at character 7, where an operator or the end would be right."),
        ("1 < gap < 2", "has '<' at character 9"),
        ("__import__('os')", 'has "\'" at character 12'),
        ("gap ** 2", "has '*' at character 6"),
        ("Close", "has 'C' at character 1, where a number, a name in small letters"),
        ("", "ends at character 1"),
        ("(" * 30 + "gap" + ")" * 30, "nested deeper than 12"),
        ("-" * 30 + "gap", "nested deeper than 12"),
        ("+".join(["gap"] * 40), "more than 64 parts"),
        ("gap" + " " * 300, "has 303 characters; at most 200 are allowed."),
    ],
)
def test_a_bad_text_is_refused_in_one_sentence(text, words):
    with pytest.raises(IndicatorError) as caught:
        parse(text)
    assert words in str(caught.value) and str(caught.value).endswith(".")


def test_a_configuration_names_the_field_and_the_place():
    with pytest.raises(ValidationError) as caught:
        FeaturesConfig(indicators=("close /",))
    ((field, told),) = sentences(caught.value).items()
    assert field == "indicators.0" and "ends at character 8" in told[0]
    with pytest.raises(ConfigFault) as fault:
        feature_plan(FeaturesConfig(indicators=("lag(close,0)/close", "vwap/close")), OHLCV, "raw")
    assert [len(texts) for texts in fault.value.errors.values()] == [2]


FREE = [
    "close/lag(close,1)-1", "log(close)-log(open)", "delta(log(close),5)", "std(close,20)/mean(close,20)",
    "zscore(volume,20)", "close>mean(close,50)", "close-open>0", "rank(close/lag(close,20))", "sign(delta(close,1))",
    "where(close>open,close-open,0)/close", "close*volume/mean(close*volume,20)", "rsi(14)-rsi(14)@1w",
    "clip(gap,-1,1)",
    "zscore(log(close),20)", "max(log(close),5)-log(close)", "-log(close)+log(open)", "abs(close-open)/(high-low)",
]  # fmt: skip
LEVEL = [
    "close", "volume", "close-lag(close,1)", "close+1", "log(close)", "rank(close)", "close*volume", "close>5",
    "log(close)*2", "clip(close,1,2)", "where(volume>1000,gap,0)", "1/close", "abs(log(close))", "log(log(close))",
    "sign(log(close))", "close+volume", "where(gap>0,log(close),0)", "log_close-lag(log_close,1)",
    "log(close)+log(open)", "close==volume",
]  # fmt: skip


@pytest.mark.parametrize("adjustment", ["split", "total_return"])
@pytest.mark.parametrize("text", FREE)
def test_what_is_free_of_the_unit_is_allowed_on_adjusted_prices(text, adjustment):
    assert text in feature_plan(FeaturesConfig(indicators=(text,)), OHLCV, adjustment).names


@pytest.mark.parametrize("text", LEVEL)
def test_what_is_not_is_refused_there_and_allowed_on_raw_ones(text):
    with pytest.raises(ConfigFault, match="changes with the unit of prices or volume, and split prices contain later"):
        feature_plan(FeaturesConfig(indicators=(text,)), OHLCV, "split")
    assert text in feature_plan(FeaturesConfig(indicators=(text,)), OHLCV, "raw").names


@pytest.mark.parametrize(
    ("text", "bars"),
    [("lag(close,3)", 3), ("mean(lag(close,3),5)", 7), ("rsi(14)+gap", 325), ("lag(sma_gap(20),2)*zscore(gap,10)", 21),
     ("rank(delta(close,7))", 7), ("gap@1w+lag(gap,1)", 14), ("delta(gap@1w,3)", 17), ("close/open", 0)],
)  # fmt: skip
def test_the_warm_up_is_that_of_the_parts(text, bars):
    assert parse(text).warmup == bars


def split_bars(close, split, volume=None):
    close = np.array(close, dtype=float)
    bars = bars_of(close, volume=np.full(len(close), 100.0) if volume is None else volume)
    return dataclasses.replace(bars, split=np.array(split, dtype=float)[:, None])


def test_a_level_is_in_the_shares_of_its_own_bar():
    """A 2:1 split at the third bar; the price per share of that bar was 50 and 51 before it."""
    bars = split_bars([100.0, 102.0, 52.0, 53.0], [1.0, 1.0, 2.0, 1.0], volume=[10.0, 20.0, 60.0, 60.0])
    np.testing.assert_allclose(values("close", bars)[:, 0], [100, 102, 52, 53], rtol=0)
    np.testing.assert_allclose(values("delta(close,1)", bars)[:, 0], [np.nan, 2.0, 1.0, 1.0])
    np.testing.assert_allclose(values("lag(close,2)", bars)[:, 0], [np.nan, np.nan, 50.0, 51.0])
    np.testing.assert_allclose(values("delta(volume,1)", bars)[:, 0], [np.nan, 10.0, 20.0, 0.0])
    np.testing.assert_allclose(values("lag(log(close),1)", bars)[1:, 0], np.log([100.0, 51.0, 52.0]))
    np.testing.assert_allclose(values("close>60", bars)[:, 0], [1, 1, 0, 0])
    np.testing.assert_allclose(values("close/lag(close,1)-1", bars)[1:, 0], [0.02, 52 / 51 - 1, 53 / 52 - 1])


def test_it_does_not_depend_on_where_the_data_begin():
    bars = split_bars(np.linspace(50, 60, 30), np.where(np.arange(30) == 4, 3.0, 1.0))
    later = bars.between(bars.session[10].item(), bars.session[-1].item())
    for text in ("mean(close,5)", "close+1", "delta(volume,2)", "lag(log(close),1)"):
        np.testing.assert_allclose(values(text, later)[6:], values(text, bars)[16:], rtol=1e-12)


def test_nothing_is_infinite():
    bars = bars_of([1.0, 1.0, 1.0], volume=[0.0, 0.0, 2.0])
    assert values("close/volume", bars)[:, 0].tolist() == [0.0, 0.0, 0.5]
    np.testing.assert_array_equal(values("log(volume)", bars)[:, 0], [np.nan, np.nan, np.log(2.0)])
    assert values("zscore(close,2)", bars)[1:, 0].tolist() == [0.0, 0.0]
    tall = bars_of([1e50, 1e50])
    assert np.isnan(values("*".join(["close"] * 7), tall)).all() and np.isfinite(values("close*close", tall)).all()


def test_a_rank_is_over_the_members_alone():
    member = np.array([[True, True, False]] * 2)
    bars = dataclasses.replace(bars_of([[1.0, 2.0, 3.0], [2.0, 2.0, 9.0]]), member=member)
    np.testing.assert_array_equal(values("rank(close)", bars), [[-1, 1, np.nan], [0, 0, np.nan]])


def test_a_shared_part_is_computed_once(monkeypatch):
    made = []
    honest = functions.OVER_TIME["mean"]
    counted = dataclasses.replace(honest, compute=lambda x, n: made.append(n) or honest.compute(x, n))
    monkeypatch.setitem(functions.OVER_TIME, "mean", counted)
    texts = ("close/mean(close,5)", "close/mean(close,5)-1", "mean(close,5)/mean(open,5)", "mean(close,5)")
    plan = FeaturePlan(tuple(parse(text) for text in texts), ())
    bars = random_bars(30, assets=2)
    together = build_features(bars, plan).values
    assert len(made) == 2 * 2  # two averages of two symbols
    for index, text in enumerate(texts):
        np.testing.assert_array_equal(together[:, :, index], values(text, bars))


def test_expressions_and_indicators_stand_in_the_order_asked_for():
    bars = random_bars(400)
    texts = ("gap", "close/open-1", "rsi(14)", "rsi(14)*2")
    got = build_features(bars, FeaturePlan(tuple(parse(text) for text in texts), ()))
    assert got.names == texts and got.warmup == 325
    np.testing.assert_array_equal(got.values[:, :, 3], 2 * got.values[:, :, 2])
    np.testing.assert_array_equal(got.values[:, :, 0], values("gap", bars))
