"""The percentile of luck: what a draw keeps, the null on random walks, where an able subject stands."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from backtest.config import BacktestConfig
from backtest.matched_random import (
    LEAST_BEFORE,
    LEAST_SHIFT,
    MatchedRandom,
    matched_random,
    percentile_of,
    shifted,
    track_of,
    why_none,
)
from backtest.registry import load
from marketdata.splits import Range
from simulator.engine import Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import Market, prepare_market
from tests.simulator.markets import make_bars, no_cost, random_bars

FIRST, T0, T1 = 20, 420, 571
SPAN = Range(T0, T1)
Rule = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def wandering(seed: int, n_bars: int, n_assets: int, memory: float) -> np.ndarray:
    """(n_bars, n_assets) long-only weights, fully invested, that drift about without looking at prices."""
    noise = rng(seed).normal(size=(n_bars, n_assets))
    for t in range(1, n_bars):
        noise[t] = memory * noise[t - 1] + np.sqrt(1 - memory**2) * noise[t]
    weights = np.exp(noise)
    return weights / weights.sum(axis=1, keepdims=True)


def books(
    weights: np.ndarray, market: Market, config: Any, first: int = FIRST, span: Range = SPAN
) -> tuple[Ledger, Ledger]:
    """The book of the range and the longer one of a subject with these weights (T, A) at each bar."""

    def book(t0: int) -> Ledger:
        return run_decisions(market, config, Decisions(np.arange(t0, span.t1), weights[t0 : span.t1]), t0, span.t1)

    return book(span.t0), book(first)


def found_of(weights: np.ndarray, market: Market, config: Any, draws: int = 100, seed: int = 0) -> MatchedRandom:
    return matched_random(*books(weights, market, config), market, config, SPAN, draws, seed)


@pytest.fixture(scope="module")
def market() -> Market:
    return prepare_market(random_bars(7, 600, 6), no_cost())


@pytest.mark.parametrize("key", ["cash", "buy_hold", "equal", "momentum", "equal_daily"])
def test_played_again_where_it_was_a_book_is_itself(market: Market, key: str) -> None:
    """Decisions are read off the account alone; at their own dates they must give it back."""
    config = no_cost()
    decisions = load(key)(BacktestConfig(policy="equal")).decisions(market, T0, T1)
    subject = run_decisions(market, config, decisions, T0, T1)
    again = run_decisions(market, config, shifted(track_of(subject, market), 0, market.offered[T0:T1], T0), T0, T1)
    np.testing.assert_allclose(again.equity, subject.equity, rtol=1e-9)
    np.testing.assert_allclose(again.shares, subject.shares, rtol=1e-7, atol=1e-7)


def test_a_short_book_is_itself_too() -> None:
    config = no_cost(margin={"allow_short": True, "max_gross_leverage": 2.0})
    market = prepare_market(random_bars(7, 600, 3), config)
    subject, _ = books(rng(3).uniform(-0.5, 0.5, (600, 3)), market, config)
    again = run_decisions(market, config, shifted(track_of(subject, market), 0, market.offered[T0:T1], T0), T0, T1)
    np.testing.assert_allclose(again.equity, subject.equity, rtol=1e-9)


def test_a_draw_has_the_weights_of_an_earlier_date(market: Market) -> None:
    """100 bars back, each bar has what was held or decided 100 bars before it."""
    weights = wandering(1, 600, 6, 0.9)
    _, longer = books(weights, market, no_cost())
    found = shifted(track_of(longer, market), T0 - FIRST - 100, market.offered[T0:T1], T0)
    assert found.bars.tolist() == list(range(T0, T1))
    np.testing.assert_allclose(
        found.targets, weights[T0 - 100 : T1 - 100], atol=0.02
    )  # fills fall short of cash a little


def test_no_draw_knows_a_bar_of_the_range(market: Market) -> None:
    """Other bars from t on change no target of a draw before t + the least shift less the bar of the fill, though the
    rule looks at every price."""
    after = T0 + 30
    close = market.bars.close.copy()
    close[after:] *= np.exp(np.cumsum(rng(5).normal(0, 0.05, close[after:].shape), axis=0))
    other = prepare_market(dataclasses.replace(market.bars, close=close, open=None, high=None, low=None), no_cost())
    plain = prepare_market(dataclasses.replace(market.bars, open=None, high=None, low=None), no_cost())
    told = []
    for one in (plain, other):
        _, longer = books(following(one.bars.close, 5, 1.0), one, no_cost())
        first = T0 - FIRST - LEAST_SHIFT
        drawn = shifted(track_of(longer, one), first, one.offered[T0:T1], T0)
        early = drawn.bars < after + LEAST_SHIFT - 1
        told.append((drawn.bars[early], drawn.targets[early]))
    assert len(told[0][0]) > 20
    assert all(np.array_equal(*pair) for pair in zip(*told, strict=True))


@pytest.mark.parametrize("memory", [0.0, 0.9, 0.98])
def test_turnover_and_exposure_are_matched(market: Market, memory: float) -> None:
    """Within 10 % and 1 % for one who trades alike at all times."""
    found = found_of(0.8 * wandering(5, 600, 6, memory), market, no_cost())
    assert found.turnover_ratio == pytest.approx(1, abs=0.1)
    assert found.gross_ratio == pytest.approx(1, abs=0.01)


def test_exposure_is_kept_where_an_asset_is_not_offered() -> None:
    close = random_bars(3, 600, 4).close.copy()
    close[T0 + 70 :, 1] = np.nan
    market = prepare_market(make_bars(close), no_cost())
    weights = wandering(2, 600, 4, 0.9)
    weights[T0 + 70 :, 1] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    assert found_of(weights, market, no_cost()).gross_ratio == pytest.approx(1, abs=0.03)


def following(close: np.ndarray, look: int, sign: float, every: int = 1) -> np.ndarray:
    """(T, A) all in the asset that rose most (`sign` 1) or fell most (−1) over `look` bars, looked at `every` bars."""
    found = np.zeros_like(close)
    for t in range(len(close)):
        if t % every:
            found[t] = found[t - 1]
        elif t >= look:
            found[t, np.argmax(sign * (close[t] / close[t - look]))] = 1.0
    return found


RULES: dict[str, Rule] = {
    "follows a month": lambda close, _: following(close, 20, 1.0, 5),
    "follows a quarter": lambda close, _: following(close, 60, 1.0, 21),
    "buys what fell in a week": lambda close, _: following(close, 5, -1.0),
    "buys what fell in a quarter": lambda close, _: following(close, 60, -1.0, 21),
    "looks at nothing": lambda close, draw: np.eye(close.shape[1])[
        np.repeat(draw.integers(0, close.shape[1], len(close) // 10 + 1), 10)[: len(close)]
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_the_percentile_is_uniform_on_random_walks(rule: str) -> None:
    """The null itself, over 200 driftless worlds: whether a rule follows prices or not, it is anywhere."""
    config, first, span, found = no_cost(), 60, Range(860, 986), []
    for seed in range(200):
        draw = rng(9000 + seed)
        close = 50 * np.exp(np.cumsum(draw.normal(-0.00005, 0.01, (990, 4)), axis=0))  # E[growth] = 1
        market = prepare_market(make_bars(close), config)
        pair = books(RULES[rule](close, draw), market, config, first, span)
        found.append(matched_random(*pair, market, config, span, 100, seed).percentile)
    assert kstest(found, "uniform").pvalue > 0.01
    assert abs(float(np.mean(found)) - 0.5) < 3 / np.sqrt(12 * 200)


def foresight(market: Market, right: float) -> np.ndarray:
    """All in the asset that will do best over the next fill, in that share of the judged bars; any other elsewhere."""
    open_ = market.bars.open
    assert open_ is not None
    best = np.zeros(600, np.int64)
    best[T0:T1] = (open_[T0 + 2 : T1 + 2] / open_[T0 + 1 : T1 + 1]).argmax(axis=1)
    lucky = (rng(0).random(600) < right) & (np.arange(600) >= T0)
    return np.eye(market.n_assets)[np.where(lucky, best, rng(1).integers(0, market.n_assets, 600))]


def test_one_who_knows_stands_high_and_one_who_is_always_wrong_low(market: Market) -> None:
    able = found_of(foresight(market, 0.3), market, no_cost(), 200)
    assert able.percentile > 0.97 and able.excess_median > 0.5 and able.total_return > able.high
    bars = dataclasses.replace(market.bars, open=None, high=None, low=None)
    closes = prepare_market(bars, no_cost())
    weights = wandering(3, 600, 6, 0.5)
    weights[T0:T1] = np.eye(6)[(bars.close[T0 + 2 : T1 + 2] / bars.close[T0 + 1 : T1 + 1]).argmin(axis=1)]
    unable = found_of(weights, closes, no_cost(), 200)
    assert unable.percentile < 0.01 and unable.excess_median < 0


def test_the_same_seed_gives_the_same_answer_and_another_one_another(market: Market) -> None:
    one, same, other = (found_of(wandering(5, 600, 6, 0.9), market, no_cost(), seed=seed) for seed in (1, 1, 2))
    assert one == same and one != other


def test_costs_are_those_of_the_subject(market: Market) -> None:
    """Draws pay: with fees the whole distribution lies lower, by about what the subject lost to them."""
    dear = no_cost(fees={"taker_bps": 20.0})
    weights = wandering(5, 600, 6, 0.5)
    paying = prepare_market(market.bars, dear)
    free, paid = found_of(weights, market, no_cost()), found_of(weights, paying, dear)
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


def test_too_few_bars_before_the_range_give_none() -> None:
    wanted = LEAST_BEFORE * SPAN.n_bars + LEAST_SHIFT
    assert why_none(T0 - wanted, SPAN) == ""
    assert why_none(T0 - wanted + 1, SPAN) == (
        f"Matched random is left out: {wanted} bars before the range are needed, and there are {wanted - 1}."
    )
    assert "there are 0" in why_none(T0 + 5, SPAN)


def test_cash_has_nothing_to_shift(market: Market) -> None:
    def book(t0: int) -> Ledger:
        return run_decisions(market, no_cost(), Decisions(np.empty(0, np.int64), np.empty((0, 6))), t0, T1)

    found = matched_random(book(T0), book(FIRST), market, no_cost(), SPAN, 100, 0)
    assert (found.percentile, found.turnover_ratio, found.gross_ratio) == (0.5, None, None)
    assert "nothing to shift" in found.sentence


def test_what_is_written_is_plain(market: Market) -> None:
    found = found_of(wandering(5, 600, 6, 0.9), market, no_cost())
    assert list(found.as_dict()) == [field.name for field in dataclasses.fields(MatchedRandom)]
    assert all(type(value) in (int, float) for value in found.as_dict().values())
    assert found.low <= found.median <= found.high and found.excess_low <= found.excess_median <= found.excess_high
    assert found.before == T0 - FIRST
