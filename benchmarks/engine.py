"""B1, B2 and B4: equal weight of 20 stocks over 8,313 bars, rebalanced each month or each day, and of 10 assets over
500,000 minutes, rebalanced each hour; with the trades of it.

Equality is checked on what the peers have too: a proportional fee, fills at the next open. The clock runs with spread,
impact, participation, financing, fees and caps on. Targets are made outside it, the peers' as well, and so is the
market: the volume of the bars before each bar, which impact and participation read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.trades import fifo
from benchmarks.figure import Figure, Goal, Work
from benchmarks.panel import hours, minutes, month_ends, panel, without_volume
from benchmarks.peer import Peer
from benchmarks.timing import clock, interleave, measure
from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from simulator.engine import Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import prepare_market
from simulator.state import FILLED

B1 = Work("B1", "equal weight monthly, 20 x 8,313 bars, all rules, FIFO", "ms", "time", Goal(56.0, "ratio"))
B2 = Work("B2", "the same, rebalanced daily", "ms", "time", Goal(30.0, "ours", 20.0))
B4 = Work("B4", "equal weight hourly, 10 x 500,000 minutes, all rules, FIFO", "ms", "time", Goal(67.0, "ratio"))

INVESTED = 0.98
FEE = 5e-4
CASH = 1e8
FLOOR = 1e-6
TO_VECTORBT, TO_BACKTRADER, TO_ITSELF = 1e-6, 1e-8, 1e-9
PEERS = ["numpy", "pandas", "numba", "vectorbt", "backtrader"]

SHARED_RULES = SimulatorConfig.model_validate({
    "fees": {"taker_bps": FEE * 1e4},
    "exec": {"half_spread_bps": 0.0, "impact_k": 0.0},
    "episode": {"start_cash": CASH},
})  # fmt: skip
ALL_RULES = SimulatorConfig.model_validate({
    "fees": {"taker_bps": 4.0, "commission_pct_notional": 1e-4, "commission_per_share": 0.001},
    "margin": {"max_position_weight": 0.2, "cash_yield_apr": 0.02},
    "exec": {"half_spread_bps": 2.0, "impact_k": 100.0, "participation_cap": 0.1, "lot_size": 1.0},
    "episode": {"start_cash": CASH},
})  # fmt: skip


def decisions(bars: NDArray[np.int64], n_assets: int) -> Decisions:
    return Decisions(bars, np.full((len(bars), n_assets), INVESTED / n_assets))


@dataclass(frozen=True)
class Job:
    """A work, the bars it is done on, and what is decided on them."""

    work: Work
    bars: Bars
    said: Decisions
    rounds: int


def jobs(wanted: list[str]) -> list[list[Job]]:
    """What is wanted, by panel."""
    days, found = panel(), []
    daily = {B1: month_ends(days), B2: np.arange(days.n_bars - 1)}
    found.append([Job(work, days, decisions(when, days.n_assets), 9) for work, when in daily.items()])
    if B4.id in wanted:
        bars = minutes()
        found.append([Job(B4, bars, decisions(hours(bars), bars.n_assets), 5)])
    kept = [[job for job in group if job.work.id in wanted] for group in found]
    return [group for group in kept if group]


def run(folder: Path, wanted: list[str]) -> list[Figure]:
    """The figures of B1, B2 and B4, those of them that are wanted; `folder` takes the peers' arrays."""
    figures: list[Figure] = []
    for group in jobs(wanted):
        save(folder / "panel.npz", group)
        with Peer(folder / "panel.npz", PEERS) as peer:
            figures += [rebalancing(job, peer) for job in group]
    return figures


def save(path: Path, group: list[Job]) -> None:
    """Prices of a panel for its peer, and the targets of each job by the name of its work."""
    bars = group[0].bars
    arrays: dict[str, Any] = {name: getattr(bars, name) for name in ("open", "high", "low", "close")}
    for job in group:
        arrays[job.work.id] = np.full(bars.close.shape, np.nan)
        arrays[job.work.id][job.said.bars] = job.said.targets
    np.savez(path, session=bars.known_at if bars.intraday else bars.session, **arrays)


def rebalancing(job: Job, peer: Peer) -> Figure:
    """One of the three."""
    market, last = prepare_market(job.bars, ALL_RULES), job.bars.n_bars - 1
    order = {"targets": job.work.id, "fee": FEE, "cash": CASH}

    def ours() -> None:
        fifo(run_decisions(market, ALL_RULES, job.said, 0, last))

    return measure(
        job.work,
        differences=lambda: differences(job, peer, order),
        clocks=lambda: interleave(
            clock(ours), lambda: peer.seconds("vectorbt", **order), rounds=job.rounds, ours_a_round=9
        ),
        in_unit=lambda seconds: seconds * 1e3,
        versions=peer.versions,
    )


def differences(job: Job, peer: Peer, order: dict[str, Any]) -> list[str]:
    """Sentences about what does not agree; backtrader takes part in B1 only, it is slow."""
    market, last = prepare_market(without_volume(job.bars), SHARED_RULES), job.bars.n_bars - 1
    ledger = run_decisions(market, SHARED_RULES, job.said, 0, last)
    found = apart("vectorbt", ledger.equity, peer.run("vectorbt", **order)[1], TO_VECTORBT)
    if job.work is B1:
        found += apart("backtrader", ledger.equity, peer.run("backtrader", floor=FLOOR, **order)[1], TO_BACKTRADER)
    if (ledger.orders.reason != FILLED).any():
        found.append("an order was cut, so that the fills cannot be the same")
    return found + unaccounted(ledger)


def apart(peer: str, ours: NDArray[np.float64], theirs: list[float], most: float) -> list[str]:
    """Nothing, or a sentence, when two equity paths of the same bars are `most` or less apart, relative."""
    if len(ours) != len(theirs):
        return [f"{peer} has {len(theirs)} bars, ours has {len(ours)}"]
    gap = float(np.max(np.abs(ours / np.array(theirs) - 1.0)))
    return [] if gap <= most else [f"equity is up to {gap:.1e} from {peer}'s, more than {most:.0e}"]


def unaccounted(ledger: Ledger) -> list[str]:
    """The trades must explain the whole change of equity, where nothing is financed."""
    trades = fifo(ledger)
    gap = abs(float(trades.pnl_net.sum()) - (ledger.equity[-1] - ledger.equity[0])) / ledger.equity[0]
    return [] if gap <= TO_ITSELF * max(1.0, ledger.equity[-1] / ledger.equity[0]) else [
        f"trades explain equity only to {gap:.1e} of the start"
    ]  # fmt: skip
