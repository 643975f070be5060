"""Runs a world in the oracle and in the compiled step, and says where the two differ by more than 1e-9·E₀."""

from typing import Any

import numpy as np

from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import prepare_market
from simulator.waterfall import EFFECTS, Waterfall
from tests.simulator.oracle.mapping import mapping
from tests.simulator.oracle.rules import rules_from
from tests.simulator.oracle.run import Result, Weights, simulate
from tests.simulator.worlds import World

TOLERANCE = 1e-9
PATHS = ("equity", "cash", "gross", "net", "fees", "spread", "impact", "borrow", "interest", "dividends")
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


def stepped(case: World, config: SimulatorConfig, *, trail: bool = False) -> BookSession:
    """The world's book, stepped by hand to its end."""
    market = prepare_market(case.bars, config, cost_multiplier=case.cost_multiplier)
    session = BookSession(market, config, case.t0, case.t1, case.layers, trail=trail)
    while not session.done:
        session.step(case.decisions.get(session.t))
    return session


def by_engine(case: World, config: SimulatorConfig) -> Ledger:
    market = prepare_market(case.bars, config, cost_multiplier=case.cost_multiplier)
    if case.layers == "mandate":
        bars = np.array(sorted(case.decisions), dtype=np.int64)
        targets = np.array([case.decisions[int(t)] for t in bars]).reshape(len(bars), case.bars.n_assets)
        return run_decisions(market, config, Decisions(bars, targets), case.t0, case.t1)
    return stepped(case, config).ledger()


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
    """The engine's log has a line for each fill, and one for an order that ends without any."""
    mine = sorted(
        ((fill.bar, o.decided, o.asset, float(fill.qty)), fill) for o in result.orders for fill in o.fills
    )  # fmt: skip
    log = ledger.orders
    done = np.flatnonzero(log.filled >= 0)
    done = sorted(done, key=lambda k: (log.filled[k], log.decided[k], log.asset[k], log.qty_filled[k]))
    heads = [head[:3] for head, _ in mine]
    others = [(int(log.filled[k]), int(log.decided[k]), int(log.asset[k])) for k in done]
    if heads != others:
        k = next((k for k, pair in enumerate(zip(heads, others, strict=False)) if pair[0] != pair[1]), -1)
        return [f"{len(others)} fills, oracle {len(heads)}; at {k}: {others[k : k + 2]}, oracle {heads[k : k + 2]}"]
    found = []
    for k, (head, fill) in zip(done, mine, strict=True):
        shares, price = 1e-9 * max(1.0, abs(float(fill.qty))), 1e-9 * float(fill.price)
        pairs = [
            ("filled", log.qty_filled[k], fill.qty, shares), ("price", log.price_fill[k], fill.price, price),
            ("reference", log.price_ref[k], fill.ref, price), ("fee", log.fee[k], fill.fee, tolerance),
            ("spread", log.spread[k], fill.spread, tolerance), ("impact", log.impact[k], fill.impact, tolerance),
        ]  # fmt: skip
        for name, engine, oracle, most in pairs:
            if not abs(float(engine) - float(oracle)) <= most:
                found.append(f"fill {head}: {name} {engine!r}, oracle {float(oracle)!r}")
    return found + unfilled_differences(result, ledger)


def unfilled_differences(result: Result, ledger: Ledger) -> list[str]:
    log = ledger.orders
    filled = set(zip(log.decided[log.filled >= 0].tolist(), log.asset[log.filled >= 0].tolist(), strict=True))
    ends = log.filled < 0
    theirs = sorted(set(zip(log.decided[ends].tolist(), log.asset[ends].tolist(), strict=True)) - filled)
    done = {(o.decided, o.asset) for o in result.orders if o.fills}
    mine = sorted({(o.decided, o.asset) for o in result.orders if not o.fills} - done)
    return [] if mine == theirs else [f"unfilled {theirs}, oracle {mine}"]


def waterfall_differences(result: Result, found: Waterfall) -> list[str]:
    """Where an effect of a decision differs, or where the effects do not sum to what filled."""
    gap = np.abs(found.effects.sum(axis=0) - found.filled).max(initial=0.0)
    wrong = [f"effects sum only to {gap:.1e}"] if gap > 1e-12 else []
    row = {int(t): k for k, t in enumerate(found.bars)}
    for (t, a), effects in result.waterfall.items():
        for name, mine in zip(EFFECTS, found.effects[:, row[t], a], strict=True):
            if not abs(mine - float(effects[name])) <= TOLERANCE:
                wrong.append(f"{name} of asset {a} at {t}: {mine!r}, oracle {float(effects[name])!r}")
    return wrong


def _first(name: str, theirs: np.ndarray, mine: np.ndarray, tolerance: float, t0: int) -> list[str]:
    wrong = np.flatnonzero(~(np.abs(theirs - mine) <= tolerance))
    if not len(wrong):
        return []
    k = int(wrong[0])
    return [f"{name} at bar {t0 + k}: {theirs[k]!r}, oracle {mine[k]!r}"]


def oracle_columns(result: Result) -> dict[str, np.ndarray]:
    """Rows of the oracle as columns over t0..t1, sums as sums."""
    names = PATHS
    found = {name: np.array([float(getattr(row, name)) for row in result.rows]) for name in names}
    found["shares"] = np.array([[float(q) for q in row.shares] for row in result.rows])
    return found


def engine_columns(ledger: Ledger) -> dict[str, np.ndarray]:
    return {name: getattr(ledger, ENGINE_PATHS.get(name, name)) for name in (*PATHS, "shares")}


def oracle_fills(result: Result) -> list[tuple[int, int, float, float]]:
    """(bar, asset, shares, mean price) of each order that filled."""
    return [(o.bar, o.asset, float(o.filled), float(o.value / abs(o.filled))) for o in result.orders if o.filled]


def engine_fills(ledger: Ledger) -> list[tuple[int, int, float, float]]:
    rows = zip(
        ledger.orders.filled, ledger.orders.asset, ledger.orders.qty_filled, ledger.orders.price_fill, strict=True
    )
    return [(int(bar), int(a), float(x), float(p)) for bar, a, x, p in rows if bar >= 0 and x]
