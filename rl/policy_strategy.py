"""A stored policy as a strategy that the judge can run beside the baselines."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from backtest.leaks.probes import Statistic, Table
from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.features import FeaturePlan, build_features, plan_of
from marketdata.regime import inputs_hash
from rl import policy_file, regime
from rl.actor import Actor
from rl.config import TrainingConfig, taught_groups
from rl.learned_days import rows_hash
from rl.normaliser import Normaliser, fitted_labels
from rl.observation import Windows, with_beliefs
from rl.observation_layout import ObservationLayout, ObservationMismatch, layout_for, require_same
from rl.policy_file import StoredPolicy
from rl.policy_format.fault import PolicyFileFault
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market

_ELSEWHERE = "the bars that it was fitted on are not in this dataset, so that its fit cannot be repeated."


class PolicyStrategy:
    """Acts by the policy's mean, bar by bar, on the features that it was trained on.

    The file is self-contained: it says which features, in which order, scaled how.
    """

    key = "policy"
    layers = "policy"

    def __init__(self, path: Path, sha256: str) -> None:
        """Raises PolicyFileFault (a ValueError, one sentence) where the file is not the one with this sha256."""
        self._stored = policy_file.load(path, sha256)
        self._prepared: _Prepared | None = None

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Build what the policy sees of `market`.

        Raises ObservationMismatch, a ConfigFault, where market or configuration show it something that it was not
        trained on.
        """
        any_symbols, model = policy_file.acts_on_any_symbols(self._stored), self._stored.regime
        plan = _plan(self._stored.layout, market, config, any_symbols)
        acting = _acting(self._stored, market.symbols)
        scaled = acting.normaliser.apply(build_features(market.bars, plan).values)
        beliefs = model.beliefs(market.bars) if model else None
        windows = Windows(with_beliefs(scaled, beliefs), acting.layout.lookback)
        actor = Actor(acting.policy, acting.layout, windows, market)
        self._prepared = _Prepared(market, plan, windows, actor, beliefs)

    @property
    def sees(self) -> FeaturesConfig:
        """Sets, indicators and lookback of its training."""
        return _seen_by(self._stored.layout)

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """None: what a policy does depends on its book. Raises ObservationMismatch with too few bars before t0."""
        needed = self._stored.layout.lookback + self._ready.plan.warmup
        if t0 < needed:
            raise ObservationMismatch(
                f"This policy needs {needed} bars before its first decision; the range leaves {t0}."
            )
        return None

    def seen_bars(self, market: Market, t0: int, t1: int) -> int:
        """How many of the bars t0+1..t1 lie on days of its train or validation range."""
        return self._stored.learned.count(market.bars.session[t0 + 1 : t1 + 1])

    def learned_spans(self) -> tuple[tuple[str, dt.date, dt.date], ...]:
        """The days that it was trained and selected on, from its file."""
        learned = self._stored.learned
        return (("train", *learned.train), ("validation", *learned.validation))

    def trained_symbols(self) -> tuple[str, ...]:
        """The symbols that it was trained on."""
        return self._stored.layout.symbols

    def taught(self) -> Mapping[str, BaseModel] | None:
        """How it was trained, from its file; None where it does not tell, or in words of another version."""
        try:
            return None if self._stored.taught is None else taught_groups(self._stored.taught)
        except ValidationError:
            return None

    def family(self) -> tuple[int, ...]:
        """The seed that it was trained with and those of its siblings; empty where its file does not tell."""
        found = self.taught()
        training = None if found is None else found["training"]
        return training.family if isinstance(training, TrainingConfig) else ()

    def decide(self, t: int, session: BookSession) -> NDArray[np.float64] | None:
        """Raw mean action (width,) at the close of t; None once the book has ended. Call `prepare` first."""
        return self._ready.actor.decide(session)

    def fly(self, session: BookSession) -> None:
        """All decisions of a book up to its end, as `decide` would make them. Call `prepare` first."""
        self._ready.actor.fly(session)

    def watch(self, session: BookSession) -> None:
        """See a close at which another decides, so that what is known of the book's past goes on. Once a bar."""
        self._ready.actor.observer.follow(session)

    @property
    def steps(self) -> int:
        """Environment steps that it had learned from when it was kept, from its file."""
        return self._stored.document.spec.steps

    def feature_plan(self) -> FeaturePlan:
        """For the leak gate: the features, before any scaling."""
        return self._ready.plan

    def tables(self) -> dict[str, Table]:
        """For the leak gate: the features as the policy sees them, scaled and clipped, and its beliefs in regimes."""
        ready, layout = self._ready, self._stored.layout
        known_at = ready.market.bars.known_at
        seen = ready.windows.table[:, :, : len(layout.features)]
        tables = {"features": Table(seen, layout.features, known_at)}
        if ready.beliefs is not None:
            tables["regime"] = Table(ready.beliefs, layout.regime, known_at)
        return tables

    def statistics(self) -> tuple[Statistic, ...]:
        """For the leak gate: what the file holds of fits beside the same fits on the training bars of this market."""
        return self._normaliser() + self._regime()

    def _normaliser(self) -> tuple[Statistic, ...]:
        stored, bars = self._stored, self._ready.market.bars
        if (stored.normaliser.mean == 0).all() and (stored.normaliser.std == 1).all():
            return ()  # nothing was fitted
        used, labels = stored.normaliser.numbers(), fitted_labels(stored.layout.features)
        rows, refitted = stored.learned.training_bars(bars.session), None
        if rows is not None:
            values = build_features(bars, self._ready.plan).values
            if rows_hash(values, rows) == stored.learned.rows_sha256:
                refitted = Normaliser.fit(values, rows.t0, rows.t1).numbers()
        return (Statistic("normaliser", labels, used, refitted, _ELSEWHERE, frozen=True),)

    def _regime(self) -> tuple[Statistic, ...]:
        model, learned, bars = self._stored.regime, self._stored.learned, self._ready.market.bars
        if model is None:
            return ()
        rows = learned.training_bars(bars.session)
        if rows is None or inputs_hash(bars, model.inputs, rows) != learned.regime_sha256:
            return (regime.unexamined(model, _ELSEWHERE),)
        return (regime.statistic(model, bars, rows, frozen=True),)

    def observed(self) -> dict[str, NDArray[np.float32]]:
        """For the leak gate: the observation behind the last decision."""
        return {name: value[0] for name, value in self._ready.actor.observer.last.items()}

    @property
    def _ready(self) -> "_Prepared":
        if self._prepared is None:
            raise RuntimeError("call prepare before decide: a policy must know its market")
        return self._prepared


@dataclass(frozen=True)
class _Prepared:
    """What the policy made of the market that it was last prepared for."""

    market: Market
    plan: FeaturePlan
    windows: Windows
    actor: Actor
    beliefs: NDArray[np.float64] | None


def _seen_by(layout: ObservationLayout) -> FeaturesConfig:
    return FeaturesConfig.model_validate(
        {"feature_set": layout.feature_set, "indicators": layout.indicators, "lookback": layout.lookback}
    )


def _acting(stored: StoredPolicy, symbols: tuple[str, ...]) -> StoredPolicy:
    """The policy for the symbols of a market. Raises ObservationMismatch where they are too many."""
    if symbols == stored.layout.symbols:
        return stored
    try:
        return policy_file.on_symbols(stored, symbols)
    except PolicyFileFault as fault:
        raise ObservationMismatch(f"This policy cannot act on {len(symbols):,} symbols: {fault}.") from fault


def _plan(layout: ObservationLayout, market: Market, config: SimulatorConfig, any_symbols: bool) -> FeaturePlan:
    """The policy's features on a market. Raises ObservationMismatch naming each difference."""
    wanted = _seen_by(layout)
    try:
        plan = plan_of(wanted, market.bars)
    except ConfigFault as fault:
        raise ObservationMismatch(f"This policy was trained on other observations: {fault}") from fault
    ragged, sharpe = "has_bar" in layout.portfolio, "sharpe_state" in layout.portfolio
    offered = layout_for(market, config, wanted, plan.names, ragged=ragged, diff_sharpe=sharpe, regime=layout.regime)
    require_same(layout, offered, any_symbols=any_symbols)
    return plan
