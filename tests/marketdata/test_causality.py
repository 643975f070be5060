"""The one test that every indicator and every set must pass: a value at t is the same whatever bars follow t.

It is asked three ways, bit for bit: other bars after t, no bars after t, and other values in columns that the indicator
does not claim to read. A planted leak of each kind that people write by mistake must fail it.
"""

import dataclasses

import numpy as np
import pytest

from marketdata.bars import Bars
from marketdata.config import FeaturesConfig
from marketdata.expressions.expression import parse as parse_feature
from marketdata.features import PRESETS, FeaturePlan, build_features, plan_of
from marketdata.indicators.base import Indicator
from marketdata.indicators.registry import INDICATORS, Call, parse
from tests.marketdata.build import random_bars

N = 1400
COLUMNS = ("open", "high", "low", "close", "volume", "vwap", "dividend")
CUTS = (700, 701, 1100, N - 2)


def awkward(seed: int = 7) -> Bars:
    """Three symbols: one from the start, one that starts late, one with gaps, bars without volume, and a split."""
    bars = random_bars(N, assets=3, seed=seed)
    for name in COLUMNS[:-1]:
        column = bars.column(name)
        assert column is not None
        column[:150, 1] = np.nan
        column[300::37, 2] = np.nan
    assert bars.volume is not None
    bars.volume[400:430, 0] = 0.0
    split = np.ones(bars.close.shape)
    split[[500, 900], [0, 1]] = 2.0, 0.1
    member = np.ones(bars.close.shape, bool)
    member[600:650, 2] = False
    return dataclasses.replace(bars, split=split, member=member)


BARS, OTHER = awkward(), awkward(99)
TIMED = tuple(f"{name}@{frame}" for name in ("sma_gap(4)", "momentum_rank(5,1)", "beta(6)") for frame in ("1w", "1mo"))
MADE = (
    "close", "close/lag(close,5)-1", "delta(close,3)", "mean(volume,20)", "std(log(close),10)",
    "max(high,9)/min(low,9)", "zscore(close*volume,30)", "rank(close/lag(close,20))", "mean(rank(rsi(7)),5)",
    "where(close>50,gap,-gap@1w)", "log(vwap)-log(close)", "clip(sma_gap(20)*breadth(50),-1,1)",
    "abs(sign(delta(volume,1)))",
)  # fmt: skip
NAMES = (*INDICATORS, *TIMED, *MADE)
ALL = FeaturePlan(tuple(parse_feature(name) for name in NAMES), ())


def values(plan: FeaturePlan, bars: Bars) -> np.ndarray:
    return build_features(bars, plan).values


def spliced(t: int) -> Bars:
    """BARS up to t, OTHER at three times its price after it, with other splits and members."""
    after = np.arange(N)[:, None] > t
    columns = {name: np.where(after, 3 * OTHER.column(name), BARS.column(name)) for name in COLUMNS}  # type: ignore[operator]
    split = np.where(after, 1.0, BARS.split)
    split[t + 1] = 4.0
    member = np.where(after, False, BARS.member)
    return dataclasses.replace(BARS, **columns, split=split, member=member)


def cut(t: int) -> Bars:
    return BARS.between(BARS.session[0].item(), BARS.session[t].item())


WITH_OTHER_FUTURE, WITHOUT_FUTURE = {t: spliced(t) for t in CUTS}, {t: cut(t) for t in CUTS}


def leaks(plan: FeaturePlan) -> dict[str, list[str]]:
    """Which of a plan's features change up to t with the bars after t."""
    whole, found = values(plan, BARS), {}
    for t in CUTS:
        for what, bars in (("altered", WITH_OTHER_FUTURE[t]), ("cut off", WITHOUT_FUTURE[t])):
            one, other = whole[: t + 1], values(plan, bars)[: t + 1]
            same = ((one == other) | (np.isnan(one) & np.isnan(other))).all(axis=(0, 1))
            for name, alike in zip(plan.names, same, strict=True):
                found.setdefault(name, [])
                if not alike:
                    found[name].append(f"{what} after {t}")
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    return leaks(ALL)


@pytest.mark.parametrize("name", NAMES)
def test_no_value_knows_a_later_bar(name: str, found: dict[str, list[str]]) -> None:
    assert found[parse_feature(name).name] == []


@pytest.mark.parametrize("name", PRESETS)
def test_no_set_knows_a_later_bar(name: str) -> None:
    plan = plan_of(FeaturesConfig(feature_set=(name,)), BARS)  # type: ignore[arg-type]
    assert plan.left_out == () and not any(leaks(plan).values())


def test_values_are_there_to_be_compared() -> None:
    assert np.isfinite(values(ALL, BARS)[: CUTS[0], 0]).any(axis=0).all()


@pytest.mark.parametrize("name", INDICATORS)
def test_only_the_columns_that_it_names_are_read(name: str) -> None:
    plan = FeaturePlan((parse(name),), ())
    reads = plan.calls[0].columns
    kept = {"close"} if "market" in reads else set()
    others = {other: OTHER.column(other) for other in COLUMNS if other not in reads | kept | {"close"}}
    assert np.array_equal(values(plan, BARS), values(plan, dataclasses.replace(BARS, **others)), equal_nan=True)


def backfilled(columns: dict[str, np.ndarray]) -> np.ndarray:
    """A gap every eleven bars, filled with the next value."""
    returns = np.diff(np.log(columns["close"]), prepend=0.0)
    rows = np.arange(len(returns))
    source = np.minimum(np.where(rows % 11 == 0, rows + 1, rows), len(rows) - 1)
    return returns[source]


def z_score(columns: dict[str, np.ndarray]) -> np.ndarray:
    level = np.log(columns["close"])
    return (level - level.mean()) / level.std()


def centred(columns: dict[str, np.ndarray]) -> np.ndarray:
    return columns["close"] / np.convolve(columns["close"], np.ones(5) / 5, mode="same") - 1


def ranked_over_all(values: np.ndarray) -> np.ndarray:
    return values - np.nanmean(values)


@pytest.mark.parametrize("peek", [backfilled, z_score, centred])
def test_a_planted_leak_is_found(peek) -> None:  # type: ignore[no-untyped-def]
    cheat = Indicator("peek", "Peeks.", frozenset({"close"}), (), lambda: 0, peek)
    said = leaks(FeaturePlan((Call(cheat, ()),), ()))["peek"]
    assert {each.split(" after")[0] for each in said} == {"altered", "cut off"}


def test_a_leak_through_the_cross_section_is_found() -> None:
    honest = INDICATORS["log_return"]
    cheat = dataclasses.replace(honest, name="peek", across=ranked_over_all)
    plan = FeaturePlan((Call(cheat, (1,)), Call(honest, (1,))), ())
    said = leaks(plan)
    assert said["peek(1)"] and said["log_return(1)"] == []
