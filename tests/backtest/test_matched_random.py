"""The percentile of luck: what a draw keeps, where a lucky and an able subject stand, and the same draws each time."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from backtest.config import BacktestConfig
from backtest.matched_random import (
    SEAMS,
    SHORTEST_ARC,
    MatchedRandom,
    arcs_of,
    matched_random,
    percentile_of,
    replayed,
    shuffled,
    track_of,
)
from backtest.registry import load
from marketdata.splits import Range
from simulator.engine import Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars, no_cost, random_bars

T0, T1 = 20, 271
SPAN = Range(T0, T1)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def wandering(seed: int, n_bars: int, n_assets: int, memory: float) -> np.ndarray:
    """(n_bars, n_assets) long-only weights, fully invested, that drift about without looking at prices."""
    noise = rng(seed).normal(size=(n_bars, n_assets))
    for t in range(1, n_bars):
        noise[t] = memory * noise[t - 1] + np.sqrt(1 - memory**2) * noise[t]
    weights = np.exp(noise)
    return weights / weights.sum(axis=1, keepdims=True)


def judged(weights: np.ndarray, market: Market, config: Any, span: Range = SPAN) -> Ledger:
    return run_decisions(market, config, Decisions(np.arange(span.t0, span.t1), weights), span.t0, span.t1)


@pytest.fixture(scope="module")
def market() -> Market:
    return prepare_market(random_bars(7, 280, 6), no_cost())


def unshuffled(subject: Ledger, market: Market, config: Any) -> Ledger:
    track = track_of(subject, market)
    decisions = replayed(track, np.arange(SPAN.n_bars), market.offered[T0:T1], T0)
    return run_decisions(market, config, decisions, T0, T1)


@pytest.mark.parametrize("key", ["cash", "buy_hold", "equal", "momentum", "equal_daily"])
def test_left_in_its_order_a_subject_is_itself(market: Market, key: str) -> None:
    """The decisions are read off the account alone; played again they must give the account."""
    config = no_cost()
    decisions = load(key)(BacktestConfig(policy="equal")).decisions(market, T0, T1)
    subject = run_decisions(market, config, decisions, T0, T1)
    again = unshuffled(subject, market, config)
    np.testing.assert_allclose(again.equity, subject.equity, rtol=1e-9)
    np.testing.assert_allclose(again.shares, subject.shares, rtol=1e-7, atol=1e-7)
    assert len(again.orders) == len(subject.orders)


def test_a_short_subject_is_itself_too() -> None:
    config = no_cost(margin={"allow_short": True, "max_gross_leverage": 2.0})
    market = prepare_market(random_bars(7, 280, 3), config)
    subject = judged(rng(3).uniform(-0.5, 0.5, (SPAN.n_bars, 3)), market, config)
    np.testing.assert_allclose(unshuffled(subject, market, config).equity, subject.equity, rtol=1e-9)


@pytest.mark.parametrize("arcs", [1, 2, 5, 11])
def test_a_draw_is_a_circle_cut_into_arcs(arcs: int) -> None:
    order = shuffled(251, arcs, rng(arcs))
    assert sorted(order) == list(range(251))
    seams = (np.diff(order) % 251 != 1).sum()
    assert seams <= arcs - 1
    if arcs == 1:
        assert (np.diff(order) % 251 == 1).all()


def test_arcs_are_as_many_as_five_percent_of_the_trading_pays_for(market: Market) -> None:
    config = no_cost()
    for memory in (0.0, 0.9, 0.99):
        track = track_of(judged(wandering(1, SPAN.n_bars, 6, memory), market, config), market)
        arcs = arcs_of(track, rng(0))
        pairs = rng(1).integers(0, SPAN.n_bars, (2, 20_000))
        seam = np.abs(track.weights[pairs[0]] - track.weights[pairs[1]]).sum(axis=1).mean()
        assert 1 <= arcs <= SPAN.n_bars // SHORTEST_ARC
        assert arcs == 1 or (arcs - 1) * seam <= SEAMS * track.traded * 1.05


@pytest.mark.parametrize("memory", [0.0, 0.9, 0.98])
def test_turnover_and_exposure_are_matched(market: Market, memory: float) -> None:
    """Within 10 % and 1 % for one who trades its book several times a year."""
    weights = 0.8 * wandering(5, SPAN.n_bars, 6, memory)
    found = matched_random(judged(weights, market, no_cost()), market, no_cost(), SPAN, 100, 0)
    assert found.turnover_ratio == pytest.approx(1, abs=0.1)
    assert found.gross_ratio == pytest.approx(1, abs=0.01)


def test_exposure_is_kept_where_an_asset_is_not_offered() -> None:
    close = random_bars(3, 280, 4).close.copy()
    close[: T0 + 120, 1] = np.nan
    market = prepare_market(make_bars(close), no_cost())
    weights = wandering(2, SPAN.n_bars, 4, 0.9)
    weights[:120, 1] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    found = matched_random(judged(weights, market, no_cost()), market, no_cost(), SPAN, 100, 0)
    assert found.gross_ratio == pytest.approx(1, abs=0.01)


def test_one_who_trades_at_random_is_anywhere() -> None:
    """The null itself: over 150 subjects that look at nothing the percentile is uniform."""
    config, span = no_cost(), Range(20, 141)
    found = []
    for seed in range(150):
        market = prepare_market(random_bars(1000 + seed, 150, 3), config)
        subject = judged(wandering(seed, span.n_bars, 3, (0.0, 0.8, 0.95)[seed % 3]), market, config, span)
        found.append(matched_random(subject, market, config, span, 100, seed).percentile)
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) > 0.95) < 0.12


def foresight(market: Market, right: float) -> np.ndarray:
    """All in the asset that will do best over the next fill, in that share of the bars; any other in the rest."""
    open_ = market.bars.open
    assert open_ is not None
    best = (open_[T0 + 2 : T1 + 2] / open_[T0 + 1 : T1 + 1]).argmax(axis=1)
    chosen = np.where(rng(0).random(SPAN.n_bars) < right, best, rng(1).integers(0, market.n_assets, SPAN.n_bars))
    return np.eye(market.n_assets)[chosen]


def test_one_who_knows_stands_high_and_one_who_is_always_wrong_low(market: Market) -> None:
    config = no_cost()
    able = matched_random(judged(foresight(market, 0.3), market, config), market, config, SPAN, 200, 0)
    assert able.percentile > 0.97 and able.excess_median > 0.5 and able.total_return > able.high
    bars = dataclasses.replace(market.bars, open=None, high=None, low=None)
    closes = prepare_market(bars, config)
    worst = (bars.close[T0 + 2 : T1 + 2] / bars.close[T0 + 1 : T1 + 1]).argmin(axis=1)
    unable = matched_random(judged(np.eye(6)[worst], closes, config), closes, config, SPAN, 200, 0)
    assert unable.percentile < 0.01 and unable.excess_median < 0


def test_the_same_seed_gives_the_same_answer_and_another_one_another(market: Market) -> None:
    subject = judged(wandering(5, SPAN.n_bars, 6, 0.9), market, no_cost())
    one, same, other = (matched_random(subject, market, no_cost(), SPAN, 100, seed) for seed in (1, 1, 2))
    assert one == same and one != other


def test_costs_are_those_of_the_subject(market: Market) -> None:
    """Draws pay: with fees the whole distribution lies lower, by about what the subject lost to them."""
    dear = no_cost(fees={"taker_bps": 20.0})
    weights = wandering(5, SPAN.n_bars, 6, 0.5)
    paying = prepare_market(market.bars, dear)
    free = matched_random(judged(weights, market, no_cost()), market, no_cost(), SPAN, 100, 0)
    paid = matched_random(judged(weights, paying, dear), paying, dear, SPAN, 100, 0)
    lost = np.log((1 + free.median) / (1 + paid.median))
    assert lost == pytest.approx(np.log((1 + free.total_return) / (1 + paid.total_return)), rel=0.1)


@pytest.mark.parametrize(
    ("own", "totals", "percentile"),
    [
        (5.0, [1.0, 2.0, 3.0], 3.5 / 4),
        (0.0, [1.0, 2.0, 3.0], 0.5 / 4),
        (1.5, [1.0, 2.0, 3.0], 1.5 / 4),
        (2.0, [1.0, 2.0, 3.0], 2 / 4),
        (2.0, [2.0, 2.0, 2.0], 2 / 4),
    ],
)
def test_the_percentile_is_the_mid_rank_among_itself_and_the_draws(
    own: float, totals: list[float], percentile: float
) -> None:
    assert percentile_of(own, np.array(totals)) == percentile


def test_cash_has_nothing_to_shuffle(market: Market) -> None:
    subject = run_decisions(market, no_cost(), Decisions(np.empty(0, np.int64), np.empty((0, 6))), T0, T1)
    found = matched_random(subject, market, no_cost(), SPAN, 100, 0)
    assert (found.percentile, found.turnover_ratio, found.gross_ratio) == (0.5, None, None)
    assert "nothing to shuffle" in found.sentence


def test_what_is_written_is_plain(market: Market) -> None:
    found = matched_random(
        judged(wandering(5, SPAN.n_bars, 6, 0.9), market, no_cost()), market, no_cost(), SPAN, 100, 0
    )
    assert list(found.as_dict()) == [field.name for field in dataclasses.fields(MatchedRandom)]
    assert all(type(value) in (int, float) for value in found.as_dict().values())
    assert found.low <= found.median <= found.high and found.excess_low <= found.excess_median <= found.excess_high


def test_where_arcs_meet_a_draw_takes_what_the_subject_held_there(market: Market) -> None:
    """One who buys and holds decides once; a shift by 100 begins with the drifted weights of bar 100, and meets the
    first decision 100 bars before its end."""
    subject = run_decisions(market, no_cost(), Decisions(np.array([T0]), np.full((1, 6), 1 / 6)), T0, T1)
    order = np.roll(np.arange(SPAN.n_bars), -100)
    found = replayed(track_of(subject, market), order, market.offered[T0:T1], T0)
    assert found.bars.tolist() == [T0, T1 - 100]
    bought = subject.shares[1] * subject.marks[0] / subject.equity[0]  # a little less than asked: cash ran out
    np.testing.assert_allclose(found.targets, [subject.weights[100], bought], rtol=1e-9)
