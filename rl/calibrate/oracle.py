"""The best that a simple rule makes of a signal that it knows by name: what a policy's growth is measured against.

Each bar: what is held and whose s has fallen below −δ is dropped; then what has the largest s > 0 fills what is free,
and takes the place of the least that is held where it lies above that by more than δ; the rest is cash. δ is the one
of `DELTAS` with most growth on the training bars.
"""

import math
from dataclasses import dataclass

import numpy as np

from marketdata.splits import Range
from rl.calibrate.world import Floats
from rl.rewards import log_growth
from simulator.config import SimulatorConfig
from simulator.engine import Decisions, run_decisions
from simulator.market import Market

DELTAS = tuple(0.25 * i for i in range(9))


@dataclass(frozen=True)
class Seats:
    """How many positions of which `weight` a book may hold at once, and whether they may be short."""

    count: int = 1
    weight: float = 1.0
    short: bool = False


ONE = Seats()


def seats_of(config: SimulatorConfig, n_assets: int) -> Seats:
    """As few and large positions as the mapping of actions and the caps allow: one of full weight where they do."""
    margin, episode = config.margin, config.episode
    leveraged = episode.mapping_mode == "tanh_leverage"
    room = min(margin.max_gross_leverage, math.inf if leveraged else episode.invest_max)
    most = min(room, margin.max_position_weight)
    if episode.mapping_mode == "discrete":
        most = min(most, episode.invest_max / n_assets)
    count = min(n_assets, math.ceil(room / most - 1e-9))
    short = margin.allow_short and episode.mapping_mode != "simplex_cash"
    return Seats(count, min(most, room / count), short)


def targets(signal: Floats, delta: float, seats: Seats = ONE) -> Floats:
    """Target weights (T, A) of the rule; a NaN of `signal` (T, A) is never held."""
    known = np.where(np.isnan(signal), -np.inf, signal)
    if not seats.short:
        return _held(known, delta, seats.count) * seats.weight
    down = np.where(np.isnan(signal), -np.inf, -signal)
    held = _held(np.concatenate((known, down), axis=1), delta, seats.count)
    n_assets = signal.shape[1]
    return (held[:, :n_assets] - held[:, n_assets:]) * seats.weight


def _held(scores: Floats, delta: float, count: int) -> Floats:
    """1 where the rule holds, else 0; (T, K) of K scores."""
    found, held = np.zeros_like(scores), list[int]()
    for t, row in enumerate(scores):
        held = [each for each in held if row[each] >= -delta]
        for best in np.argsort(-row, kind="stable"):
            if best in held:
                continue
            least = min(held, key=row.__getitem__) if len(held) == count else None
            if row[best] <= (0 if least is None else row[least] + delta):
                break
            if least is not None:
                held.remove(least)
            held.append(int(best))
        found[t, held] = 1.0
    return found


@dataclass(frozen=True)
class Oracle:
    """The rule with the δ that grew most on the training bars; growth is the mean log return a bar."""

    market: Market
    config: SimulatorConfig
    signal: Floats
    seats: Seats
    delta: float

    @classmethod
    def fitted(cls, market: Market, config: SimulatorConfig, signal: Floats, train: Range) -> "Oracle":
        seats = seats_of(config, market.n_assets)
        each = [cls(market, config, signal, seats, delta) for delta in DELTAS]
        return max(each, key=lambda one: one.growth(train))

    def growth(self, span: Range) -> float:
        """From cash over `span`, through the simulator, at full costs."""
        wanted = targets(self.signal[span.t0 : span.t1], self.delta, self.seats)
        said = Decisions(np.arange(span.t0, span.t1), wanted)
        return growth_of(run_decisions(self.market, self.config, said, span.t0, span.t1).equity)


def growth_of(equity: Floats) -> float:
    """Mean log return a bar of an account (N+1,)."""
    return float(log_growth(equity[1:], equity[:-1]).mean())
