"""Every baseline of the registry: nothing after a bar changes what was decided up to it, and odd markets are fine."""

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pytest

from backtest.config import BacktestConfig
from backtest.random_fund import RandomBook
from backtest.registry import BASELINES, load
from marketdata.bars import Bars, Delisting
from simulator.engine import Decisions, run_decisions
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars, random_bars

T0, T1 = 260, 330
SLOW_WITH_MANY = ("risk_parity", "hrp")  # seconds a decision with a thousand assets


def config(**groups: Any) -> BacktestConfig:
    weights = {"fixed_weights": {"S0": 0.5}, "baselines": ["fixed_weights"]}
    return BacktestConfig(policy="equal", **{"evaluation": weights, **groups})


def market_of(bars: Bars) -> Market:
    return prepare_market(bars, config())


def decided(key: str, market: Market, t1: int = T1) -> Decisions:
    strategy = RandomBook(config(), np.random.SeedSequence(0)) if key == "random" else load(key)(config())
    strategy.prepare(market, config())
    return strategy.decisions(market, T0, t1)


def eventful(seed: int = 8) -> Bars:
    """Late starters, gaps, splits, dividends, a universe that changes, a symbol that ends."""
    bars = random_bars(seed, 340, 6, ragged=True)
    rng = np.random.default_rng(seed)
    split = np.where(rng.random(bars.close.shape) < 0.01, 2.0, 1.0)
    dividend = np.where(rng.random(bars.close.shape) < 0.02, 0.3, 0.0)
    member = rng.random(bars.close.shape) < 0.9
    close = bars.close.copy()
    close[310:, 5] = np.nan
    end = {"S5": Delisting(dt.date.fromisoformat(str(bars.session[309])), -0.5)}
    return dataclasses.replace(bars, close=close, split=split, dividend=dividend, member=member, delistings=end)


def otherwise(bars: Bars, t: int) -> Bars:
    """The same up to the close of t; everything later is another world."""
    rng = np.random.default_rng(t)
    later = np.arange(bars.n_bars)[:, None] > t
    shape = bars.close.shape

    def changed(now: Any, other: Any) -> Any:
        return np.where(later, other, now)

    close = changed(bars.close, np.where(rng.random(shape) < 0.3, np.nan, rng.uniform(1, 100, shape)))
    return dataclasses.replace(
        bars, close=close, open=changed(bars.open, rng.uniform(1, 100, shape)), high=None, low=None,
        volume=changed(bars.volume, rng.uniform(1, 1e6, shape)),
        split=changed(bars.split, rng.choice([1.0, 3.0], shape)),
        dividend=changed(bars.dividend, rng.random(shape)), member=changed(bars.member, rng.random(shape) < 0.5),
        delistings={},
    )  # fmt: skip


def up_to(found: Decisions, t: int) -> tuple[list[int], list[bytes]]:
    keep = found.bars <= t
    return found.bars[keep].tolist(), [row.tobytes() for row in found.targets[keep]]


@pytest.mark.parametrize("key", BASELINES)
@pytest.mark.parametrize("t", [T0, T0 + 17, T0 + 45])
def test_the_future_changes_no_decision(key: str, t: int) -> None:
    bars = eventful()
    before = decided(key, market_of(bars))
    after = decided(key, market_of(otherwise(bars, t)))
    assert up_to(after, t) == up_to(before, t)


@pytest.mark.parametrize("key", BASELINES)
def test_a_longer_range_begins_with_the_same_decisions(key: str) -> None:
    market = market_of(eventful())
    assert up_to(decided(key, market, T0 + 40), T0 + 39) == up_to(decided(key, market), T0 + 39)


def test_the_other_world_is_another_one_for_who_looks() -> None:
    bars = eventful()
    for key in ("inverse_vol", "momentum", "min_variance"):
        before, after = (decided(key, market_of(b)) for b in (bars, otherwise(bars, T0)))
        assert not np.array_equal(before.targets[1:], after.targets[1:])


def constant() -> Bars:
    return make_bars(np.full((340, 3), 5.0))


def delisted() -> Bars:
    """Two of three end within the range, one of them for good before any decision."""
    close = random_bars(4, 340, 3).close.copy()
    close[280:, 1] = np.nan
    close[250:, 2] = np.nan
    return make_bars(close)


def nothing_offered() -> Bars:
    bars = random_bars(4, 340, 3)
    member = np.ones(bars.close.shape, bool)
    member[255:300] = False
    return dataclasses.replace(bars, member=member)


def halves_missing() -> Bars:
    close = random_bars(4, 340, 4).close.copy()
    close[np.random.default_rng(0).random(close.shape) < 0.5] = np.nan
    close[0] = 50.0
    return make_bars(close)


WORLDS = {
    "ragged": lambda: random_bars(8, 340, 5, ragged=True), "eventful": eventful, "delisted": delisted,
    "one asset": lambda: random_bars(1, 340, 1), "constant": constant, "half the closes": halves_missing,
    "nothing offered": nothing_offered,
}  # fmt: skip


def check(key: str, market: Market, t1: int = T1) -> None:
    """Targets are weights of what is offered, and the simulator takes them."""
    found = decided(key, market, t1)
    assert np.isfinite(found.targets).all() and (found.targets >= 0).all()
    assert (found.targets.sum(axis=1) <= 1 + 1e-9).all()
    assert (found.targets[~market.offered[found.bars]] == 0).all()
    ledger = run_decisions(market, config(), found, T0, t1)
    assert np.isfinite(ledger.equity).all() and ledger.ended == ""


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("key", BASELINES)
def test_odd_markets(key: str, world: str) -> None:
    check(key, market_of(WORLDS[world]()))


@pytest.fixture(scope="module")
def wide() -> Market:
    """A thousand assets that a common walk moves, as in a stock market."""
    common = np.exp(np.cumsum(0.03 * np.random.default_rng(9).standard_normal((300, 1)), axis=0))
    bars = random_bars(3, 300, 1000)
    return market_of(make_bars(bars.close * common, volume=bars.volume))


@pytest.mark.parametrize("key", [key for key in BASELINES if key not in SLOW_WITH_MANY])
def test_a_thousand_assets(key: str, wide: Market) -> None:
    check(key, wide, T0 + 30)


@pytest.mark.slow
@pytest.mark.parametrize("key", SLOW_WITH_MANY)
def test_more_assets_than_returns_of_the_others(key: str, wide: Market) -> None:
    check(key, market_of(wide.bars.select(wide.symbols[:300])), T0 + 2)
