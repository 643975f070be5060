"""Random expressions: written and read again they are the same; each value is that of a naive reading bar by bar, is
the same whatever bars follow, and, where the units say so, does not depend on the unit of prices.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from marketdata.bars import Bars
from marketdata.expressions.expression import Expression, parse
from marketdata.expressions.grammar import LONGEST, read
from marketdata.expressions.tree import Binary, Named, Negative, Node, Number, written
from marketdata.features import FeaturePlan, build_features
from marketdata.indicators.registry import Call, IndicatorError
from tests.marketdata.build import random_bars
from tests.marketdata.expression_oracle import COLUMNS, Oracle

T = 40


def ragged(seed: int = 3) -> Bars:
    """Three symbols; one starts late, one has gaps, one has bars without volume and without range."""
    bars = random_bars(T, assets=3, seed=seed)
    for name in COLUMNS:
        column = bars.column(name)
        assert column is not None
        column[:9, 1] = np.nan
        column[20::7, 2] = np.nan
        column[12:15, 0] = 0.0 if name == "volume" else 50.0
    return dataclasses.replace(bars, dividend=None)


BARS, OTHER = ragged(), ragged(8)
WINDOWS = st.integers(2, 6).map(lambda n: Number(str(n)))
ATOMS = st.one_of(
    st.sampled_from([Named(name) for name in (*COLUMNS, "gap")]),
    st.sampled_from([Number("0"), Number("2"), Number("0.5")]),
)


def larger(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    signs = st.sampled_from(["+", "-", "*", "/", "/", "<", "<=", ">", ">=", "==", "!="])
    timed = st.sampled_from(["lag", "delta", "mean", "std", "max", "min", "zscore"])
    return st.one_of(
        st.builds(Binary, signs, inner, inner),
        st.builds(Negative, inner),
        st.builds(lambda name, x, n: Named(name, (x, n)), timed, inner, WINDOWS),
        st.builds(lambda name, x: Named(name, (x,)), st.sampled_from(["log", "abs", "sign", "rank"]), inner),
        st.builds(lambda x: Named("clip", (x, Negative(Number("1")), Number("2"))), inner),
        st.builds(lambda c, a, b: Named("where", (c, a, b)), inner, inner, inner),
    )


TREES = st.recursive(ATOMS, larger, max_leaves=8)
MANY = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])


def feature(tree: Node) -> Expression | Call:
    text = written(tree)
    assume(len(text) <= LONGEST)
    try:
        return parse(text)
    except IndicatorError:
        assume(False)
        raise


def values(one: Expression | Call, bars: Bars) -> np.ndarray:
    return build_features(bars, FeaturePlan((one,), ())).values[:, :, 0]


@given(TREES)
@settings(MANY, max_examples=500)
def test_written_and_read_again_is_the_same_tree(tree: Node) -> None:
    text = written(tree)
    assume(len(text) <= LONGEST and text.count("(") < 12)
    assert read(text) == tree
    spaced = " " + text.replace(",", " , ").replace("(", "( ")
    assert len(spaced) > LONGEST or read(spaced) == tree


@given(TREES)
@MANY
def test_each_value_is_that_of_the_naive_reading(tree: Node) -> None:
    one, oracle = feature(tree), Oracle(BARS)
    got = values(one, BARS)
    assert not np.isinf(got).any()
    expected = np.array([[oracle.value(tree, t, a) for a in range(3)] for t in range(T)])
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    if not any(mark in one.name for mark in "<>=") and not any(word in one.name for word in ("rank", "sign", "where")):
        largest = max(1.0, float(np.nanmax(np.abs(got), initial=0.0)))
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7 * largest)
    else:  # a step may fall to either side of a tie by rounding
        close = np.isclose(got, expected, rtol=1e-6, atol=1e-7, equal_nan=True)
        assert close.mean() > 0.8


@given(TREES, st.integers(5, T - 2))
@MANY
def test_later_bars_change_nothing(tree: Node, t: int) -> None:
    one = feature(tree)
    after = np.arange(T)[:, None] > t
    spliced = dataclasses.replace(
        BARS,
        **{name: np.where(after, 3 * OTHER.column(name), BARS.column(name)) for name in COLUMNS},  # type: ignore[operator]
    )
    cut = BARS.between(BARS.session[0].item(), BARS.session[t].item())
    whole = values(one, BARS)[: t + 1]
    np.testing.assert_array_equal(values(one, spliced)[: t + 1], whole)
    np.testing.assert_array_equal(values(one, cut), whole)


@given(TREES)
@settings(MANY, max_examples=300)
def test_what_is_said_to_be_free_of_the_unit_is(tree: Node) -> None:
    """One symbol's prices and volumes times powers of two, which no rounding sees but that of a logarithm."""
    one = feature(tree)
    assume(not one.price_level)
    prices, volumes = np.array([8.0, 1.0, 0.25]), np.array([1.0, 4.0, 0.5])
    other = dataclasses.replace(
        BARS,
        **{name: BARS.column(name) * (volumes if name == "volume" else prices) for name in COLUMNS},  # type: ignore[operator]
    )
    got, expected = values(one, other), values(one, BARS)
    if "log" in one.name:
        assert np.isclose(got, expected, rtol=1e-6, atol=1e-7, equal_nan=True).mean() > 0.9
    else:
        np.testing.assert_array_equal(got, expected)


@given(TREES)
@MANY
def test_clean_bars_have_values_from_the_warm_up_on_and_none_before(tree: Node) -> None:
    one = feature(tree)
    got = values(one, random_bars(T, assets=2))
    assert np.isnan(got[: one.warmup]).all()
    if "log" not in one.name:
        assert np.isfinite(got[one.warmup :]).all()


def test_a_wrong_unit_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = dataclasses.replace(BARS, close=BARS.close * 2.0)
    assert not np.array_equal(values(parse("close-open"), bars), values(parse("close-open"), BARS), equal_nan=True)
    assert parse("close-open").price_level
