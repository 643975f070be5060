"""Where a rule begins and ends: exact binary numbers on the border, and what the log says of what did not fill.

Each of these was found by changing the engine on purpose (`scripts/mutate.py`) without a test that noticed.
"""

import math

import numpy as np
import pytest

from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import prepare_market
from tests.simulator.markets import make_bars, no_cost, reason_words

THOUSAND = {"start_cash": 1024.0}


def run(bars: Bars, config: SimulatorConfig, at: list[int], weights: list[list[float]]) -> Ledger:
    decisions = Decisions(np.array(at), np.array(weights, dtype=float))
    return run_decisions(prepare_market(bars, config), config, decisions, 0, bars.n_bars - 1)


def steps(config: SimulatorConfig, bars: Bars, targets: list[list[float] | None]) -> BookSession:
    """A policy's book whose raw actions give these weights: tanh leverage of one asset, undone by hand."""
    session = BookSession(prepare_market(bars, config), config, 0, bars.n_bars - 1, "policy")
    for target in targets:
        session.step(None if target is None else np.arctanh(np.array(target)) / 3)
    while not session.done:
        session.step(None)
    return session


SHORT = {"allow_short": True, "max_gross_leverage": 1.0, "max_net_leverage": 1.0}


def test_a_step_cap_holds_on_the_way_down_as_on_the_way_up() -> None:
    """From 0 to 0.3 and 0.6, wanted 0.9; then wanted 0: 0.3 and 0."""
    config = no_cost(margin=SHORT, episode={**THOUSAND, "mapping_mode": "tanh_leverage", "max_step_change": 0.3})
    session = steps(config, make_bars([10.0] * 6), [[0.9], [0.9], [0.0], [0.0]])
    assert session.ledger().weights[1:5, 0].tolist() == pytest.approx([0.3, 0.6, 0.3, 0.0], abs=1e-12)


def test_only_decisions_that_a_cap_changed_are_counted() -> None:
    """0.3 and −0.2 are free; 0.7 is cut to 0.5; 0.4 and 0.4 are free; 0.5 and 0.5 of gross 0.8 are shrunk."""
    config = no_cost(
        margin={"allow_short": True, "max_position_weight": 0.5, "max_gross_leverage": 0.8}, episode=THOUSAND
    )
    rows = [[0.3, -0.2], [0.7, 0.0], [0.4, 0.4], [0.5, 0.5], [0.0, 0.0]]
    ledger = run(make_bars(np.full((7, 2), 10.0)), config, [0, 1, 2, 3, 4], rows)
    assert ledger.bound == 2
    np.testing.assert_allclose(ledger.weights[2:5], [[0.5, 0.0], [0.4, 0.4], [0.4, 0.4]], atol=1e-12)


def test_a_change_of_just_the_band_is_an_order_and_less_is_none() -> None:
    """From a quarter: a half is away by the band of 0.25 and trades; 0.4375 is nearer and does not."""
    config = no_cost(
        margin=SHORT, episode={**THOUSAND, "mapping_mode": "discrete", "invest_max": 0.5, "rebalance_eps": 0.25}
    )
    bars = make_bars(np.full((4, 1), 16.0))
    session = BookSession(prepare_market(bars, config), config, 0, 3, "policy")
    session.step(np.array([2.0]))  # + invest_max / 1 = 0.5
    assert session.weights.tolist() == [0.5]
    tight = no_cost(margin=SHORT, episode={**THOUSAND, "mapping_mode": "discrete", "invest_max": 0.5,
                                           "rebalance_eps": math.nextafter(0.5, 1.0)})  # fmt: skip
    session = BookSession(prepare_market(bars, tight), tight, 0, 3, "policy")
    session.step(np.array([2.0]))
    assert session.weights.tolist() == [0.0]


def test_an_order_of_just_the_least_notional_is_made() -> None:
    """16 shares of 16 are 256; the least is 256, or the next number above it."""
    bars = make_bars([16.0] * 3)
    for least, shares in ((256.0, 16.0), (math.nextafter(256.0, 999.0), 0.0)):
        config = no_cost(exec={"min_order_notional": least}, episode=THOUSAND)
        assert run(bars, config, [0], [[0.25]]).shares[-1].tolist() == [shares]


def test_a_position_of_just_its_cap_is_within_it() -> None:
    """The band is not applied to a weight that breaks the cap; one of 0.5 does not break 0.5, and is left alone."""
    config = no_cost(margin={**SHORT, "max_position_weight": 0.5},
                     episode={**THOUSAND, "mapping_mode": "tanh_leverage", "rebalance_eps": 0.25})  # fmt: skip
    session = steps(config, make_bars([16.0] * 5), [[0.9], [0.4], [0.4]])
    assert session.ledger().weights[1:4, 0].tolist() == [0.5, 0.5, 0.5] and len(session.ledger().orders) == 1


@pytest.mark.parametrize(("lot", "weight", "shares"), [(0.125, 0.1, 6.375), (0.25, 0.01, 0.5), (1.0, 0.1, 6.0)])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_lots_below_a_share_keep_the_side(lot: float, weight: float, shares: float, side: float) -> None:
    """1024 of money at 16: 6.4 shares, 0.64 shares; toward zero to whole lots."""
    config = no_cost(margin=SHORT, exec={"lot_size": lot}, episode=THOUSAND)
    assert run(make_bars([16.0] * 3), config, [0], [[side * weight]]).shares[-1].tolist() == [side * shares]


def test_a_penny_stock_is_valued_at_the_price_that_it_fills_at() -> None:
    """All of 1024 in a stock of 0.5 that opens at 0.625: 1638.4 shares are what that price affords."""
    bars = make_bars([0.5, 0.625, 0.625], open=[0.5, 0.625, 0.625])
    ledger = run(bars, no_cost(episode=THOUSAND), [0], [[1.0]])
    assert ledger.shares[-1, 0] == pytest.approx(1638.4, rel=1e-12) and ledger.cash[-1] == pytest.approx(0, abs=1e-9)


def test_an_entry_price_is_that_of_what_is_held_and_none_of_nothing() -> None:
    """An eighth of a share at 16, another eighth at 48: 32. A sale leaves it, a flip sets it, flat has none."""
    price = [16.0, 16.0, 48.0, 48.0, 64.0, 32.0, 32.0]
    bars = make_bars(price, open=price)
    config = no_cost(margin=SHORT, episode={"start_cash": 1e6})
    session = BookSession(prepare_market(bars, config), config, 0, 6, "mandate")
    entries = []
    for money in (2.0, 4.0, 6.0, -3.0, -3.0, 0.0):  # at the close of 16, 16, 48, 48, 64, 32
        session.step(np.array([money / 1e6]))
        entries.append(float(session._state.entry[0, 0]))
    assert entries == pytest.approx([16.0, 32.0, 32.0, 64.0, 64.0, 0.0], rel=1e-5)


def test_the_log_says_why_each_order_filled_as_it_did() -> None:
    """Of the lean step: all, what can be paid for, a whole sale, no price to buy at."""
    close = [[16.0, 16.0, 16.0]] * 9
    opened = np.array(close)
    opened[3:, 0] = 32.0  # twice the price that was decided at: half is funded
    opened[8, 1] = np.nan
    bars = make_bars(close, open=opened)
    config = no_cost(episode=THOUSAND)
    orders = run(bars, config, [0, 2, 4, 7], [[0.25, 0, 0], [1.0, 0, 0], [0.0, 0, 0], [0, 0.25, 0]]).orders
    assert reason_words(orders) == ["filled", "funding", "filled", "untradable"]
    assert orders.filled.tolist() == [1, 3, 5, -1]
    assert orders.qty_filled[3] == 0.0 and np.isnan(orders.price_fill[3])


def test_a_sale_into_a_short_is_an_order_like_any_other_where_shorts_are_allowed() -> None:
    config = no_cost(margin=SHORT, episode=THOUSAND)
    orders = run(make_bars([16.0] * 4), config, [0, 1], [[0.25], [-0.25]]).orders
    assert reason_words(orders) == ["filled", "filled"] and orders.qty_filled.tolist() == [16.0, -32.0]


def test_the_log_says_where_no_volume_is_known() -> None:
    """A_f of bars 1 and 2 is unknown, then a mean of a half a share a bar, of which a tenth may trade."""
    config = no_cost(exec={"participation_cap": 0.1}, episode=THOUSAND)
    ledger = run(make_bars([16.0] * 9, volume=[0.5] * 9), config, [1, 6], [[0.25], [0.25]])
    assert reason_words(ledger.orders) == ["no_volume", "participation"]
    assert ledger.orders.qty_filled.tolist() == pytest.approx([0.0, 0.05])
