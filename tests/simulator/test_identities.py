"""Closed forms and identities that hold whatever the market does."""

import numpy as np
import pytest

from simulator.books import Books
from simulator.config import EpisodeConfig, SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.market import prepare_market
from simulator.state import REASONS
from tests.simulator.markets import make_bars, no_cost, random_bars, reason_words

ALL_COSTS = SimulatorConfig(
    fees={"taker_bps": 5.0, "commission_per_share": 0.01, "borrow_fee_apr": 0.02},
    margin={"allow_short": True, "max_gross_leverage": 1.5, "cash_yield_apr": 0.02},
    exec={"half_spread_bps": 3.0, "impact_k": 200.0, "participation_cap": 0.2},
)


def daily(bars, weights):
    decided = np.arange(bars.n_bars - 1)
    return Decisions(decided, np.broadcast_to(weights, (len(decided), bars.n_assets)).copy())


@pytest.mark.parametrize("fill", ["next_open", "next_close"])
def test_one_purchase_in_closed_form(fill):
    """w = 1 decided once, fractional, no cost: E_N / E_0 = 1 + (C_N - p) / max(C_0, p), p the price of the fill."""
    bars = random_bars(1, 30, 1)
    config = no_cost(exec={"fill": fill, "participation_cap": 1.0}, episode={"start_cash": 100.0})
    ledger = run_decisions(prepare_market(bars, config), config, Decisions(np.array([0]), np.ones((1, 1))), 0, 29)
    # volume is unknown before five bars, so the order of bar 0 cannot fill under a participation cap
    assert ledger.equity[-1] == 100.0
    free = make_bars(bars.close, open=bars.open)
    ledger = run_decisions(
        prepare_market(free, no_cost(exec={"fill": fill})),
        no_cost(exec={"fill": fill}),
        Decisions(np.array([0]), np.ones((1, 1))),
        0,
        29,
    )
    close, price = free.close[:, 0], (free.open if fill == "next_open" else free.close)[1, 0]
    assert ledger.equity[-1] / ledger.equity[0] == pytest.approx(
        1 + (close[-1] - price) / max(close[0], price), rel=1e-12
    )


def test_equity_is_cash_plus_positions_at_every_bar():
    bars = random_bars(3, 120, 4, ragged=True)
    rng = np.random.default_rng(0)
    decisions = Decisions(np.arange(119), rng.uniform(-0.5, 0.7, (119, 4)))
    ledger = run_decisions(prepare_market(bars, ALL_COSTS), ALL_COSTS, decisions, 0, 119)
    assert len(ledger.orders) > 100
    assert np.abs(ledger.equity - ledger.cash - ledger.values.sum(axis=1)).max() < 1e-9 * ledger.equity[0]


def test_cost_columns_are_the_sums_of_the_orders():
    bars = random_bars(3, 120, 4)
    ledger = run_decisions(prepare_market(bars, ALL_COSTS), ALL_COSTS, daily(bars, 0.3), 0, 119)
    orders = ledger.orders
    assert ledger.fees[-1] == pytest.approx(orders.fee.sum(), rel=1e-12)
    assert ledger.spread[-1] == pytest.approx(orders.spread.sum(), rel=1e-12)
    assert ledger.impact[-1] == pytest.approx(orders.impact.sum(), rel=1e-12)
    filled = orders.filled >= 0
    traded = np.bincount(orders.filled[filled], np.abs(orders.qty_filled * orders.price_fill)[filled], minlength=120)
    assert np.allclose(ledger.traded, traded, rtol=1e-12)
    slippage = np.abs(orders.qty_filled * (orders.price_fill - orders.price_ref))[filled]
    assert np.allclose(orders.slippage[filled], slippage, rtol=1e-9)


def test_long_only_with_leverage_one_never_borrows():
    bars = random_bars(5, 200, 4)
    config = SimulatorConfig(fees={"taker_bps": 50.0}, exec={"half_spread_bps": 50.0})
    ledger = run_decisions(prepare_market(bars, config), config, daily(bars, 0.25), 0, 199)
    assert ledger.cash.min() > -1e-9 * ledger.equity[0]
    assert "funding" in reason_words(ledger.orders)


def test_without_costs_reordering_assets_changes_nothing():
    bars = random_bars(6, 80, 4)
    config = no_cost()
    weights = np.array([0.1, 0.4, 0.2, 0.3])
    order = [2, 0, 3, 1]
    one = run_decisions(prepare_market(bars, config), config, daily(bars, weights), 0, 79)
    shuffled = bars.select([bars.symbols[k] for k in order])
    two = run_decisions(prepare_market(shuffled, config), config, daily(shuffled, weights[order]), 0, 79)
    assert np.allclose(one.equity, two.equity, rtol=1e-12)


def test_the_future_changes_nothing_of_the_past():
    bars = random_bars(7, 60, 3)
    cut = 40
    later = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for column in later.values():
        column[cut + 1 :] *= 3.0
    other = make_bars(later["close"], open=later["open"], volume=later["volume"])
    ledgers = [run_decisions(prepare_market(b, ALL_COSTS), ALL_COSTS, daily(b, 0.3), 0, 59) for b in (bars, other)]
    assert np.array_equal(ledgers[0].equity[: cut + 1], ledgers[1].equity[: cut + 1])
    past = [ledger.orders.decided < cut for ledger in ledgers]
    for name in ("qty_target", "qty_filled", "price_fill"):
        mine, theirs = (getattr(ledger.orders, name)[mask] for ledger, mask in zip(ledgers, past, strict=True))
        assert np.array_equal(mine, theirs, equal_nan=True)


def test_more_cost_with_the_same_fills_never_ends_richer():
    bars = random_bars(8, 60, 1)
    equities = []
    for half_spread in (0.0, 5.0, 50.0):
        config = no_cost(
            exec={"half_spread_bps": half_spread},
            fees={"commission_per_share": 0.001 * half_spread},
            margin={"max_gross_leverage": 5.0},
        )
        weights = np.array([[0.5], [0.1]])
        ledger = run_decisions(prepare_market(bars, config), config, Decisions(np.array([5, 30]), weights), 0, 59)
        equities.append(ledger.equity[-1])
    assert equities[0] > equities[1] > equities[2]


def test_n_books_equal_n_books_one_by_one_bit_for_bit():
    bars = random_bars(9, 90, 3, ragged=True)
    market = prepare_market(bars, ALL_COSTS)
    rng = np.random.default_rng(4)
    actions, starts = rng.uniform(-1, 1, (20, 6, 4)), rng.integers(5, 60, 6)
    books = Books(market, ALL_COSTS, 6)
    books.reset(np.arange(6), starts)
    sessions = [BookSession(market, ALL_COSTS, int(t), int(t) + 20) for t in starts]
    for step in actions:
        books.step(step)
        for k, session in enumerate(sessions):
            session.step(step[k])
            assert (session.equity, session.cash, session.drawdown) == (
                books.equity[k],
                books.cash[k],
                books.drawdown[k],
            )
            assert np.array_equal(session.weights, books.weights[k])


def test_given_targets_equal_the_same_targets_stepped_by_hand():
    bars = random_bars(10, 50, 3, ragged=True)
    market = prepare_market(bars, ALL_COSTS)
    weights = np.random.default_rng(1).uniform(-0.5, 0.5, (49, 3))
    whole = run_decisions(market, ALL_COSTS, Decisions(np.arange(49), weights), 0, 49)
    session = BookSession(market, ALL_COSTS, 0, 49, layers="mandate")
    while not session.done:
        session.step(weights[session.t])
    assert np.array_equal(whole.equity, session.ledger().equity)
    assert len(whole.orders) == len(session.ledger().orders)


def test_every_reason_is_a_word_of_the_table():
    bars, config = (
        random_bars(11, 60, 3, ragged=True),
        ALL_COSTS.model_copy(update={"episode": EpisodeConfig(start_cash=1e7)}),
    )
    ledger = run_decisions(prepare_market(bars, config), config, daily(bars, 0.4), 0, 59)
    words = set(reason_words(ledger.orders))
    assert words <= set(REASONS)
    assert {"untradable", "no_volume", "participation"} <= words


def test_a_cost_multiplier_is_the_same_as_costs_that_are_so_much_higher():
    """Of fees, spread and impact; at 0 nothing is paid."""
    bars = random_bars(3, 80, 3)
    once = ALL_COSTS.model_copy(update={
        "fees": ALL_COSTS.fees.model_copy(update={"taker_bps": 5.0, "commission_pct_notional": 0.001}),
        "exec": ALL_COSTS.exec.model_copy(update={"half_spread_bps": 4.0, "impact_k": 50.0}),
    })  # fmt: skip
    twice = once.model_copy(update={
        "fees": once.fees.model_copy(update={
            "taker_bps": 10.0, "commission_pct_notional": 0.002,
            "commission_per_share": 2 * once.fees.commission_per_share,
        }),
        "exec": once.exec.model_copy(update={"half_spread_bps": 8.0, "impact_k": 100.0}),
    })  # fmt: skip
    market, dear = prepare_market(bars, once, cost_multiplier=2.0), prepare_market(bars, twice)
    one, other = (run_decisions(m, c, daily(bars, 0.3), 0, 79) for m, c in ((market, once), (dear, twice)))
    np.testing.assert_allclose(one.equity, other.equity, rtol=1e-13)
    free = run_decisions(prepare_market(bars, once, cost_multiplier=0.0), once, daily(bars, 0.3), 0, 79)
    assert free.costs[-1] == 0.0
    assert one.costs[-1] > 0.0
