"""A book that only waits is valued many bars at once; it is, to the bit, the book that is stepped bar by bar."""

from typing import Any

import numpy as np
import pytest

from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import prepare_market
from simulator.state import STRETCH
from tests.simulator.markets import make_bars, random_bars

COLUMNS = (
    "equity", "cash", "gross_value", "net_value", "traded", "fees", "spread", "impact", "borrow", "interest",
    "dividends", "shares", "drawdown",
)  # fmt: skip
RULES: dict[str, Any] = {
    "fees": {"taker_bps": 3.0, "borrow_fee_apr": 0.04},
    "margin": {
        "cash_yield_apr": 0.03,
        "allow_short": True,
        "max_gross_leverage": 1.8,
        "max_net_leverage": 1.8,
        "max_position_weight": 1.8,
        "short_rebate_apr": 0.01,
    },
    "exec": {"half_spread_bps": 2.0},
    "episode": {"start_cash": 1e5},
}
N = 4 * STRETCH


def by_hand(bars: Bars, config: SimulatorConfig, said: Decisions, t0: int, t1: int) -> Ledger:
    session = BookSession(prepare_market(bars, config), config, t0, t1, layers="mandate")
    rows = dict(zip(said.bars.tolist(), said.targets, strict=True))
    while not session.done:
        session.step(rows.get(session.t))
    return session.ledger()


def assert_same(bars: Bars, config: SimulatorConfig, said: Decisions, t0: int, t1: int) -> Ledger:
    coasted = run_decisions(prepare_market(bars, config), config, said, t0, t1)
    stepped = by_hand(bars, config, said, t0, t1)
    for name in COLUMNS:
        assert getattr(coasted, name).tobytes() == getattr(stepped, name).tobytes(), name
    assert coasted.ended == stepped.ended and coasted.bound == stepped.bound
    return coasted


@pytest.mark.parametrize("gap", [1, 2, 3, 5, STRETCH - 1, STRETCH, STRETCH + 1, STRETCH + 2, 3 * STRETCH + 7])
def test_waiting_of_any_length(gap: int) -> None:
    bars, rng = random_bars(7, N, ragged=True), np.random.default_rng(gap)
    when = np.arange(2, N - 1, gap)
    said = Decisions(when, rng.uniform(-0.5, 0.6, (len(when), bars.n_assets)))
    for liquidate in (False, True):
        rules = {**RULES, "exec": {**RULES["exec"], "liquidate_at_end": liquidate}}
        assert_same(bars, SimulatorConfig.model_validate(rules), said, 2, N - 1)


@pytest.mark.parametrize("crash", [3, 40, STRETCH + 3, 2 * STRETCH])
def test_ruin_while_waiting_comes_in_its_bar(crash: int) -> None:
    closes = np.full(N, 100.0)
    closes[crash:] = 20.0
    said = Decisions(np.array([0]), np.array([[1.8]]))
    ledger = assert_same(make_bars(closes), SimulatorConfig.model_validate(RULES), said, 0, N - 1)
    assert ledger.ended == "ruin" and ledger.equity[crash] <= 0 < ledger.equity[crash - 1]


def test_what_changes_in_few_bars_is_kept_for_those_alone() -> None:
    said = Decisions(np.array([10, 100]), np.array([[0.5], [0.2]]))
    ledger = assert_same(make_bars(np.full(N, 100.0)), SimulatorConfig.model_validate(RULES), said, 0, N - 1)
    assert ledger.events.row.tolist() == [0, 11, 101]
    assert np.flatnonzero(ledger.traded).tolist() == [11, 101]
    assert (np.flatnonzero(np.diff(ledger.shares[:, 0])) + 1).tolist() == [11, 101]
    assert ledger.fees[10] == 0 < ledger.fees[11] == ledger.fees[100] < ledger.fees[101] == ledger.fees[-1]
