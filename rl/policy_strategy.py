"""A stored policy as a strategy that the judge can run beside the baselines."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.features import Features, build_features, plan_of
from marketdata.regime import WARMUP
from rl import policy_file
from rl.actor import Actor
from rl.observation import Windows, with_beliefs
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

    def __init__(self, path: Path, sha256: str) -> None:
        """Raises PolicyFileFault (a ValueError, one sentence) where the file is not the one with this sha256."""
        self._stored = policy_file.load(path, sha256)
        self._actor: Actor | None = None
        self._needed = 0

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Build what the policy sees of `market`.

        Raises ObservationMismatch, a ConfigFault, where market or configuration show it something that it was not
        trained on.
        """
        layout, features = self._stored.layout, _features(self._stored.layout, market, config)
        regime = self._stored.regime
        beliefs = regime.beliefs(market.bars) if regime else None
        windows = Windows(with_beliefs(self._stored.normaliser.apply(features.values), beliefs), layout.lookback)
        self._actor = Actor(self._stored.model, layout, windows, market)
        self._needed = layout.lookback + max(features.warmup, WARMUP if regime else 0)

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """None: what a policy does depends on its book. Raises ObservationMismatch with too few bars before t0."""
        if t0 < self._needed:
            raise ObservationMismatch(
                f"This policy needs {self._needed} bars before its first decision; the range leaves {t0}."
            )
        return None

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        """How many of the bars t0+1..t1 lie on days of its train or validation range."""
        return self._stored.learned.count(market.bars.session[t0 + 1 : t1 + 1])

    def decide(self, t: int, session: BookSession) -> NDArray[np.float64] | None:
        """Raw mean action (width,) at the close of t; None once the book has ended. Call `prepare` first."""
        if self._actor is None:
            raise RuntimeError("call prepare before decide: a policy must know its market")
        return self._actor.decide(session)


def _features(layout: ObservationLayout, market: Market, config: SimulatorConfig) -> Features:
    """The policy's features of a market. Raises ObservationMismatch naming each difference."""
    wanted = FeaturesConfig.model_validate(
        {"feature_set": layout.feature_set, "indicators": layout.indicators, "lookback": layout.lookback}
    )
    try:
        plan = plan_of(wanted, market.bars)
    except ConfigFault as fault:
        raise ObservationMismatch(f"This policy was trained on other observations: {fault}") from fault
    ragged, sharpe = "has_bar" in layout.portfolio, "sharpe_state" in layout.portfolio
    offered = layout_for(market, config, wanted, plan.names, ragged=ragged, diff_sharpe=sharpe, regime=layout.regime)
    require_same(layout, offered)
    return build_features(market.bars, plan)
