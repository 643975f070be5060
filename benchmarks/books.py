"""R5: 1,024 books of 20 assets stepped at once, all rules on, actions drawn beforehand, beside the same in numpy."""

import importlib.metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figure import Figure, Goal, Work
from benchmarks.numpy_books import NumpyBooks
from benchmarks.panel import panel
from benchmarks.timing import clock, interleave, measure
from simulator.books import Books
from simulator.config import SimulatorConfig
from simulator.market import Market, prepare_market
from simulator.rules import make_rules

R5 = Work("R5", "1,024 books x 20 assets, all rules, no log", "steps/s", "rate", Goal(1.5e6, "ours", 3e6))

N_BOOKS, N_STEPS = 1024, 64
SEED = 0
TOLERANCE = 1e-9
WARM = 100

RULES = SimulatorConfig.model_validate({
    "fees": {"taker_bps": 1.0, "commission_per_share": 0.001},
    "margin": {"max_position_weight": 0.2, "cash_yield_apr": 0.02},
    "exec": {"half_spread_bps": 2.0, "impact_k": 100.0, "participation_cap": 0.1, "lot_size": 1.0},
    "episode": {"start_cash": 1e6, "max_step_change": 0.1, "rebalance_eps": 0.002, "invest_max": 0.98},
    "guards": {"stop_eq_frac": 0.2},
})  # fmt: skip


def drawn(market: Market, n: int, steps: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Start bars (n,) and actions (steps, n, A+1), uniform in [-1, 1]."""
    rng = np.random.default_rng(SEED)
    starts = rng.integers(WARM, market.n_bars - steps - 1, n)
    return starts, rng.uniform(-1.0, 1.0, (steps, n, market.n_assets + 1))


def differences(
    market: Market, config: SimulatorConfig, starts: NDArray[np.int64], actions: NDArray[np.float64]
) -> list[str]:
    """Sentences where the two are more than 1e-9 apart: money against its start, shares against their size, weights."""
    compiled, plain = both(market, config, starts)
    start = config.episode.start_cash
    found = []
    for k, action in enumerate(actions):
        compiled.step(action)
        plain.step(action)
        gaps = {
            "cash": compiled.cash / start - plain.cash / start,
            "equity": compiled.equity / start - plain.equity / start,
            "shares": (compiled.shares - plain.shares) / np.maximum(1.0, np.abs(plain.shares)),
            "target": compiled.target - plain.target,
        }
        found += [f"step {k}: {name} is {worst:.1e} apart" for name, gap in gaps.items()
                  if (worst := float(np.max(np.abs(gap)))) > TOLERANCE]  # fmt: skip
        if (compiled.terminated == plain.live).any():
            found.append(f"step {k}: the books that ended are not the same")
    return found


def both(market: Market, config: SimulatorConfig, starts: NDArray[np.int64]) -> tuple[Books, NumpyBooks]:
    """The compiled books and numpy's, all cash at the close of `starts`."""
    compiled = Books(market, config, len(starts))
    compiled.reset(np.arange(len(starts)), starts)
    rules = make_rules(config, market, policy_layers=True)
    return compiled, NumpyBooks(market, rules, config.episode.start_cash, starts)


def run(folder: Path, wanted: list[str]) -> list[Figure]:
    """The figure of R5; needs no folder and no peer's process."""
    market = prepare_market(panel(), RULES)
    starts, actions = drawn(market, N_BOOKS, N_STEPS)
    compiled, plain = both(market, RULES, starts)
    rows = np.arange(N_BOOKS)

    def ours() -> None:
        compiled.reset(rows, starts)
        for action in actions:
            compiled.step(action)

    def reference() -> None:
        plain.__init__(market, plain.rules, RULES.episode.start_cash, starts)  # type: ignore[misc]
        for action in actions:
            plain.step(action)

    versions = {name: importlib.metadata.version(name) for name in ("numpy", "numba")}
    steps = N_BOOKS * N_STEPS
    return [measure(
        R5, lambda: differences(market, RULES, starts, actions),
        lambda: interleave(clock(ours), clock(reference), rounds=9), lambda seconds: steps / seconds, versions,
    )]  # fmt: skip
