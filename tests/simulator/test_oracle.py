"""The compiled step agrees with an oracle written from the rules in Decimal, on random books, rules and targets."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.market import prepare_market
from tests.simulator.markets import random_bars
from tests.simulator.oracle import Oracle, Rulebook

TOLERANCE = 1e-9


def dec(value):
    return Decimal(repr(float(value)))


def column(array, rows):
    return [[None if not np.isfinite(v) or v <= 0 else dec(v) for v in array[t]] for t in range(rows)]


@st.composite
def cases(draw):
    short = draw(st.booleans())
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    gross = pick(0.5, 1.0, 1.0, 1.7)
    groups = {
        "fees": {
            "taker_bps": pick(0.0, 3.0, 25.0),
            "commission_pct_notional": pick(0.0, 0.001),
            "commission_per_share": pick(0.0, 0.02),
            "borrow_fee_apr": pick(0.0, 0.3),
        },
        "margin": {
            "allow_short": short,
            "max_gross_leverage": gross,
            "max_net_leverage": pick(0.4, 1.0, 2.0),
            "max_position_weight": pick(0.3, 1.0, 2.0),
            "cash_yield_apr": pick(0.0, 0.05),
            "cash_borrow_apr": pick(0.0, 0.1),
            "short_rebate_apr": pick(0.0, 0.02),
        },
        "exec": {
            "fill": pick("next_open", "next_close"),
            "half_spread_bps": pick(0.0, 4.0, 60.0),
            "impact_k": pick(0.0, 100.0, 900.0),
            "participation_cap": pick("auto", 0.02, 1.0),
            "adv_window": pick(5, 20),
            "lot_size": pick(0.0, 1.0, 10.0),
            "min_order_notional": pick(0.0, 500.0),
            "liquidate_at_end": pick(False, True),
        },
        "episode": {"start_cash": pick(1e4, 1e6), "max_step_change": pick(None, 0.1), "rebalance_eps": pick(0.0, 0.05)},
        "guards": {"stop_eq_frac": pick(0.0, 0.8)},
    }
    return draw(st.integers(0, 10**6)), draw(st.booleans()), groups, pick(1, 1, 3), pick(1.0, 1.8, 4.0)


def rulebook(config: SimulatorConfig, *, policy: bool) -> Rulebook:
    f, m, x, e = config.fees, config.margin, config.exec, config.episode
    cap = 0.1 if x.participation_cap == "auto" else x.participation_cap
    return Rulebook(
        allow_short=m.allow_short,
        gross=dec(m.max_gross_leverage),
        net=dec(m.max_net_leverage),
        position=dec(m.max_position_weight),
        step=None if e.max_step_change is None else dec(e.max_step_change),
        band=dec(e.rebalance_eps),
        lot=dec(x.lot_size),
        min_notional=dec(x.min_order_notional),
        half_spread_bps=dec(x.half_spread_bps),
        impact_k=dec(x.impact_k),
        participation=dec(cap),
        adv_window=x.adv_window,
        per_share=dec(f.commission_per_share),
        fee_bps=dec(f.taker_bps) + dec(f.commission_pct_notional) * 10_000,
        cash_yield=dec(m.cash_yield_apr),
        margin_rate=dec(m.cash_borrow_apr),
        short_rebate=dec(m.short_rebate_apr),
        borrow_fee=dec(f.borrow_fee_apr),
        stop=dec(config.guards.stop_eq_frac),
        liquidate=x.liquidate_at_end,
        policy=policy,
        start_cash=dec(e.start_cash),
    )


def oracle_of(bars, config, *, policy=False):
    rows = bars.n_bars
    ref = bars.open if config.exec.fill == "next_open" else bars.close
    days = np.append(np.diff(bars.session.astype(np.int64)), 0).tolist()
    volume = [[dec(v) if np.isfinite(v) and v > 0 else Decimal(0) for v in row] for row in bars.volume]
    return Oracle(rulebook(config, policy=policy), column(bars.close, rows), column(ref, rows), volume, days)


def targets_of(seed, bars, config, every, size):
    rng = np.random.default_rng(seed + 1)
    decided = np.arange(3, bars.n_bars - 1, every)
    weights = (
        rng.uniform(-1 if config.margin.allow_short else -0.1, 1, (len(decided), bars.n_assets)) * size / bars.n_assets
    )
    weights[rng.random(weights.shape) < 0.2] = 0.0
    return Decisions(decided, weights)


def check_cases(compare_one, examples):
    """Every random case agrees; cases in which a comparison is too near to tell are discarded, and few."""
    near = []

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(cases())
    def each(case):
        near.append(compare_one(*case))

    each()
    assert len(near) >= examples
    assert sum(near) < 0.01 * len(near)


def test_targets_of_the_mandate():
    def compare_one(seed, ragged, groups, every, size):
        bars, config = random_bars(seed, 40, 3, ragged=ragged), SimulatorConfig(**groups)
        decisions = targets_of(seed, bars, config, every, size)
        ledger = run_decisions(prepare_market(bars, config), config, decisions, 3, bars.n_bars - 1)
        oracle = oracle_of(bars, config)
        wanted = {int(t): [dec(w) for w in row] for t, row in zip(decisions.bars, decisions.targets, strict=True)}
        return compare(oracle, oracle.run(3, bars.n_bars - 1, wanted), ledger, config)

    check_cases(compare_one, 1000)


def test_layers_of_the_policy():
    """The oracle is given the weights after the mapping, which the test does by itself."""

    def compare_one(seed, ragged, groups, every, size):
        bars, config = random_bars(seed, 40, 3, ragged=ragged), SimulatorConfig(**groups)
        session = BookSession(prepare_market(bars, config), config, 3, bars.n_bars - 1)
        actions = np.random.default_rng(seed + 2).uniform(-1.2, 1.2, (bars.n_bars, bars.n_assets + 1))
        wanted = {}
        while not session.done:
            t = session.t
            if t % every == 0:
                wanted[t] = [dec(w) for w in simplex(actions[t], bars.present[t], config.episode.invest_max)]
            session.step(actions[t] if t in wanted else None)
        oracle = oracle_of(bars, config, policy=True)
        return compare(oracle, oracle.run(3, bars.n_bars - 1, wanted), session.ledger(), config)

    check_cases(compare_one, 600)


def simplex(action, present, invest_max):
    action = np.clip(action, -1, 1)
    weights = np.where(present, np.exp(5 * action[1:]), 0.0)
    total = weights.sum()
    return invest_max / (1 + np.exp(-5 * action[0])) * weights / total if total else weights


def compare(oracle, path, ledger, config):
    """True when the case is too near to tell; asserts that the two agree otherwise."""
    if oracle.near:
        return True
    tolerance = TOLERANCE * config.episode.start_cash
    assert ledger.ended == oracle.ended
    assert np.abs(ledger.equity - np.array([float(v) for v in path])).max() <= tolerance
    assert abs(ledger.fees[-1] - float(oracle.fees)) <= tolerance
    assert abs(ledger.spread[-1] + ledger.impact[-1] - float(oracle.slippage)) <= tolerance
    assert abs(ledger.financing[-1] - float(oracle.financing)) <= tolerance
    assert np.allclose(ledger.shares[-1], [float(q) for q in oracle.shares], rtol=1e-9, atol=1e-6)
    assert ledger.traded.sum() == pytest.approx(float(oracle.turnover), rel=1e-9, abs=1e-6)
    return False
