"""B3: a sweep of 100 pairs of moving averages on one stock, all books in one call.

Targets are made outside the clock. Equality is checked on what vectorbt has too, a proportional fee and fills at the
next open: each book at each close. And each of the hundred must be its own single run to the bit, under the rules of
the clock and under the shared ones.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.engine import ALL_RULES, CASH, FEE, INVESTED, SHARED_RULES, TO_VECTORBT, apart
from benchmarks.figure import Figure, Goal, Work
from benchmarks.panel import panel, without_volume
from benchmarks.peer import Peer
from benchmarks.timing import clock, interleave, measure
from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from simulator.engine import Curves, Decisions, run_decisions, run_many
from simulator.market import prepare_market

B3 = Work("B3", "100 books x 1 asset, 8,313 bars, all rules", "ms", "time", Goal(9.1, "ratio"))

FAST, SLOW = range(5, 55, 5), range(60, 160, 10)
PEERS = ["numpy", "pandas", "numba", "vectorbt"]
WEIGHT = {"margin": {**ALL_RULES.margin.model_dump(), "max_position_weight": 1.0}}
RULES = SimulatorConfig.model_validate({**ALL_RULES.model_dump(), **WEIGHT})


def stock() -> Bars:
    """The first stock of the panel alone."""
    return panel().select([panel().symbols[0]])


def sweep(close: NDArray[np.float64]) -> list[Decisions]:
    """In where the fast mean lies above the slow one, out elsewhere; something is said only where that changes."""
    means = {span: moving_mean(close, span) for span in (*FAST, *SLOW)}
    return [crossings(means[fast] > means[slow]) for fast in FAST for slow in SLOW]


def moving_mean(close: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """(T,) mean of the last `span` closes, NaN before there are so many."""
    sums = np.cumsum(np.concatenate(([0.0], close)))
    return np.concatenate((np.full(span - 1, np.nan), (sums[span:] - sums[:-span]) / span))


def crossings(inside: NDArray[np.bool_]) -> Decisions:
    changed = np.flatnonzero(inside[:-1] != np.concatenate(([False], inside[:-2])))
    return Decisions(changed, INVESTED * inside[changed, None].astype(np.float64))


def run(folder: Path, wanted: list[str]) -> list[Figure]:
    """The figure of B3; `folder` takes the peer's arrays."""
    bars = stock()
    said, market, last = sweep(bars.close[:, 0]), prepare_market(bars, RULES), bars.n_bars - 1
    targets = np.full((bars.n_bars, len(said)), np.nan)
    for column, one in enumerate(said):
        targets[one.bars, column] = one.targets[:, 0]
    np.savez(folder / "stock.npz", session=bars.session, open=bars.open, close=bars.close, targets=targets)
    order = {"targets": "targets", "fee": FEE, "cash": CASH}

    def ours() -> Curves:
        return run_many(market, RULES, said, 0, last)

    with Peer(folder / "stock.npz", PEERS) as peer:
        return [measure(
            B3,
            differences=lambda: differences(bars, said, peer, order) + not_single(bars, RULES, said),
            clocks=lambda: interleave(clock(ours), lambda: peer.seconds("vectorbt_columns", **order), rounds=9),
            in_unit=lambda seconds: seconds * 1e3,
            versions=peer.versions,
        )]  # fmt: skip


def differences(bars: Bars, said: list[Decisions], peer: Peer, order: dict[str, Any]) -> list[str]:
    """Sentences about the books that are not vectorbt's, or not their single runs."""
    plain = without_volume(bars)
    curves = run_many(prepare_market(plain, SHARED_RULES), SHARED_RULES, said, 0, bars.n_bars - 1)
    theirs = peer.run("vectorbt_columns", **order)[1]
    found = [f"book {k}: {text}" for k, path in enumerate(theirs)
             for text in apart("vectorbt", curves.equity[k], path, TO_VECTORBT)]  # fmt: skip
    return found + not_single(plain, SHARED_RULES, said)


def not_single(bars: Bars, config: SimulatorConfig, said: list[Decisions]) -> list[str]:
    """Sentences about the books whose equity is not, to the bit, that of their own run."""
    market, last = prepare_market(bars, config), bars.n_bars - 1
    curves = run_many(market, config, said, 0, last)
    return [f"book {k} is not its single run" for k, one in enumerate(said)
            if curves.equity[k].tobytes() != run_decisions(market, config, one, 0, last).equity.tobytes()]  # fmt: skip
