"""Altered bars: the past is the same to the bit, the future is not, and ends that lie ahead are not told."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from backtest.leaks.alter import HORIZON, WORDS, alter
from marketdata.bars import ACTIONS, FIELDS, Bars
from tests.marketdata.build import random_ohlcv, with_actions

CUT = 6
COLUMNS = (*FIELDS, *ACTIONS, "member")


def whole(n: int = 40) -> Bars:
    """Bars with every column, actions before and after the cut, a rate, and a delisting after the cut."""
    bars = with_actions(random_ohlcv(n, 3))
    return dataclasses.replace(bars, rates={"bill": np.linspace(0.01, 0.05, n)})


def altered(mode: str, bars: Bars | None = None, **more: Any) -> Bars:
    return alter(bars or whole(), CUT, mode, np.random.default_rng(1), **more)


@pytest.mark.parametrize("mode", WORDS)
def test_the_past_is_the_same(mode: str) -> None:
    bars, other = whole(), altered(mode)
    for name in COLUMNS:
        mine, theirs = getattr(bars, name), getattr(other, name)
        if mine is not None:
            assert np.array_equal(mine[: CUT + 1], theirs[: CUT + 1]), name
    assert np.array_equal(bars.rates["bill"][: CUT + 1], other.rates["bill"][: CUT + 1])
    assert np.array_equal(bars.known_at[: other.n_bars], other.known_at)


@pytest.mark.parametrize("mode", WORDS)
def test_every_column_has_another_next_bar(mode: str) -> None:
    bars, other = whole(), altered(mode)
    for name in ("open", "high", "low", "close", "volume"):
        assert not np.array_equal(getattr(bars, name)[CUT + 1], getattr(other, name)[CUT + 1]), name


def test_each_is_what_it_says() -> None:
    bars = whole()
    assert altered("truncated").n_bars == CUT + 2 and altered("truncated", latency=3).n_bars == CUT + 5
    assert np.array_equal(altered("truncated").close[CUT + 1], bars.close[CUT])
    assert np.array_equal(np.sort(altered("permuted").close, axis=0), np.sort(bars.close, axis=0))
    assert np.array_equal(altered("next_bar").close[CUT + 2 :], bars.close[CUT + 2 :])
    fresh = altered("replaced").close[CUT + 1 :]
    assert np.isnan(fresh).any() and not np.isin(fresh, bars.close).any()


@pytest.mark.parametrize("mode", WORDS)
def test_prices_stay_prices(mode: str) -> None:
    other = altered(mode)
    there = np.isfinite(other.close)
    assert other.low is not None and other.high is not None
    assert (other.close[there] > 0).all() and (other.low[there] <= other.high[there]).all()


@pytest.mark.parametrize("mode", WORDS)
def test_an_end_that_lies_ahead_is_not_told(mode: str) -> None:
    bars = whole()
    assert bars.delistings and not altered(mode).delistings
    later = alter(bars, 20, mode, np.random.default_rng(1))
    assert later.delistings == bars.delistings  # it lies behind that cut


def test_bars_far_ahead_are_left_out() -> None:
    bars = random_ohlcv(CUT + HORIZON + 100, 1)
    assert altered("permuted", bars).n_bars == CUT + HORIZON + 2


def test_the_same_seed_alters_in_the_same_way() -> None:
    assert altered("replaced").content_hash() == altered("replaced").content_hash()
