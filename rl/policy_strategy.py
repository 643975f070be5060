"""A stored policy as a strategy that the judge can run beside the baselines."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.features import Features, build_features, feature_plan
from rl import policy_file
from rl.actor import Actor
from rl.observation import Windows
from rl.observation_layout import ObservationLayout, ObservationMismatch, layout_for, require_same
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market


class PolicyStrategy:
    """Acts by the policy's mean, bar by bar, on the features that it was trained on.

    The file is self-contained: it says which features, in which order, scaled how.
    """

    key = "policy"
    layers = "policy"

    def __init__(self, path: Path, sha256: str, market: Market, config: SimulatorConfig) -> None:
        """Opens the policy and builds what it sees of `market`.

        Raises PolicyFileFault where the file is not the one with this sha256, ObservationMismatch where the market or
        `config` shows the policy something that it was not trained on. Both are ValueErrors with one sentence.
        """
        stored = policy_file.load(path, sha256)
        self.layout = stored.layout
        features = _features(stored.layout, market, config)
        windows = Windows(stored.normaliser.apply(features.values), stored.layout.lookback)
        self._actor = Actor(stored.model, stored.layout, windows, market)
        self.warmup = features.warmup

    @property
    def needed_bars(self) -> int:
        """Bars that must lie before the first decision."""
        return self.layout.lookback + self.warmup

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """None: what a policy does depends on its book."""
        return None

    def decide(self, t: int, session: BookSession) -> NDArray[np.float64] | None:
        """Raw mean action (width,) at the close of t; None once the book has ended."""
        return self._actor.decide(session)


def _features(layout: ObservationLayout, market: Market, config: SimulatorConfig) -> Features:
    """The policy's features of a market. Raises ObservationMismatch naming each difference."""
    wanted = FeaturesConfig.model_validate(
        {"feature_set": layout.feature_set, "indicators": layout.indicators, "lookback": layout.lookback}
    )
    try:
        plan = feature_plan(wanted, market.bars.fields, market.bars.adjustment)
    except ConfigFault as fault:
        raise ObservationMismatch(f"This policy was trained on other observations: {fault}") from fault
    ragged, sharpe = "has_bar" in layout.portfolio, "sharpe_state" in layout.portfolio
    require_same(layout, layout_for(market, config, wanted, plan.names, ragged=ragged, diff_sharpe=sharpe))
    return build_features(market.bars, plan)
