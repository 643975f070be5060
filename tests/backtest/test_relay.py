"""One book that is handed on from policy to policy: on paper, and against the book of a single policy."""

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pytest

from backtest.relay import first_bar
from backtest.seeds import SeveralSeeds
from marketdata.splits import Range
from runfiles.policy_list import Start
from simulator.market import Market, prepare_market
from tests.backtest.books import run_strategy
from tests.backtest.relays import Holds, relay
from tests.simulator.markets import make_bars, no_cost, random_bars

T0, BORDER, T1 = 5, 30, 58
FREE = no_cost(episode={"rebalance_eps": 0.0})


def market_of(config: Any = FREE) -> Market:
    """Closes alone, which stand still where something is bought: an order is sized by the close before it."""
    close = random_bars(3, 60, 2).close.copy()
    for bar in (T0, BORDER):
        close[bar + 1] = close[bar]
    return prepare_market(make_bars(close), config)


def test_the_account_goes_on_where_another_policy_takes_over() -> None:
    """Bought at the close after the first decision, changed over at the close after the border, never in cash again."""
    market = market_of()
    found = run_strategy(relay(market, (T0, BORDER), (Holds(0), Holds(1))), market, FREE, T0, T1)
    s0, s1 = market.bars.close.T
    expected = np.concatenate((
        [1.0],
        s0[T0 + 1 : BORDER + 2] / s0[T0 + 1],
        s0[BORDER + 1] / s0[T0 + 1] * s1[BORDER + 2 : T1 + 1] / s1[BORDER + 1],
    ))  # fmt: skip
    assert found.equity / found.equity[0] == pytest.approx(expected, rel=1e-12)
    assert (found.shares[1:] > 0).any(axis=1).all()


def test_the_change_is_paid_for() -> None:
    """Ten basis points of what is sold and of what is bought, once, at the border."""
    config = no_cost(fees={"taker_bps": 10.0})
    market = market_of(config)
    found = run_strategy(relay(market, (T0, BORDER), (Holds(0), Holds(1))), market, config, T0, T1)
    orders = found.orders
    at_border = orders.filled == BORDER + 1
    assert sorted(orders.asset[at_border].tolist()) == [0, 1] and orders.fee[at_border].min() > 0
    sold = orders.asset[at_border] == 0
    worth = np.abs(orders.qty_filled * orders.price_fill)[at_border]
    assert worth[sold] == pytest.approx(found.equity[BORDER - T0], rel=0.002)  # all that was held
    assert worth[~sold] == pytest.approx(worth[sold], rel=0.003)
    assert orders.fee[at_border] == pytest.approx(worth * 1e-3, rel=1e-9)


@pytest.mark.parametrize("begins", [(T0, 20, 41), (T0, T0 + 1, T1 - 1), (0, 2, 59)])
def test_the_same_policy_in_all_folds_is_its_own_book(begins: tuple[int, ...]) -> None:
    config = no_cost(fees={"taker_bps": 10.0})
    market = market_of(config)
    alone = run_strategy(Holds(0), market, config, T0, T1)
    stitched = run_strategy(relay(market, begins, [Holds(0)] * 3), market, config, T0, T1)
    for one in dataclasses.fields(alone):
        mine, theirs = getattr(alone, one.name), getattr(stitched, one.name)
        if isinstance(mine, np.ndarray):
            assert np.array_equal(mine, theirs), one.name
    assert np.array_equal(alone.orders.qty_filled, stitched.orders.qty_filled)


def test_each_close_is_decided_by_one_and_seen_by_all() -> None:
    market, policies = market_of(), [Holds(0), Holds(1), Holds(0)]
    run_strategy(relay(market, (10, 20, 30), policies), market, FREE, T0, 40)
    assert [one.decided for one in policies] == [list(range(5, 20)), list(range(20, 30)), list(range(30, 40))]
    for one in policies:
        assert sorted(one.decided + one.looked) == list(range(T0, 40))


@pytest.mark.parametrize(
    ("t0", "t1", "turns"),
    [
        (10, 40, [(1, 10, 20), (2, 20, 30), (3, 30, 40)]),
        (2, 12, [(1, 2, 12)]),  # before the first fold its policy is in charge
        (19, 21, [(1, 19, 20), (2, 20, 21)]),
        (20, 30, [(2, 20, 30)]),
        (25, 55, [(2, 25, 30), (3, 30, 55)]),
        (35, 55, [(3, 35, 55)]),
    ],
)
def test_who_is_in_charge_by_hand(t0: int, t1: int, turns: list[tuple[int, int, int]]) -> None:
    market = market_of()
    found = relay(market, (10, 20, 30), [Holds(0)] * 3).turns(market.bars.session, t0, t1)
    assert [(turn.fold, turn.span) for turn in found] == [(fold, Range(a, b)) for fold, a, b in turns]


def test_bars_count_as_seen_by_the_policy_then_in_charge() -> None:
    """Bars 12..22 made the second policy and are the first one's test; of its own test bars it has seen 21 and 22."""
    market = market_of()
    found = relay(market, (10, 20), (Holds(0, seen=(0, 11)), Holds(1, seen=(12, 22))))
    assert found.seen_bars(market, 10, 40) == 1 + 2
    assert found.seen_bars(market, 22, 40) == 0
    assert found.seen_bars(market, 0, 9) == 9


def days(*counts: int) -> Any:
    first = np.datetime64("2020-03-02")
    return np.concatenate([np.full(count, first + k) for k, count in enumerate(counts)])


@pytest.mark.parametrize(
    ("session", "day", "bar", "place"),
    [
        (days(1, 1, 1), dt.date(2020, 3, 3), 0, 1),
        (days(4, 4, 4), dt.date(2020, 3, 3), 2, 6),
        (days(4, 2, 4), dt.date(2020, 3, 3), 3, 6),  # a shorter day on other bars: the first one after it
        (days(4, 0, 4), dt.date(2020, 3, 3), 1, 4),
        (days(2, 2), dt.date(2020, 3, 9), 0, 4),  # after the last bar: never
    ],
)
def test_where_a_fold_begins_on_other_bars(session: Any, day: dt.date, bar: int, place: int) -> None:
    assert first_bar(Start(1, day, bar), session) == place


def test_policies_that_were_trained_otherwise_make_no_relay() -> None:
    market = market_of()
    with pytest.raises(ValueError, match=r"^fold 2 was trained with other features than fold 1$"):
        relay(market, (10, 20), (Holds(0), Holds(0, lookback=9)))
    with pytest.raises(ValueError, match=r"^fold 3 was trained with other settings than fold 1$"):
        relay(market, (10, 20, 30), (Holds(0, told=4), Holds(0, told=4), Holds(0, told=5)))


def test_one_fold_remembers_as_its_policy_and_several_have_no_range_in_common() -> None:
    market = market_of()
    assert relay(market, (10,), [Holds(0)]).learned_spans() == Holds(0).learned_spans()
    assert relay(market, (10, 20), [Holds(0), Holds(1)]).learned_spans() == ()


def test_each_seed_has_a_book_of_its_own_through_all_folds() -> None:
    market = market_of()
    of_seed = {7: (Holds(0), Holds(1)), 3: (Holds(1), Holds(0))}
    together = SeveralSeeds({seed: relay(market, (T0, BORDER), pair) for seed, pair in of_seed.items()})
    together.prepare(market, FREE)
    for book, pair in zip(together.books(market, FREE, T0, T1), of_seed.values(), strict=True):
        alone = run_strategy(relay(market, (T0, BORDER), pair), market, FREE, T0, T1)
        assert np.array_equal(book.equity, alone.equity)
