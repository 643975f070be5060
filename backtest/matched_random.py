"""How much of a result the dates of its decisions explain: the subject's own decisions at shuffled dates.

The null. Let w_t be the weights that the subject held, or was brought to where it decided, at the close of each bar t0
to t1-1: exposure, concentration and the order of its trades, all as they were. If these had nothing to do with the
returns that followed, they would have been as good at any other dates. A draw takes the bars as a circle, cuts it at
random into K arcs, puts the arcs into a random order, and gives the subject's weights in this new order to the same
simulator on the real bars, at the same costs: it decides where the subject decided, and where two arcs meet. Within an
arc each trade is the subject's; the K seams and the first purchase are all that is added. So K is as large as keeps the
trades expected at the seams within 5 % of what the subject traded, and arcs are 21 bars long or longer on the mean; for
one who trades little K is 1, a circular shift.

What the null is not. A rule that follows past prices put its weights on what had risen (or fallen) by then; at another
date of the same range these weights meet the very returns that they were made from. Draws of a rule that follows rises
are better for it, and of one that buys falls worse, without any skill or lack of it: on random walks of 251 bars a
year's momentum has a mean percentile of 0.23. The percentile is therefore a description, asked for by name, and no
test; it is uniform where decisions have nothing to do with returns before or after them.

What an asset that is not offered at the new date should have is spread over those that are, in proportion, so that
exposure is kept. Draws meet the mandate's caps; guards and the stop bind only the policy. The percentile of the subject
counts itself among the draws and half of those that tie.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.engine import Decisions, run_decisions
from simulator.ledger import Ledger
from simulator.market import Market

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

SEAMS = 0.05
"""Of what the subject traded: the most that seams between arcs may add."""
SHORTEST_ARC = 21
PAIRS = 2000
STREAM = 1000
"""Spawn key of our generator: the random fund takes the first twenty of the same seed."""
LEAST_GROWTH = 1e-4
LIMITS = (0.05, 0.95)


@dataclass(frozen=True)
class MatchedRandom:
    """The subject among its draws. Returns are total returns of the range; excesses are the subject's, fractions a year
    over the median, best and worst of the middle 90 % of draws; turnover_ratio and gross_ratio are means of the draws
    over the subject's, None where the subject has none.
    """

    draws: int
    arcs: int
    percentile: float
    total_return: float
    median: float
    low: float
    high: float
    excess_median: float
    excess_low: float
    excess_high: float
    turnover_ratio: float | None
    gross_ratio: float | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def sentence(self) -> str:
        """For people, with the figures that say how well draws match."""
        if self.turnover_ratio is None or self.gross_ratio is None:
            return "Matched random: the subject traded nothing, so there is nothing to shuffle"
        return (
            f"Luck: the same decisions at {self.draws} shufflings of their dates did worse in "
            f"{self.percentile * 100:.0f} % of them (total return {self.median * 100:+.1f} % in the median, "
            f"{self.low * 100:+.1f} % to {self.high * 100:+.1f} % in 90 %), at {self.turnover_ratio:.2f} times the "
            f"turnover and {self.gross_ratio:.2f} times the exposure"
        )


@dataclass(frozen=True)
class Track:
    """What a subject decided: weights (N, A) at the closes of t0..t1-1, and at which of them (N,) it traded."""

    weights: Floats
    decided: Mask
    traded: float  # sum of |change of weight| over its decisions


def matched_random(
    subject: Ledger, market: Market, config: SimulatorConfig, span: Range, draws: int, seed: int
) -> MatchedRandom:
    """The subject's place among `draws` shufflings of its decisions; the same seed gives the same answer."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(STREAM,))))
    track = track_of(subject, market)
    arcs = arcs_of(track, generator)
    offered = market.offered[span.t0 : span.t1]
    totals, turnover, gross = np.empty(draws), np.empty(draws), np.empty(draws)
    for draw in range(draws):
        order = shuffled(span.n_bars, arcs, generator)
        ledger = run_decisions(market, config, replayed(track, order, offered, span.t0), span.t0, span.t1)
        totals[draw], turnover[draw], gross[draw] = _figures(ledger)
    own, own_turnover, own_gross = _figures(subject)
    low, median, high = (float(x) for x in np.quantile(totals, (LIMITS[0], 0.5, LIMITS[1])))
    years = span.n_bars / market.periods_per_year

    def over(total: float) -> float:
        return math.expm1(math.log(_growth(own) / _growth(total)) / years)

    return MatchedRandom(
        draws,
        arcs,
        percentile_of(own, totals),
        own,
        median,
        low,
        high,
        over(median),
        over(high),
        over(low),
        turnover_ratio=float(turnover.mean()) / own_turnover if own_turnover > 0 else None,
        gross_ratio=float(gross.mean()) / own_gross if own_gross > 0 else None,
    )


def percentile_of(own: float, totals: Floats) -> float:
    """Mid-rank of `own` among itself and the draws, in (0, 1)."""
    below, same = int((totals < own).sum()), int((totals == own).sum())
    return (below + (same + 1) / 2) / (len(totals) + 1)


def track_of(ledger: Ledger, market: Market) -> Track:
    """The subject's weights bar by bar. Where it decided these are its fills at the prices of the decision."""
    n = ledger.n_bars
    held = ledger.weights[:n]
    weights, decided = held.copy(), np.zeros(n, bool)
    orders = ledger.orders
    done = np.flatnonzero((orders.filled >= 0) & (orders.qty_filled != 0) & (orders.decided < ledger.t1))
    filled = np.zeros(n, np.int64)
    rows = orders.decided[done] - ledger.t0
    np.maximum.at(filled, rows, orders.filled[done])
    decided[rows] = True
    for row in np.flatnonzero(decided):
        shares = ledger.shares[filled[row] - ledger.t0] / _splits(market, ledger.t0 + int(row), int(filled[row]))
        values = np.where(shares != 0, shares * ledger.marks[row], 0.0)
        weights[row] = values / ledger.equity[row] if ledger.equity[row] > 0 else 0.0
    return Track(weights, decided, float(np.abs(weights - held).sum()))


def _splits(market: Market, t: int, filled: int) -> Floats | float:
    """(A,) shares at `filled` for one at the close of t."""
    split = market.bars.split
    return 1.0 if split is None else split[t + 1 : filled + 1].prod(axis=0)


def arcs_of(track: Track, generator: np.random.Generator) -> int:
    """How many arcs a draw has: seams of random pairs of bars cost no more than SEAMS of what the subject traded."""
    n = len(track.weights)
    first, second = generator.integers(0, n, (2, PAIRS))
    seam = float(np.abs(track.weights[first] - track.weights[second]).sum(axis=1).mean())
    most = max(1, n // SHORTEST_ARC)
    if seam * most <= SEAMS * track.traded:
        return most
    return min(most, 1 + int(SEAMS * track.traded / seam))


def shuffled(n: int, arcs: int, generator: np.random.Generator) -> Ints:
    """(n,) which bar of the subject each bar of a draw takes: a circle of n cut into arcs in a random order."""
    cuts = np.sort(generator.choice(n, arcs, replace=False))
    lengths = np.diff(cuts, append=cuts[0] + n)
    parts = [np.arange(cuts[arc], cuts[arc] + lengths[arc]) % n for arc in generator.permutation(arcs)]
    return np.concatenate(parts)


def replayed(track: Track, order: Ints, offered: Mask, t0: int) -> Decisions:
    """The subject's decisions in this order. `offered` (N, A): what can be had at each bar of the range."""
    seam = np.append(True, np.diff(order) != 1)
    bars = np.flatnonzero(track.decided[order] | seam)
    targets, free = track.weights[order[bars]], offered[bars]
    wanted = np.abs(targets).sum(axis=1, keepdims=True)
    targets = np.where(free, targets, 0.0)
    left = np.abs(targets).sum(axis=1, keepdims=True)
    targets *= np.divide(wanted, left, out=np.ones_like(left), where=left > 0)
    return Decisions(t0 + bars, targets)


def _growth(total: float) -> float:
    return max(1.0 + total, LEAST_GROWTH)


def _figures(ledger: Ledger) -> tuple[float, float, float]:
    """Total return, traded value in equity over the range, mean gross weight."""
    equity = ledger.equity
    alive = equity[:-1] > 0
    turnover = float(np.divide(ledger.traded[1:], equity[:-1], out=np.zeros(len(alive)), where=alive).sum())
    gross = np.divide(ledger.gross_value[1:], equity[1:], out=np.zeros(len(alive)), where=equity[1:] > 0)
    return max(float(equity[-1] / equity[0]) - 1.0, -1.0), turnover, float(gross.mean())
