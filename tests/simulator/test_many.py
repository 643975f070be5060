"""Many books of given targets in one call: each is, to the bit, the book of its own run."""

from typing import Any

import numpy as np
import pytest

from simulator.books import ActionError
from simulator.config import SimulatorConfig
from simulator.engine import Curves, Decisions, run_decisions, run_many
from simulator.ledger import Ledger
from simulator.market import prepare_market
from tests.simulator.markets import make_bars, no_cost, random_bars

T0, T1, N_ASSETS = 3, 57, 4
COSTLY: dict[str, Any] = {
    "fees": {"taker_bps": 3.0, "commission_per_share": 0.01},
    "margin": {"max_position_weight": 0.4, "cash_yield_apr": 0.03, "allow_short": True, "max_gross_leverage": 1.5},
    "exec": {"half_spread_bps": 2.0, "impact_k": 80.0, "participation_cap": 0.1, "lot_size": 1.0},
    "episode": {"start_cash": 1e5},
}
RULES = {
    "lean": COSTLY,
    "sold at the end": {**COSTLY, "exec": {**COSTLY["exec"], "liquidate_at_end": True}},
    "late orders": {**COSTLY, "exec": {**COSTLY["exec"], "latency_bars": 2}},
}


def books(rng: np.random.Generator) -> list[Decisions]:
    """Books with decisions at each bar, at some, at one, and at none."""
    said = []
    for count in (T1 - T0, 17, 1, 0, 30):
        bars = np.sort(rng.choice(np.arange(T0, T1), count, replace=False))
        said.append(Decisions(bars, rng.uniform(-0.4, 0.6, (count, N_ASSETS))))
    return said


def same(curves: Curves, i: int, ledger: Ledger) -> None:
    assert curves.equity[i].tobytes() == ledger.equity.tobytes()
    assert curves.shares[i].tobytes() == ledger.shares[-1].tobytes()
    for name in ("cash", "fees", "spread", "impact", "borrow", "interest", "dividends"):
        assert getattr(curves, name)[i] == getattr(ledger, name)[-1], name
    assert curves.bound[i] == ledger.bound
    assert bool(curves.ended[i]) == (ledger.ended != "")


@pytest.mark.parametrize("rules", RULES)
def test_each_book_is_its_single_run_to_the_bit(rules: str) -> None:
    config = SimulatorConfig.model_validate(RULES[rules])
    market = prepare_market(random_bars(5, ragged=True), config)
    said = books(np.random.default_rng(2))
    curves = run_many(market, config, said, T0, T1)
    assert len(np.unique(curves.equity[:, -1])) == len(said)  # they are different books
    for i, one in enumerate(said):
        same(curves, i, run_decisions(market, config, one, T0, T1))


def test_a_book_that_is_ruined_ends_alone() -> None:
    config = no_cost(margin={"allow_short": True, "max_gross_leverage": 1.0})
    market = prepare_market(make_bars([10.0, 10.0, 25.0, 5.0, 5.0]), config)
    short, long = (Decisions(np.array([0]), np.array([[weight]])) for weight in (-1.0, 1.0))
    curves = run_many(market, config, [short, long], 0, 4)
    assert curves.ended.tolist() == [True, False]
    assert curves.equity[1].tolist() == [config.episode.start_cash * x for x in (1.0, 1.0, 2.5, 0.5, 0.5)]
    same(curves, 0, run_decisions(market, config, short, 0, 4))


def test_what_is_refused() -> None:
    config = no_cost()
    market = prepare_market(make_bars([10.0, 11.0, 12.0, 13.0]), config)
    good = Decisions(np.array([0, 1]), np.array([[0.5], [1.0]]))
    with pytest.raises(ValueError, match="at least one book"):
        run_many(market, config, [], 0, 3)
    with pytest.raises(ValueError, match=r"must increase and lie in 0\.\.2"):
        run_many(market, config, [good, Decisions(np.array([1, 1]), np.zeros((2, 1)))], 0, 3)
    with pytest.raises(ActionError, match=r"gave nan for S0 at 2020-01-03"):
        run_many(market, config, [good, Decisions(np.array([1]), np.full((1, 1), np.nan))], 0, 3)
    with pytest.raises(ActionError, match=r"shape \(1, 2\)"):
        run_many(market, config, [good, Decisions(np.array([1]), np.zeros((1, 2)))], 0, 3)
