"""Strategies for the gate: an honest one with a feature, a normaliser and a regime model, and its wrong twins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from hmmlearn.hmm import GaussianHMM
from numpy.typing import NDArray

from backtest.leaks.probes import Statistic, Table
from marketdata.bars import Bars
from marketdata.splits import Range
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market

TRAIN = Range(40, 200)
SPAN = Range(220, 380)

Floats = NDArray[np.float64]


class Honest:
    """Weights by a moving average gap, z-scored by the training bars, less where the regime is wild.

    It steps bar by bar and shows its inside. A wrong twin overrides one method.
    """

    key = "policy"
    layers = "mandate"

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        self.market, self.bars = market, market.bars
        self.raw = self.feature(market.bars)
        self.mean, self.std = self.fit(self.raw)
        self.scaled = np.nan_to_num((self.raw - self.mean) / self.std)
        self.calm = self.regime(market.bars)
        self._seen: dict[str, Any] = {}

    def feature(self, bars: Bars) -> Floats:
        """(T, A): the close over its mean of 10 bars; NaN where a bar is missing."""
        gap = np.full(bars.close.shape, np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(bars.close, 10, axis=0)
        gap[9:] = bars.close[9:] / windows.mean(axis=2) - 1
        return gap

    def fit(self, raw: Floats) -> tuple[Floats, Floats]:
        rows = raw[TRAIN.t0 : TRAIN.t1 + 1]
        return np.nanmean(rows, keepdims=True)[0], np.nanstd(rows, keepdims=True)[0]

    def regime(self, bars: Bars) -> Floats:
        """(T, 1): filtered probability of the calmer state; the model is fitted on training bars."""
        returns = self.returns(bars)
        model = self.model(returns)
        return filtered(model, returns)[:, [int(model.covars_.ravel().argmin())]]

    def returns(self, bars: Bars) -> Floats:
        """(T, 1): mean return of the assets that have both bars."""
        change = bars.close[1:] / bars.close[:-1] - 1
        known = np.isfinite(change)
        mean = np.where(known, change, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return np.concatenate(([0.0], mean))[:, None]

    def model(self, returns: Floats) -> GaussianHMM:
        model = GaussianHMM(2, random_state=0, n_iter=20, tol=1e-3)
        return model.fit(returns[TRAIN.t0 : TRAIN.t1 + 1])

    def row(self, t: int) -> int:
        """The row that is read at the close of t."""
        return t

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        return None

    def decide(self, t: int, session: BookSession) -> Floats | None:
        row = min(self.row(t), len(self.scaled) - 1)
        self._seen = {"window": self.scaled[row], "regime": self.calm[row], "weights": session.weights}
        share = 1 / (1 + np.exp(-self.scaled[row])) * (0.2 + 0.8 * self.calm[row])
        return np.where(self.market.offered[t], share, 0.0) / self.market.n_assets

    def tables(self) -> Mapping[str, Table]:
        known_at = self.bars.known_at
        return {
            "features": Table(self.raw[:, :, None], ("gap(10)",), known_at),
            "regime": Table(self.calm, ("calm",), known_at, since=TRAIN.t1),
        }

    def statistics(self) -> tuple[Statistic, ...]:
        alone = Honest.fit(self, self.raw[: TRAIN.t1 + 1])
        used = np.array([self.mean, self.std]).ravel()
        labels = ("the mean of gap(10)", "the deviation of gap(10)")
        return (Statistic("normaliser", labels, used, np.array(alone).ravel()),)

    def observed(self) -> Mapping[str, Any]:
        return self._seen


def filtered(model: GaussianHMM, returns: Floats) -> Floats:
    """(T, states): forward-only probabilities, the recursion written out; a bar that fits no state tells nothing."""
    scale = np.sqrt(model.covars_.reshape(-1))
    density = np.exp(-0.5 * ((returns - model.means_.ravel()) / scale) ** 2) / scale + 1e-300
    out = np.empty_like(density)
    state = model.startprob_ * density[0]
    out[0] = state / state.sum()
    for t in range(1, len(returns)):
        state = (out[t - 1] @ model.transmat_) * density[t]
        out[t] = state / state.sum()
    return out


class Backfilled(Honest):
    """Leak 1: gaps are filled from the next value that comes."""

    def feature(self, bars: Bars) -> Floats:
        raw = super().feature(bars)
        for t in range(len(raw) - 2, -1, -1):
            raw[t] = np.where(np.isnan(raw[t]), raw[t + 1], raw[t])
        return raw


class FullSample(Honest):
    """Leak 2: mean and deviation of the whole data, as `(x - x.mean()) / x.std()` gives them."""

    def fit(self, raw: Floats) -> tuple[Floats, Floats]:
        return np.nanmean(raw, keepdims=True)[0], np.nanstd(raw, keepdims=True)[0]


class Smoothed(Honest):
    """Leak 3: `predict_proba`, whose probabilities of a bar know the bars after it."""

    def regime(self, bars: Bars) -> Floats:
        returns = self.returns(bars)
        model = self.model(returns)
        found: Floats = model.predict_proba(returns)
        return found[:, [int(model.covars_.ravel().argmin())]]


class OneAhead(Honest):
    """Leak 5: an index one too far."""

    def row(self, t: int) -> int:
        return t + 1


def blind(strategy: type[Honest]) -> Any:
    """The same strategy without anything to look into: only what it does is left."""

    class Blind:
        key, layers = "policy", "mandate"

        def __init__(self) -> None:
            self._inner = strategy()

        def prepare(self, market: Market, config: SimulatorConfig) -> None:
            self._inner.prepare(market, config)

        def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
            return None

        def decide(self, t: int, session: BookSession) -> Floats | None:
            return self._inner.decide(t, session)

    return Blind()
