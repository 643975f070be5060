"""Single rules on paper: five bars, numbers that a pencil gives."""

import numpy as np
import pytest

from backtest.series import simple_returns
from marketdata.config_base import ConfigFault
from simulator.books import ActionError, Books
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.market import prepare_market, usual_volume
from tests.simulator.markets import make_bars, no_cost, random_bars, reason_words


def run(bars, config, bars_at, weights):
    decisions = Decisions(np.array(bars_at), np.array(weights, dtype=float))
    return run_decisions(prepare_market(bars, config), config, decisions, 0, bars.n_bars - 1)


def test_a_purchase_with_spread_and_fee_on_paper():
    """100 at 10: target 0.5 -> 5 shares at the next close of 12, half spread 1 %, fee 10 bps of the traded value."""
    config = no_cost(fees={"taker_bps": 10.0}, exec={"half_spread_bps": 100.0}, episode={"start_cash": 100.0})
    ledger = run(make_bars([10.0, 12.0, 15.0]), config, [0], [[0.5]])
    price = 12.0 * 1.01
    fee = 5 * price * 0.001
    assert ledger.orders.qty_filled.tolist() == [5.0]
    assert ledger.orders.price_fill[0] == pytest.approx(price)
    assert ledger.cash[1] == pytest.approx(100 - 5 * price - fee)
    assert ledger.equity[2] == pytest.approx(100 - 5 * price - fee + 5 * 15)
    assert ledger.spread[-1] == pytest.approx(5 * 0.12)
    assert ledger.impact[-1] == 0.0


def test_interest_runs_over_the_weekend():
    """Friday to Monday is three days: idle cash earns 3/365 of the yield."""
    bars = make_bars([10.0, 10.0, 10.0], start="2020-01-02")  # Thursday, Friday, Monday
    ledger = run(bars, no_cost(margin={"cash_yield_apr": 0.0365}, episode={"start_cash": 1000.0}), [], np.zeros((0, 1)))
    assert ledger.equity[1] == pytest.approx(1000 * (1 + 0.0001))
    assert ledger.equity[2] == pytest.approx(1000 * (1 + 0.0001) * (1 + 0.0003))


def test_a_position_opened_in_a_bar_owes_nothing_for_the_night_before():
    config = no_cost(
        margin={"allow_short": True, "max_gross_leverage": 2.0},
        fees={"borrow_fee_apr": 0.365},
        episode={"start_cash": 1000.0},
    )
    ledger = run(make_bars([10.0] * 4), config, [0], [[-0.5]])
    assert ledger.borrow.tolist() == pytest.approx([0, 0, -0.5 * 3, -0.5 * 4])  # 500 short; Friday-Monday, then a day


def test_margin_interest_on_borrowed_cash():
    config = no_cost(
        margin={
            "max_gross_leverage": 2.0,
            "max_net_leverage": 2.0,
            "max_position_weight": 2.0,
            "cash_borrow_apr": 0.0365,
        },
        episode={"start_cash": 1000.0},
    )
    ledger = run(make_bars([10.0] * 4), config, [0], [[2.0]])
    assert ledger.cash[1] == pytest.approx(-1000)
    assert ledger.interest[-1] == pytest.approx(-0.3 - 0.10003, rel=1e-5)


def test_ruin_closes_at_the_marks_and_equity_stays():
    config = no_cost(
        margin={"max_gross_leverage": 3.0, "max_net_leverage": 3.0, "max_position_weight": 3.0, "cash_borrow_apr": 0.0},
        episode={"start_cash": 100.0},
    )
    ledger = run(make_bars([10.0, 10.0, 6.0, 50.0, 50.0]), config, [0, 3], [[3.0], [1.0]])
    assert ledger.ended == "ruin"
    assert ledger.equity.tolist() == pytest.approx([100, 100, -20, -20, -20])
    assert ledger.traded[2] == 0
    assert simple_returns(ledger.equity).tolist() == pytest.approx([0, -1, 0, 0])


def test_stop_pays_half_spread_and_fee_and_binds_only_the_policy():
    config = no_cost(guards={"stop_eq_frac": 0.7}, exec={"half_spread_bps": 100.0}, fees={"taker_bps": 100.0},
                     episode={"start_cash": 100.0, "logit_scale": 50.0})  # fmt: skip
    bars = make_bars([10.0, 10.0, 6.0, 6.0])
    session = BookSession(prepare_market(bars, config), config, 0, 3)
    for action in ([1.0, 1.0], None, None):
        session.step(None if action is None else np.array(action))
    ledger = session.ledger()
    shares = ledger.orders.qty_filled[0]
    sold = 6.0 * 0.99
    assert ledger.ended == "stop"
    assert ledger.equity[-1] == pytest.approx(ledger.cash[1] + shares * sold * 0.99)
    assert run(bars, config, [0], [[1.0]]).ended == ""


def test_lots_go_toward_zero_and_odd_shares_can_be_sold():
    config = no_cost(exec={"lot_size": 10.0}, episode={"start_cash": 1000.0})
    ledger = run(make_bars([10.0, 10.0, 10.0, 10.0]), config, [0, 2], [[0.95], [0.0]])
    assert ledger.orders.qty_filled.tolist() == [90.0, -90.0]


def test_band_leaves_small_changes_alone_but_not_an_exit():
    config = no_cost(episode={"rebalance_eps": 0.2, "start_cash": 100.0, "mapping_mode": "discrete"})
    bars = make_bars(np.full((6, 4), 10.0))
    session = BookSession(prepare_market(bars, config), config, 0, 5)
    for action in ([1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]):
        session.step(np.array(action, dtype=float))
    weights = session.ledger().weights
    assert weights[1].tolist() == [0.25, 0.25, 0, 0]
    assert weights[2].tolist() == [0.25, 0.25, 0.25, 0]
    assert weights[3].tolist() == [0, 0.25, 0, 0]


def test_step_cap_limits_the_move_of_a_target():
    config = no_cost(episode={"max_step_change": 0.1, "mapping_mode": "discrete"})
    session = BookSession(prepare_market(make_bars([10.0] * 5), config), config, 0, 4)
    for _ in range(4):
        session.step(np.ones(1))
    assert session.ledger().weights[:, 0].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_caps_in_their_order():
    """Position 0.5, then gross 1.0: 0.9, 0.4, 0.3 -> 0.5, 0.4, 0.3 -> each / 1.2."""
    config = no_cost(margin={"max_position_weight": 0.5})
    ledger = run(make_bars(np.full((3, 3), 10.0)), config, [0], [[0.9, 0.4, 0.3]])
    assert ledger.weights[1].tolist() == pytest.approx([0.5 / 1.2, 0.4 / 1.2, 0.3 / 1.2])
    assert ledger.bound == 1


def test_net_cap_shrinks_the_longer_side_only():
    config = no_cost(margin={"allow_short": True, "max_gross_leverage": 2.0, "max_net_leverage": 0.2})
    ledger = run(make_bars(np.full((3, 3), 10.0)), config, [0], [[0.6, 0.3, -0.3]])
    assert ledger.weights[1].tolist() == pytest.approx([0.6 * 5 / 9, 0.3 * 5 / 9, -0.3])


def test_a_locked_asset_keeps_its_shares_and_counts_in_the_caps():
    close = np.full((5, 2), 10.0)
    close[2, 0] = np.nan
    ledger = run(make_bars(close), no_cost(), [0, 2], [[0.6, 0.4], [0.1, 0.9]])
    assert ledger.weights[3].tolist() == pytest.approx([0.6, 0.4])


def test_participation_cuts_and_drops_the_rest():
    config = no_cost(exec={"participation_cap": 0.1}, episode={"start_cash": 1e6})
    ledger = run(make_bars(np.full(9, 10.0), volume=np.full(9, 1000.0)), config, [6], [[1.0]])
    assert ledger.orders.qty_filled.tolist() == [100.0]
    assert reason_words(ledger.orders) == ["participation"]
    assert ledger.shares[-1, 0] == 100.0


def test_usual_volume_never_looks_at_the_fill_bar():
    volume = np.arange(1.0, 11.0)[:, None]
    lagged = usual_volume(volume, np.array([0]), 5)[:, 0]
    assert lagged.tolist() == [0, 0, 0, 0, 0, 3, 4, 5, 6, 7]
    listed_late = usual_volume(volume, np.array([3]), 20)[:, 0]
    assert listed_late.tolist() == pytest.approx([0] * 8 + [6, 6.5])


def test_a_short_sale_without_permission_stops_at_zero():
    ledger = run(make_bars([10.0] * 4), no_cost(), [0, 1], [[0.5], [-0.5]])
    assert ledger.shares[-1, 0] == 0.0


def test_liquidation_at_the_end_is_in_the_last_equity():
    config = no_cost(exec={"liquidate_at_end": True, "half_spread_bps": 100.0}, episode={"start_cash": 100.0})
    ledger = run(make_bars([10.0, 10.0, 10.0]), config, [0], [[0.5]])
    assert ledger.equity[-1] == pytest.approx(100 - 5 * 0.1 - 5 * 0.1)
    assert reason_words(ledger.orders)[-1] == "liquidate"
    assert ledger.shares[-1, 0] == 0


def test_auto_means_what_the_data_has():
    closes = prepare_market(make_bars([10.0] * 3), SimulatorConfig())
    assert (closes.fill, closes.impact_k, closes.stamps) == ("next_close", 0.0, ("closes_only", "no_volume"))
    full = prepare_market(random_bars(0), SimulatorConfig())
    assert (full.fill, full.impact_k, full.participation, full.stamps) == ("next_open", 100.0, 0.1, ())


@pytest.mark.parametrize(
    ("groups", "adjustment", "field"),
    [
        ({"exec": {"fill": "next_open"}}, "raw", "exec.fill"),
        ({"exec": {"impact_k": 50.0}}, "raw", "exec.impact_k"),
        ({"exec": {"participation_cap": 0.2}}, "raw", "exec.participation_cap"),
        ({"exec": {"lot_size": 1.0}}, "total_return", "exec.lot_size"),
        ({"fees": {"commission_per_share": 0.01}}, "split", "fees.commission_per_share"),
        ({"margin": {"cash_yield_column": "tbill"}}, "raw", "margin.cash_yield_column"),
    ],
)
def test_a_rule_that_the_data_cannot_serve_is_refused_by_name(groups, adjustment, field):
    with pytest.raises(ConfigFault) as fault:
        prepare_market(make_bars([10.0] * 3, adjustment=adjustment), SimulatorConfig(**groups))
    assert list(fault.value.errors) == [field]


def test_a_target_that_is_no_number_names_bar_and_asset():
    with pytest.raises(ActionError, match=r"nan for S0 at 2020-01-03"):
        run(make_bars([10.0] * 4), no_cost(), [1], [[np.nan]])
    books = Books(prepare_market(make_bars([10.0] * 4), no_cost()), no_cost(), 2)
    with pytest.raises(ActionError, match=r"shape \(2, 1\) where \(2, 2\)"):
        books.step(np.zeros((2, 1)))
    with pytest.raises(ActionError, match="inf for cash"):
        books.step(np.array([[0.0, 0.0], [np.inf, 0.0]]))
