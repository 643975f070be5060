"""Worlds of real bars: what is left of the past, what is not, and what the planted signal tells of the next bar."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from marketdata.adjust import adjusted
from marketdata.bars import Bars, Delisting
from rl.calibrate.permuted import Shuffler
from tests.simulator.markets import random_bars

SEED = 7


def chance() -> np.random.Generator:
    return np.random.default_rng(SEED)


def logs(bars: Bars) -> list[np.ndarray]:
    """Log returns between the closes of each symbol that it has."""
    return [np.diff(np.log(column[np.isfinite(column)])) for column in bars.close.T]


@pytest.fixture(scope="module")
def trending() -> Bars:
    """Names of which one is better than the others, in bars with gaps and late listings."""
    bars = random_bars(3, n_bars=4_000, n_assets=5, ragged=True)
    drift = np.exp(np.linspace(0, 1, 4_000)[:, None] * np.array([3.0, 0, 0, -2.0, 1.0]))
    columns = {name: getattr(bars, name) * drift for name in ("open", "high", "low", "close")}
    return dataclasses.replace(bars, **columns)


def test_an_empty_world_is_the_past_in_another_order_without_its_drift(trending: Bars) -> None:
    world, signal = Shuffler(trending).world(chance(), 0.0)
    assert np.array_equal(world.present, trending.present) and np.array_equal(world.session, trending.session)
    assert np.array_equal(np.isfinite(signal), trending.present)
    for made, was in zip(logs(world), logs(trending), strict=True):
        assert np.allclose(np.sort(made), np.sort(was - was.mean()), atol=1e-9)
        assert abs(made.mean()) < 1e-12 and abs(was.mean()) > 1e-6
        assert not np.allclose(made, was - was.mean())


def test_symbols_still_move_together() -> None:
    bars = random_bars(5, n_bars=500)
    made, was = (np.column_stack(logs(each)) for each in (Shuffler(bars).world(chance(), 0.0)[0], bars))
    rows = {tuple(row) for row in np.round(was - was.mean(axis=0), 9)}
    assert {tuple(row) for row in np.round(made, 9)} == rows


def test_symbols_move_together_wherever_the_other_day_has_both(trending: Bars) -> None:
    """Two symbols are given the same returns: they still agree on as many days as a day of the past has both."""
    close = trending.close.copy()
    close[:, 1] = np.where(np.isfinite(close[:, 1]), close[:, 0], np.nan)
    world, _ = Shuffler(Bars(trending.symbols, trending.session, trending.known_at, close)).world(chance(), 0.0)
    both = world.present[1:, :2].all(axis=1) & world.present[:-1, :2].all(axis=1)
    steps = np.diff(np.log(world.close[:, :2]), axis=0)[both]
    agree = np.isclose(steps[:, 0], steps[:, 1], atol=1e-4).mean()
    assert agree == pytest.approx(both.mean(), abs=0.06) and agree > 0.6


def test_bars_keep_their_shape_and_the_money_traded() -> None:
    bars = random_bars(9, n_bars=400, n_assets=2)
    world, _ = Shuffler(bars).world(chance(), 0.0)
    made, was = facts(world), facts(bars)
    assert np.allclose(made[np.argsort(made[:, 0])], was[np.argsort(was[:, 0])])
    assert not np.allclose(made, was)


def facts(bars: Bars) -> np.ndarray:
    """(T-1, 8): from open to close, open to high, open to low, and money, of two symbols: bars that move as one."""
    assert bars.open is not None and bars.high is not None and bars.low is not None and bars.volume is not None
    ends = (np.log(value / bars.open)[1:] for value in (bars.close, bars.high, bars.low))
    return np.column_stack((*ends, (bars.volume * bars.close)[1:]))


@pytest.mark.parametrize("kappa", [0.3, 0.5, 0.9])
def test_a_signal_tells_its_part_and_changes_neither_mean_nor_deviation(trending: Bars, kappa: float) -> None:
    shuffler = Shuffler(trending)
    empty, quiet = shuffler.world(chance(), 0.0)
    world, signal = shuffler.world(chance(), kappa)
    assert np.array_equal(signal, quiet, equal_nan=True)  # the same world but for what is planted
    before, after = [], []
    for a, (made, was) in enumerate(zip(logs(world), logs(empty), strict=True)):
        mine = signal[np.isfinite(signal[:, a]), a][:-1]
        assert np.allclose(made, np.sqrt(1 - kappa**2) * was + kappa * was.std() * mine, atol=1e-9)
        before += list(mine)
        after += list(made / was.std())
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(kappa, abs=0.02)
    assert np.std(after) == pytest.approx(1, abs=0.03)
    assert abs(np.corrcoef(before, np.concatenate([each for each in logs(empty)]))[0, 1]) < 0.03


@pytest.mark.parametrize("kappa", [0.0, 0.5, 0.9])
def test_every_bar_is_one(trending: Bars, kappa: float) -> None:
    bars = dataclasses.replace(trending, vwap=(trending.high + trending.close) / 2)  # type: ignore[operator]
    world, _ = Shuffler(bars).world(chance(), kappa)
    here = world.present
    assert world.open is not None and world.high is not None and world.low is not None and world.vwap is not None
    assert (world.high[here] >= np.fmax(world.open, world.close)[here] * (1 - 1e-12)).all()
    assert (world.low[here] <= np.fmin(world.open, world.close)[here] * (1 + 1e-12)).all()
    assert (world.vwap[here] <= world.high[here] * (1 + 1e-12)).all()
    assert (world.vwap[here] >= world.low[here] * (1 - 1e-12)).all()


def test_what_is_planted_comes_after_the_open() -> None:
    """So that an order which fills at the next open still earns it."""
    bars = random_bars(4, n_bars=300)
    empty, signal = Shuffler(bars).world(chance(), 0.0)
    world, _ = Shuffler(bars).world(chance(), 0.6)
    assert empty.open is not None and world.open is not None
    gap, was = (np.log(each.open[1:] / each.close[:-1]) for each in (world, empty))  # type: ignore[index]
    assert np.allclose(gap, 0.8 * was, atol=1e-9)
    spread = np.log(bars.close[1:] / bars.close[:-1]).std(axis=0)
    body, old = (np.log(each.close[1:] / each.open[1:]) for each in (world, empty))  # type: ignore[index]
    assert np.allclose(body, 0.8 * old + 0.6 * spread * signal[:-1], atol=1e-9)


def test_actions_are_in_the_returns_and_no_longer_there() -> None:
    bars = random_bars(6, n_bars=200, n_assets=2)
    split, dividend = np.ones((200, 2)), np.zeros((200, 2))
    split[90, 0], dividend[50, 1] = 7.0, 2.0
    raw = dataclasses.replace(
        bars, split=split, dividend=dividend, delistings={"S1": Delisting(dt.date(2020, 9, 1), -0.5)}
    )
    world, _ = Shuffler(raw).world(chance(), 0.0)
    for made, was in zip(logs(world), logs(adjusted(raw, "total_return")), strict=True):
        assert np.allclose(np.sort(made), np.sort(was - was.mean()), atol=1e-9)
    assert world.split is not None and world.dividend is not None
    assert (world.split == 1).all() and (world.dividend == 0).all() and world.adjustment == "raw"
    assert world.delistings["S1"] == Delisting(dt.date(2020, 9, 1), 0.0)
    assert np.allclose(world.close[0], raw.close[0], rtol=1e-12)


def test_another_generator_is_another_world() -> None:
    shuffler = Shuffler(random_bars(2, n_bars=100))
    first, again, other = (
        shuffler.world(np.random.default_rng([0, number]), 0.5)[0].content_hash() for number in (1, 1, 2)
    )
    assert first == again != other
