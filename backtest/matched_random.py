"""How much of a result the dates of its decisions explain: the subject's own decisions of earlier dates.

The null. Let w_t be the weights that the subject held, or was brought to where it decided, at the close of each bar t:
exposure, concentration and the order of its trades. If these had nothing to do with the returns that followed, those of
another time would have been as good. A draw shifts them: at each bar t of the judged range t0 to t1-1 it has what one
book of the subject, run from long before t0 to t1, had at t - k, for one k drawn evenly from the shifts that the data
allow. It decides where that book did, and goes to the same simulator on the real bars, at the same costs.

A shift only ever goes back. Weights of a date before t rest on what was known then, so that no draw knows a bar that
it is paid for. Shuffling the dates within the range does: it hands to one bar the weights that were made from it (on
random walks of 251 bars a year's momentum then stood at 0.28 in the mean, one that buys what fell at 0.72). On
driftless random walks those who follow, oppose and ignore past prices have a percentile that is uniform on [0, 1].

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
Mask = NDArray[np.bool_]

LEAST_SHIFT = 21
"""No less than the longest latency and its fill, so that what a draw has at a bar was filled by then."""
LEAST_BEFORE = 2
"""Times the judged range: bars before it, without which there are too few ways to shift."""
STREAM = 1000
"""Spawn key of our generator: the random fund takes the first twenty of the same seed."""
LEAST_GROWTH = 1e-4
LIMITS = (0.05, 0.95)


@dataclass(frozen=True)
class MatchedRandom:
    """The subject among its draws, which come from `before` bars before the range. Returns are total returns of the
    range; excesses are the subject's, fractions a year over the median, best and worst of the middle 90 % of draws;
    turnover_ratio and gross_ratio are means of the draws over the subject's, None where the subject has none.
    """

    draws: int
    before: int
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
            return "Matched random: the subject traded nothing, so there is nothing to shift"
        return (
            f"Luck: {self.percentile * 100:.0f} % of {self.draws} draws of its own decisions of earlier dates did "
            f"worse (total return {self.median * 100:+.1f} % in the median, "
            f"{self.low * 100:+.1f} % to {self.high * 100:+.1f} % in 90 %), at {self.turnover_ratio:.2f} times the "
            f"turnover and {self.gross_ratio:.2f} times the exposure"
        )


@dataclass(frozen=True)
class Track:
    """What a subject decided: weights (N, A) at the closes of its bars, and at which of them (N,) it traded."""

    weights: Floats
    decided: Mask


def why_none(first: int, span: Range) -> str:
    """Why a book that could start at bar `first` gives no draws for `span`; empty where it does."""
    before, wanted = max(span.t0 - first, 0), LEAST_BEFORE * span.n_bars + LEAST_SHIFT
    if before >= wanted:
        return ""
    return f"Matched random is left out: {wanted:,} bars before the range are needed, and there are {before:,}."


def matched_random(
    subject: Ledger, longer: Ledger, market: Market, config: SimulatorConfig, span: Range, draws: int, seed: int
) -> MatchedRandom:
    """The subject's place among `draws` shifts of its decisions; the same seed gives the same answer.

    `subject` is its book of the range, `longer` one that starts where `why_none` allows and goes on to the same end.
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(STREAM,))))
    track, before = track_of(longer, market), span.t0 - longer.t0
    offered = market.offered[span.t0 : span.t1]
    totals, turnover, gross = np.empty(draws), np.empty(draws), np.empty(draws)
    for draw, shift in enumerate(generator.integers(LEAST_SHIFT, before + 1, draws)):
        decisions = shifted(track, before - int(shift), offered, span.t0)
        totals[draw], turnover[draw], gross[draw] = _figures(run_decisions(market, config, decisions, span.t0, span.t1))
    own, own_turnover, own_gross = _figures(subject)
    low, median, high = (float(x) for x in np.quantile(totals, (LIMITS[0], 0.5, LIMITS[1])))
    years = span.n_bars / market.periods_per_year

    def over(total: float) -> float:
        return math.expm1(math.log(_growth(own) / _growth(total)) / years)

    return MatchedRandom(
        draws=draws,
        before=before,
        percentile=percentile_of(own, totals),
        total_return=own,
        median=median,
        low=low,
        high=high,
        excess_median=over(median),
        excess_low=over(high),
        excess_high=over(low),
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
    return Track(weights, decided)


def _splits(market: Market, t: int, filled: int) -> Floats | float:
    """(A,) shares at `filled` for one at the close of t."""
    split = market.bars.split
    return 1.0 if split is None else split[t + 1 : filled + 1].prod(axis=0)


def shifted(track: Track, first: int, offered: Mask, t0: int) -> Decisions:
    """The decisions from row `first` of the track on, at the bars from `t0` on, where the first row's weights are taken
    whether it decided there or not. `offered` (N, A): what can be had at each bar of the range.
    """
    decided = track.decided[first : first + len(offered)].copy()
    decided[0] = True
    bars = np.flatnonzero(decided)
    targets, free = track.weights[first + bars], offered[bars]
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
