"""A stored policy as a strategy that the judge can run beside the baselines."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketdata.config import FeaturesConfig
from marketdata.features import build_features, feature_plan
from rl import policy_file
from rl.actor import Actor
from rl.observation import Windows
from rl.observation_layout import ObservationLayout, layout_for, require_same
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market


class PolicyStrategy:
    """Acts by the policy's mean, bar by bar, on the features that it was trained on.

    The file is self-contained: it says which features, in which order, scaled how. `prepare` must be called with the
    market before the first decision; it raises ObservationMismatch where the market shows something else.
    """

    key = "policy"
    layers = "policy"

    def __init__(self, path: Path, sha256: str) -> None:
        """Raises PolicyFileFault where the file is not the one with this sha256."""
        self._stored = policy_file.load(path, sha256)
        self._actor: Actor | None = None

    @property
    def layout(self) -> ObservationLayout:
        return self._stored.layout

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Build what the policy sees of `market`. Raises ObservationMismatch, or ConfigFault for a missing column."""
        layout, bars = self._stored.layout, market.bars
        wanted = FeaturesConfig.model_validate(
            {"feature_set": layout.feature_set, "indicators": layout.indicators, "lookback": layout.lookback}
        )
        plan = feature_plan(wanted, bars.fields, bars.adjustment)
        ragged, sharpe = "has_bar" in layout.portfolio, "sharpe_state" in layout.portfolio
        require_same(layout, layout_for(market, config, wanted, plan.names, ragged=ragged, diff_sharpe=sharpe))
        values = self._stored.normaliser.apply(build_features(bars, plan).values)
        self._actor = Actor(self._stored.model, layout, Windows(values, layout.lookback), market)

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """None: what a policy does depends on its book."""
        return None

    def decide(self, t: int, session: BookSession) -> NDArray[np.float64] | None:
        """Raw mean action at the close of t; None once the book has ended. Raises RuntimeError before `prepare`."""
        if self._actor is None:
            raise RuntimeError("call prepare before decide")
        return self._actor.decide(session)
