"""Runs a world in the oracle and in the compiled step, and says where the two differ by more than 1e-9·E₀."""

from typing import Any

import numpy as np

from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import prepare_market
from tests.simulator.oracle.mapping import mapping
from tests.simulator.oracle.rules import rules_from
from tests.simulator.oracle.run import Result, Weights, simulate
from tests.simulator.worlds import World

TOLERANCE = 1e-9
PATHS = ("equity", "cash", "gross", "net", "fees", "spread", "impact", "borrow", "interest")
ENGINE_PATHS = {"gross": "gross_value", "net": "net_value"}


def by_oracle(case: World, config: SimulatorConfig) -> Result:
    rules = rules_from(config, case.bars.fields, layers=case.layers, cost_multiplier=case.cost_multiplier)
    decisions: dict[int, Weights] = {}
    for t, row in case.decisions.items():
        decisions[t] = row.tolist() if case.layers == "mandate" else mapped(case, config, t, row)
    return simulate(case.bars, rules, decisions, case.t0, case.t1)


def mapped(case: World, config: SimulatorConfig, t: int, row: np.ndarray) -> Any:
    member = None if case.bars.member is None else case.bars.member[t].tolist()
    return mapping(
        config.episode.mapping_mode, row.tolist(), case.bars.n_assets, invest_max=config.episode.invest_max,
        gross=config.margin.max_gross_leverage, logit_scale=config.episode.logit_scale,
        allow_short=config.margin.allow_short, member=member,
    )  # fmt: skip


def by_engine(case: World, config: SimulatorConfig) -> Ledger:
    market = prepare_market(case.bars, config, cost_multiplier=case.cost_multiplier)
    if case.layers == "mandate":
        bars = np.array(sorted(case.decisions), dtype=np.int64)
        targets = np.array([case.decisions[int(t)] for t in bars]).reshape(len(bars), case.bars.n_assets)
        return run_decisions(market, config, Decisions(bars, targets), case.t0, case.t1)
    session = BookSession(market, config, case.t0, case.t1)
    while not session.done:
        session.step(case.decisions.get(session.t))
    return session.ledger()


def differences(result: Result, ledger: Ledger, start_cash: float) -> list[str]:
    """One sentence for each thing that differs; empty when oracle and engine agree."""
    tolerance = TOLERANCE * start_cash
    found = [] if ledger.ended == result.ended else [f"ended {ledger.ended!r}, oracle {result.ended!r}"]
    for name in PATHS:
        mine = np.array([float(getattr(row, name)) for row in result.rows])
        theirs = getattr(ledger, ENGINE_PATHS.get(name, name))
        found += _first(name, theirs, mine, tolerance, ledger.t0)
    traded = np.diff([0.0] + [float(row.traded) for row in result.rows])
    found += _first("traded", ledger.traded, traded, tolerance, ledger.t0)
    shares = np.array([[float(q) for q in row.shares] for row in result.rows])
    for a in range(shares.shape[1]):
        scale = 1e-9 * max(1.0, float(np.abs(shares[:, a]).max()))
        found += _first(f"shares of asset {a}", ledger.shares[:, a], shares[:, a], scale, ledger.t0)
    return found + order_differences(result, ledger, tolerance)


def order_differences(result: Result, ledger: Ledger, tolerance: float) -> list[str]:
    mine, theirs = result.orders, ledger.orders
    heads = [(o.decided, o.asset, o.bar) for o in mine]
    others = list(zip(theirs.decided.tolist(), theirs.asset.tolist(), theirs.filled.tolist(), strict=True))
    if heads != others:
        k = next((k for k, pair in enumerate(zip(heads, others, strict=False)) if pair[0] != pair[1]), -1)
        return [f"{len(others)} orders, oracle {len(heads)}; at {k}: {others[k : k + 2]}, oracle {heads[k : k + 2]}"]
    found = []
    for k, order in enumerate(mine):
        shares = 1e-9 * max(1.0, abs(float(order.asked)))
        pairs = [
            ("asked", theirs.qty_target[k], order.asked, shares),
            ("filled", theirs.qty_filled[k], order.filled, shares),
            ("fee", theirs.fee[k], order.fee, tolerance), ("spread", theirs.spread[k], order.spread, tolerance),
            ("impact", theirs.impact[k], order.impact, tolerance),
        ]  # fmt: skip
        if order.filled:
            size = abs(order.filled)
            pairs += [
                ("price", theirs.price_fill[k], order.value / size, 1e-9 * float(order.value / size)),
                ("reference", theirs.price_ref[k], order.ref_value / size, 1e-9 * float(order.value / size)),
            ]
        for name, engine, oracle, most in pairs:
            if not abs(float(engine) - float(oracle)) <= most:
                found.append(f"order {k} {heads[k]} {order.kind}: {name} {engine!r}, oracle {float(oracle)!r}")
    return found


def _first(name: str, theirs: np.ndarray, mine: np.ndarray, tolerance: float, t0: int) -> list[str]:
    wrong = np.flatnonzero(~(np.abs(theirs - mine) <= tolerance))
    if not len(wrong):
        return []
    k = int(wrong[0])
    return [f"{name} at bar {t0 + k}: {theirs[k]!r}, oracle {mine[k]!r}"]


def oracle_columns(result: Result) -> dict[str, np.ndarray]:
    """Rows of the oracle as columns over t0..t1, sums as sums."""
    names = (*PATHS, "dividends")
    found = {name: np.array([float(getattr(row, name)) for row in result.rows]) for name in names}
    found["shares"] = np.array([[float(q) for q in row.shares] for row in result.rows])
    return found


def engine_columns(ledger: Ledger) -> dict[str, np.ndarray]:
    names = [name for name in (*PATHS, "dividends") if hasattr(ledger, ENGINE_PATHS.get(name, name))]
    return {name: getattr(ledger, ENGINE_PATHS.get(name, name)) for name in (*names, "shares")}


def oracle_fills(result: Result) -> list[tuple[int, int, float, float]]:
    """(bar, asset, shares, mean price) of each order that filled."""
    return [(o.bar, o.asset, float(o.filled), float(o.value / abs(o.filled))) for o in result.orders if o.filled]


def engine_fills(ledger: Ledger) -> list[tuple[int, int, float, float]]:
    rows = zip(
        ledger.orders.filled, ledger.orders.asset, ledger.orders.qty_filled, ledger.orders.price_fill, strict=True
    )
    return [(int(bar), int(a), float(x), float(p)) for bar, a, x, p in rows if bar >= 0 and x]
