"""Rules of the extended step on paper: five bars or so, numbers that a pencil gives."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError

from backtest.trades import fifo
from marketdata.bars import Bars, Delisting
from marketdata.config_base import ConfigFault, sentences
from simulator.books import Books
from simulator.config import FeesConfig, SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import prepare_market
from simulator.market_extra import half_spreads, total_returns
from simulator.regulatory import sell_fees_a_share, sell_rates
from tests.simulator.markets import make_bars, no_cost, random_bars, reason_words

THOUSAND = {"start_cash": 1000.0}


def run(bars: Bars, config: SimulatorConfig, at: list[int], weights: list[list[float]]) -> Ledger:
    decisions = Decisions(np.array(at), np.array(weights, dtype=float))
    return run_decisions(prepare_market(bars, config), config, decisions, 0, bars.n_bars - 1)


def full(close: list[float], opened: list[float], high: list[float], low: list[float]) -> Bars:
    columns = {k: np.array(v)[:, None] for k, v in {"open": opened, "high": high, "low": low}.items()}
    return dataclasses.replace(make_bars(close, open=close), **columns)


def test_a_split_and_then_a_dividend_a_new_share() -> None:
    """100 shares at 10, two for one, 0.5 a new share: 200 shares at 5 and 100 in cash; the lot has split too."""
    bars = make_bars([10.0, 10.0, 5.0, 6.0])
    split, dividend = np.ones((4, 1)), np.zeros((4, 1))
    split[2], dividend[2] = 2.0, 0.5
    ledger = run(dataclasses.replace(bars, split=split, dividend=dividend), no_cost(episode=THOUSAND), [0], [[1.0]])
    assert ledger.shares[:, 0].tolist() == [0, 100, 200, 200]
    assert ledger.equity.tolist() == [1000, 1000, 1100, 1300]
    assert ledger.dividends.tolist() == [0, 0, 100, 100]
    trades = fifo(ledger)
    assert (trades.qty[0], trades.entry_price[0], trades.pnl_net[0]) == (200, 5.0, 200.0)


def test_a_split_on_the_first_bar_changes_nothing() -> None:
    bars = make_bars([10.0, 11.0, 12.0], volume=[5.0] * 3)
    split = np.array([[3.0], [1.0], [1.0]])
    one, two = (run(b, no_cost(), [0], [[1.0]]) for b in (bars, dataclasses.replace(bars, split=split)))
    assert np.array_equal(one.equity, two.equity)


def test_volume_before_a_split_counts_in_its_shares() -> None:
    bars = make_bars(np.full(8, 10.0), volume=np.full(8, 100.0))
    split = np.ones((8, 1))
    split[6] = 4.0
    usual = prepare_market(dataclasses.replace(bars, split=split), SimulatorConfig()).arrays.usual_volume[:, 0]
    assert usual[5:7].tolist() == [100.0, 400.0]


def test_an_entry_price_after_a_partial_sale_stays() -> None:
    """100 at 10, 50 sold at 20: the rest was still bought at 10 (trap 12)."""
    config = no_cost(episode=THOUSAND)
    session = BookSession(prepare_market(make_bars([10.0, 10.0, 20.0, 20.0]), config), config, 0, 3, "mandate")
    for target in (1.0, None, 0.5):
        session.step(None if target is None else np.array([target]))
    assert (session._state.shares[0, 0], session.entry_price[0]) == (50.0, 10.0)


@pytest.mark.parametrize(("final", "left"), [(None, 700.0), (-1.0, 0.0), (0.2, 1200.0)])
def test_a_recorded_end_closes_at_its_return_or_the_assumed_loss(final: float | None, left: float) -> None:
    bars = make_bars([[10.0, 10.0], [10.0, 10.0], [10.0, np.nan], [10.0, np.nan]])
    bars = dataclasses.replace(bars, delistings={"S1": Delisting(dt.date(2020, 1, 3), final)})
    ledger = run(bars, no_cost(episode=THOUSAND), [0], [[0.0, 1.0]])
    assert ledger.equity[-1] == pytest.approx(left)
    assert reason_words(ledger.orders)[-1] == "delisted"
    assert ledger.traded[2] == 0


def test_an_order_arrives_late_and_counts_as_held_meanwhile() -> None:
    ledger = run(make_bars([10.0] * 5), no_cost(exec={"latency_bars": 1}, episode=THOUSAND), [0, 1], [[0.5], [0.5]])
    assert ledger.orders.filled.tolist() == [2]
    assert ledger.shares[:, 0].tolist() == [0, 0, 50, 50, 50]


def test_orders_due_after_the_last_bar_are_listed_unfilled() -> None:
    ledger = run(make_bars([10.0] * 4), no_cost(exec={"latency_bars": 2}), [2], [[0.5]])
    assert (reason_words(ledger.orders), ledger.orders.filled.tolist()) == (["pending"], [-1])


def test_a_remainder_is_carried_until_the_next_decision() -> None:
    """100 a bar may trade: two bars fill 200 of 1000, then the target of 0 replaces what is left."""
    config = no_cost(exec={"participation_cap": 0.1, "remainder": "carry"}, episode={"start_cash": 1e4})
    ledger = run(make_bars(np.full(10, 10.0), volume=np.full(10, 1000.0)), config, [5, 7], [[1.0], [0.0]])
    assert ledger.shares[5:, 0].tolist() == [0, 100, 200, 100, 0]
    assert "replaced" in reason_words(ledger.orders)


def test_a_limit_needs_a_trade_through_it_and_pays_the_maker() -> None:
    """Buy limit 9.9: a low of 9.9 touches only; 9.89 goes through, at the limit, with the rebate."""
    config = no_cost(
        exec={"order_type": "limit", "limit_offset_bps": 100.0}, fees={"maker_rebate_bps": 10.0, "taker_bps": 50.0},
        episode=THOUSAND,
    )  # fmt: skip
    touched = run(full([10.0] * 3, [10.0] * 3, [10.0] * 3, [9.9] * 3), config, [0], [[0.99]])
    assert reason_words(touched.orders) == ["untouched"]
    through = run(full([10.0] * 3, [10.0] * 3, [10.0] * 3, [9.89] * 3), config, [0], [[0.99]])
    assert through.orders.price_fill[0] == pytest.approx(9.9)
    assert through.fees[-1] == pytest.approx(-99 * 9.9 * 0.001)


def test_an_open_that_is_better_already_is_taken_with_spread_but_never_worse_than_the_limit() -> None:
    config = no_cost(exec={"order_type": "limit", "half_spread_bps": 100.0}, fees={"taker_bps": 50.0}, episode=THOUSAND)
    taken = run(full([10.0] * 3, [9.0] * 3, [10.0] * 3, [8.9] * 3), config, [0], [[0.5]])
    assert taken.orders.price_fill[0] == pytest.approx(9.0 * 1.01)
    near = run(full([10.0] * 3, [9.95] * 3, [10.0] * 3, [9.9] * 3), config, [0], [[0.5]])
    assert near.orders.price_fill[0] == 10.0


def test_ticks_go_against_the_order() -> None:
    config = no_cost(exec={"tick_size": 0.25, "half_spread_bps": 10.0}, episode=THOUSAND)
    ledger = run(make_bars([10.1] * 4), config, [0, 1], [[0.5], [0.0]])
    assert ledger.orders.price_fill.tolist() == [10.25, 10.0]


def test_vwap_window_takes_the_given_price_else_the_mean_of_four() -> None:
    config = no_cost(exec={"fill": "vwap_window"}, episode=THOUSAND)
    bars = full([10.0] * 3, [9.0] * 3, [12.0] * 3, [7.0] * 3)
    assert run(bars, config, [0], [[0.5]]).orders.price_fill[0] == 9.5
    given = dataclasses.replace(bars, vwap=np.array([[np.nan], [11.0], [11.0]]))
    assert run(given, config, [0], [[0.5]]).orders.price_fill[0] == 11.0


def test_a_margin_call_shrinks_every_position_to_the_cap() -> None:
    """2000 of stock on 1000; a fall to 6 leaves E 200 on 1200: below 0.4, so 2·200/1200 of it stays."""
    margin = {"max_gross_leverage": 2.0, "max_net_leverage": 2.0, "max_position_weight": 2.0,
              "maintenance_margin": 0.4, "cash_borrow_apr": 0.0}  # fmt: skip
    ledger = run(make_bars([10.0, 10.0, 6.0, 6.0]), no_cost(margin=margin, episode=THOUSAND), [0, 2], [[2.0], [0.0]])
    assert ledger.shares[:, 0] == pytest.approx([0, 200, 200, 200 / 3])
    assert reason_words(ledger.orders)[-1] == "margin"


def test_a_maintenance_margin_that_calls_a_book_within_its_cap_is_refused() -> None:
    with pytest.raises(ValidationError) as fault:
        SimulatorConfig(margin={"max_gross_leverage": 2.0, "max_net_leverage": 2.0, "maintenance_margin": 0.5})
    assert list(sentences(fault.value)) == ["margin.maintenance_margin"]


def policy(bars: Bars, config: SimulatorConfig, actions: list[float | None]) -> Ledger:
    session = BookSession(prepare_market(bars, config), config, 0, bars.n_bars - 1)
    for action in actions:
        session.step(None if action is None else np.full(session.width, action))
    return session.ledger()


def test_the_drawdown_guard_sells_all_and_stays_out() -> None:
    config = no_cost(guards={"max_drawdown": 0.2}, episode={**THOUSAND, "mapping_mode": "discrete"})
    ledger = policy(make_bars([10.0, 10.0, 8.0, 8.0, 8.0, 8.0]), config, [1.0] * 5)
    assert ledger.shares[:, 0].tolist() == [0, 100, 100, 0, 0, 0]
    assert reason_words(ledger.orders)[-1] == "max_drawdown"


def test_the_daily_loss_is_measured_against_the_last_session_not_the_last_bar() -> None:
    """Three bars a session, each 2 % lower: 4 % since the last session's close fires a limit of 3 % (trap 13)."""
    days = np.repeat(np.array(["2020-01-02", "2020-01-03", "2020-01-06"], dtype="datetime64[D]"), 3)
    known = days.astype("datetime64[ns]") + np.tile([15, 16, 17], 3) * np.timedelta64(3_600_000_000_000, "ns")
    close = np.array([10.0, 10.0, 10.0, 9.8, 9.6, 9.6, 9.6, 9.6, 9.6])[:, None]
    bars = Bars(symbols=("S0",), session=days, known_at=known, close=close, interval="1h")
    config = no_cost(guards={"daily_loss_limit": 0.03}, episode={**THOUSAND, "mapping_mode": "discrete"})
    ledger = policy(bars, config, [1.0] * 8)
    assert ledger.shares[:, 0].tolist()[:6] == [0, 100, 100, 100, 100, 0]
    assert ledger.shares[6, 0] > 0  # the next session trades again


def test_a_young_position_may_grow_but_not_shrink() -> None:
    config = no_cost(episode={**THOUSAND, "min_hold_bars": 3, "mapping_mode": "discrete"})
    ledger = policy(make_bars([10.0] * 7), config, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert ledger.shares[:, 0].tolist() == [0, 100, 100, 100, 0, 0, 0]


def test_sizing_is_off_unless_asked_and_never_flips() -> None:
    """Trap 4: with nothing asked a full target is full; Kelly on falling prices is 0 and not short."""
    falling = make_bars(10.0 * 0.99 ** np.arange(12) * (1 + 0.001 * (-1.0) ** np.arange(12)))
    plain = no_cost(episode={**THOUSAND, "mapping_mode": "discrete"})
    assert policy(falling, plain, [1.0] * 11).weights[-1, 0] == pytest.approx(1.0)
    kelly = no_cost(
        episode={**THOUSAND, "mapping_mode": "discrete"}, sizing={"kelly": {"fraction": 0.5}, "sizing_window": 5}
    )
    ledger = policy(falling, kelly, [1.0] * 11)
    assert ledger.shares[6:, 0].tolist() == [0] * 6
    assert ledger.shares.min() >= 0


def test_a_volatility_target_in_closed_form() -> None:
    bars = make_bars(100.0 * np.cumprod(1 + 0.02 * np.array([1, -1, 1, -1, 1, -1, 1, -1])))
    config = no_cost(episode={**THOUSAND, "mapping_mode": "discrete"}, exec={"fill": "next_close"},
                     sizing={"vol_target": {"annual_vol": 0.1}, "sizing_window": 4})  # fmt: skip
    session = BookSession(prepare_market(bars, config), config, 4, 7)
    session.step(np.ones(1))
    returns = bars.close[1:5, 0] / bars.close[:4, 0] - 1
    assert session.target[0] == pytest.approx(0.1 / (returns.std(ddof=1) * np.sqrt(252)), rel=1e-12)


def test_kelly_and_a_volatility_target_together_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"kelly.fraction and vol_target.annual_vol exclude"):
        SimulatorConfig(sizing={"kelly": {"fraction": 0.5}, "vol_target": {"annual_vol": 0.1}})


def test_a_total_return_holds_splits_and_dividends() -> None:
    bars = make_bars([10.0, 6.0])
    bars = dataclasses.replace(bars, split=np.array([[1.0], [2.0]]), dividend=np.array([[0.0], [0.5]]))
    assert total_returns(bars)[1, 0] == pytest.approx(2 * (6 + 0.5) / 10 - 1)  # a share became two, and each was paid


def test_the_high_low_spread_against_the_paper_s_formula() -> None:
    high, low = np.array([10.2, 10.3, 10.1]), np.array([10.0, 10.1, 9.9])
    bars = full([10.1, 10.2, 10.0], [10.1, 10.2, 10.0], high.tolist(), low.tolist())
    k, found = 3 - 2 * np.sqrt(2), []
    for t in (1, 2):
        beta = np.log(high[t] / low[t]) ** 2 + np.log(high[t - 1] / low[t - 1]) ** 2
        gamma = np.log(max(high[t - 1 : t + 1]) / min(low[t - 1 : t + 1])) ** 2
        alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / k - np.sqrt(gamma / k)
        found.append(max(0.0, 2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))))
    assert half_spreads(bars, 1e-4)[2, 0] == pytest.approx(max(1e-4, found[0] / 2))
    assert half_spreads(bars, 0.3)[2, 0] == 0.3


def test_the_regulators_rates_of_known_days() -> None:
    days = np.array(["1990-01-02", "2019-04-15", "2019-04-16", "2025-06-02", "2026-05-01"], dtype="datetime64[D]")
    assert sell_rates(days).tolist() == pytest.approx([1 / 30_000, 13e-6, 20.7e-6, 0.0, 20.6e-6])
    assert sell_fees_a_share(days).tolist() == [0.0, 0.000119, 0.000119, 0.000166, 0.000195]


def test_a_preset_is_its_schedule_and_reads_back_the_same() -> None:
    preset = FeesConfig(preset="alpaca")
    assert (preset.taker_bps, preset.regulatory_sell_fees) == (0.0, True)
    assert FeesConfig(**preset.model_dump()) == preset
    with pytest.raises(ValidationError, match="taker_bps 3"):
        FeesConfig(preset="schwab", taker_bps=3.0)


def test_a_preset_on_adjusted_data_leaves_out_the_fee_a_share_and_says_so() -> None:
    config = SimulatorConfig(fees={"preset": "alpaca"})
    raw, adjusted = (prepare_market(make_bars([10.0] * 3, adjustment=kind), config) for kind in ("raw", "total_return"))
    assert raw.extra.sell_fee[0] > 0 and adjusted.extra.sell_fee[0] == 0 and adjusted.extra.sell_rate[0] > 0
    assert "preset_without_share_fees" in adjusted.stamps and "preset_without_share_fees" not in raw.stamps


@pytest.mark.parametrize(
    ("groups", "adjustment", "field"),
    [
        ({"exec": {"fill": "vwap_window"}}, "raw", "exec.fill"),
        ({"exec": {"order_type": "limit"}}, "raw", "exec.order_type"),
        ({"exec": {"spread_source": "high_low"}}, "raw", "exec.spread_source"),
        ({"exec": {"tick_size": 0.01}}, "split", "exec.tick_size"),
        ({"fees": {"regulatory_sell_fees": True}}, "split", "fees.regulatory_sell_fees"),
    ],
)
def test_a_rule_that_the_data_cannot_serve_is_refused(groups: dict, adjustment: str, field: str) -> None:
    with pytest.raises(ConfigFault) as fault:
        prepare_market(make_bars([10.0] * 3, adjustment=adjustment), SimulatorConfig(**groups))
    assert list(fault.value.errors) == [field]


def test_an_asset_that_leaves_the_universe_is_sold() -> None:
    bars = make_bars(np.full((5, 2), 10.0))
    member = np.ones((5, 2), np.bool_)
    member[2:, 0] = False
    bars = dataclasses.replace(bars, member=member)
    ledger = run(bars, no_cost(episode=THOUSAND), [0, 2], [[0.5, 0.5], [0.5, 0.5]])
    assert ledger.weights[-1].tolist() == [0.0, 0.5]


def test_interest_of_an_hour_is_an_hour_of_the_year() -> None:
    """Trap 15: not 1/365 a bar."""
    known = np.datetime64("2020-01-02T15:00:00", "ns") + np.arange(3) * np.timedelta64(3_600_000_000_000, "ns")
    bars = Bars(
        symbols=("A",),
        session=known.astype("datetime64[D]"),
        known_at=known,
        close=np.full((3, 1), 10.0),
        interval="1h",
    )
    ledger = run(bars, no_cost(margin={"cash_yield_apr": 0.0876}, episode=THOUSAND), [0], [[0.0]])
    assert ledger.equity[1] == pytest.approx(1000 * (1 + 0.0876 / 8760))


def test_many_books_equal_single_books_bit_for_bit_under_every_rule() -> None:
    config = SimulatorConfig(
        fees={"taker_bps": 3.0, "regulatory_sell_fees": True},
        margin={"allow_short": True, "max_gross_leverage": 2.0, "max_net_leverage": 2.0, "maintenance_margin": 0.3},
        exec={"latency_bars": 1, "remainder": "carry", "tick_size": 0.01, "spread_source": "high_low",
              "participation_cap": 0.02},
        episode={"mapping_mode": "tanh_leverage", "min_hold_bars": 3, "start_cash": 1e6, "max_step_change": 0.4},
        guards={"daily_loss_limit": 0.05, "max_drawdown": 0.4},
        sizing={"vol_target": {"annual_vol": 0.4}, "sizing_window": 8},
    )  # fmt: skip
    market = prepare_market(random_bars(4, 60, 3, ragged=True), config)
    starts = np.array([3, 7, 11])
    actions = np.random.default_rng(1).uniform(-1, 1, (40, 3, 3))
    books = Books(market, config, 3)
    books.reset(np.arange(3), starts)
    sessions = [BookSession(market, config, int(t), int(t) + 45) for t in starts]
    for action in actions:
        books.step(action)
        for k, session in enumerate(sessions):
            session.step(action[k])
            assert (session.equity, session.cash) == (books.equity[k], books.cash[k])
            for name in ("previous_target", "held_bars", "under_way", "halted"):
                assert np.array_equal(getattr(session.sight, name)[0], getattr(books.sight, name)[k])
