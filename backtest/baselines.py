"""The obvious alternatives: each needs no learning and no warm-up, and trades on the same bars, costs and caps.

Weights are times `episode.invest_max` over the assets that have a bar at the decision; monthly means at t0 and at each
bar whose next bar on the calendar lies in another month.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.config import JudgedConfig
from backtest.past import moves, returns_before, total_growth
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VOLATILITY_RETURNS = 60
MOMENTUM_FAR, MOMENTUM_NEAR = 252, 21
MOMENTUM_SHARE = 5


def monthly_bars(market: Market, t0: int, t1: int) -> Ints:
    """(D,) t0 and each bar in t0..t1-1 whose next bar lies in another month."""
    return np.concatenate(([t0], t0 + 1 + np.flatnonzero(market.month_end[t0 + 1 : t1])))


@dataclass(frozen=True)
class ShortPast:
    """Of so many decisions over a range, those that took equal weights because no asset had the past asked for."""

    equal: int
    decisions: int


class Baseline(ABC):
    """A baseline's targets never depend on its book."""

    key = ""
    layers = "mandate"
    past = 0
    """Bars up to a decision that an asset needs before the baseline can tell it from another."""

    def __init__(self, config: JudgedConfig) -> None:
        self.invest_max = config.episode.invest_max
        self._looked_at: Market | None = None
        self._equal = 0
        self.short_past: dict[tuple[int, int], ShortPast] = {}

    def growth(self, market: Market) -> Floats:
        """(T, A) growth of each asset, dividends put back; row t reads no later bar."""
        if self._looked_at is not market:
            self._looked_at, self._growth = market, total_growth(market)
        return self._growth

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Called before a run; for those that have something to check."""
        return None

    def bars(self, market: Market, t0: int, t1: int) -> Ints:
        return monthly_bars(market, t0, t1)

    @abstractmethod
    def shares_of(self, market: Market, t: int) -> Floats:
        """(A,) >= 0 with sum 1, or all 0: how what is invested is split at the close of t."""

    def equal_for_want(self, market: Market, t: int) -> Floats:
        """(A,) equal weights where no asset has the past asked for; counted, so that the report can say so."""
        self._equal += 1
        return split_equally(market.offered[t])

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions:
        """All targets of a range; `short_past` then tells how many of them were equal weights for want of a past."""
        bars, before = self.bars(market, t0, t1), self._equal
        targets = np.zeros((len(bars), market.n_assets))
        for row, t in enumerate(bars):
            targets[row] = self.invest_max * self.shares_of(market, int(t))
        self.short_past[t0, t1] = ShortPast(self._equal - before, len(bars))
        return Decisions(bars, targets)

    def decide(self, t: int, session: BookSession) -> None:
        return None


def split_equally(mask: NDArray[np.bool_]) -> Floats:
    """(A,) one over the count where true; all 0 where nothing is."""
    count = int(mask.sum())
    return mask / count if count else np.zeros(len(mask))


class Cash(Baseline):
    """Nothing is ever bought."""

    key = "cash"

    def bars(self, market: Market, t0: int, t1: int) -> Ints:
        return np.empty(0, np.int64)

    def shares_of(self, market: Market, t: int) -> Floats:
        return np.zeros(market.n_assets)


class BuyHold(Baseline):
    """Equal weights at t0, never traded again."""

    key = "buy_hold"

    def bars(self, market: Market, t0: int, t1: int) -> Ints:
        return np.array([t0])

    def shares_of(self, market: Market, t: int) -> Floats:
        return split_equally(market.offered[t])


class Equal(Baseline):
    """Equal weights, monthly."""

    key = "equal"

    def shares_of(self, market: Market, t: int) -> Floats:
        return split_equally(market.offered[t])


class EqualDaily(Baseline):
    """Equal weights, at each bar."""

    key = "equal_daily"

    def bars(self, market: Market, t0: int, t1: int) -> Ints:
        return np.arange(t0, t1)

    def shares_of(self, market: Market, t: int) -> Floats:
        return split_equally(market.offered[t])


class FixedWeights(Baseline):
    """`evaluation.fixed_weights`, monthly. What a symbol without a bar should have stays as it is, mostly cash."""

    key = "fixed_weights"

    def __init__(self, config: JudgedConfig) -> None:
        super().__init__(config)
        self.weights = dict(config.evaluation.fixed_weights or {})

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Raises ValueError for a symbol that is not the run's."""
        for symbol in self.weights:
            if symbol not in market.symbols:
                raise ValueError(f"evaluation.fixed_weights: {symbol} is not among the run's symbols")

    def shares_of(self, market: Market, t: int) -> Floats:
        weights: Floats = np.array([self.weights.get(symbol, 0.0) for symbol in market.symbols]) * market.offered[t]
        return weights


class InverseVol(Baseline):
    """1/s of the last 60 simple returns, monthly.

    An asset listed for fewer than 61 bars or without any deviation is left out; equal weights where that leaves none.
    """

    key = "inverse_vol"
    past = VOLATILITY_RETURNS + 1

    def shares_of(self, market: Market, t: int) -> Floats:
        returns = returns_before(self.growth(market), t, VOLATILITY_RETURNS)
        known = market.offered[t] & moves(returns) if returns is not None else np.zeros(market.n_assets, bool)
        if returns is None or not known.any():
            return self.equal_for_want(market, t)
        deviation = returns.std(axis=0, ddof=1)
        inverse = np.divide(1.0, deviation, out=np.zeros(len(known)), where=known)
        weights: Floats = inverse / inverse.sum()
        return weights


class Momentum(Baseline):
    """The fifth with the largest C[t-21]/C[t-252], at least one, equally weighted, monthly.

    An asset listed for fewer than 253 bars is left out; equal weights where that leaves none. The earlier symbol wins
    a tie.
    """

    key = "momentum"
    past = MOMENTUM_FAR + 1

    def shares_of(self, market: Market, t: int) -> Floats:
        if t < MOMENTUM_FAR:
            return self.equal_for_want(market, t)
        past = self.growth(market)
        growth = past[t - MOMENTUM_NEAR] / past[t - MOMENTUM_FAR]
        known = np.flatnonzero(market.offered[t] & np.isfinite(growth))
        if not len(known):
            return self.equal_for_want(market, t)
        best = known[np.argsort(-growth[known], kind="stable")][: max(1, len(known) // MOMENTUM_SHARE)]
        chosen = np.zeros(market.n_assets, bool)
        chosen[best] = True
        return split_equally(chosen)
