"""A training's configuration without the training: what its policy would see, and a fixed random policy that sees it.

The leak gate runs it: features, ranges, normaliser and observation are made by the code that a training uses, and the
random policy reads every number of the observation, so that a leak anywhere in it reaches a decision.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from backtest.leaks.probes import Statistic, Table
from marketdata.bars import Bars
from marketdata.features import FeaturePlan, Features, build_features, plan_of
from marketdata.splits import Range, Ranges
from marketdata.walk_forward import ranges_of
from rl import regime
from rl.config import TrainConfig
from rl.normaliser import fitted_labels
from rl.observer import Observer
from rl.task import FeatureTable, Task, make_task
from simulator.config import SimulatorConfig
from simulator.engine import BookSession, Decisions
from simulator.market import Market


class UntrainedPolicy:
    """Speaks raw actions, as a trained policy does. Its ranges are those of the bars that it is made for."""

    key = "policy"
    layers = "policy"

    def __init__(self, config: TrainConfig, bars: Bars) -> None:
        """Raises ConfigFault where features or split do not fit the bars."""
        self._config = config
        plan = plan_of(config.features, bars)
        lookback = config.features.lookback
        self.ranges: Ranges = ranges_of(config.split, bars.session, lookback=lookback, warmup=plan.warmup)
        self._plan = plan

    @property
    def span(self) -> Range:
        """From the first decision of validation to the last mark of the test: no statistic may know these bars."""
        return Range(self.ranges.validation.t0, self.ranges.test.t1)

    def prepare(self, market: Market, config: SimulatorConfig) -> None:
        """Build the task as a training does, normaliser and regime fitted on the training bars of this market."""
        chosen, self._bars = self._config, market.bars
        model = regime.regime_of(chosen, market.bars, self.ranges.train)
        self._features: Features = build_features(market.bars, self._plan)
        self._task: Task = make_task(
            market, config, chosen.reward, chosen.features, FeatureTable(self._features.values, self._features.names),
            train=self.ranges.train, benchmark=chosen.evaluation.benchmark, regime=model,
        )  # fmt: skip
        self._observer = Observer(self._task.layout, self._task.windows, market)
        self._draw(self._task)

    def decisions(self, market: Market, t0: int, t1: int) -> Decisions | None:
        """None: what it does depends on its book."""
        return None

    def decide(self, t: int, session: BookSession) -> NDArray[np.float64] | None:
        """A raw action (width,) out of every number that is observed."""
        self._observer.observe(session)
        seen = np.concatenate([value.ravel() for value in self._observer.last.values()])
        scores = np.bincount(self._score, weights=seen * self._weights, minlength=self._width)
        if self._choices is not None:
            choice: NDArray[np.float64] = np.floor((np.tanh(scores) + 1) / 2 * (self._choices - 1e-9))
            return choice
        action: NDArray[np.float64] = np.tanh(scores)
        return action

    def feature_plan(self) -> FeaturePlan:
        """For the leak gate: the features, before any scaling."""
        return self._plan

    def tables(self) -> dict[str, Table]:
        """The features as they are made, and, by what was fitted up to the end of training, as they are scaled, and
        the beliefs in regimes.
        """
        names, known_at = self._features.names, self._features.known_at
        table, since = self._task.windows.table, self.ranges.train.t1
        tables = {
            "features": Table(self._features.values, names, known_at),
            "scaled features": Table(table[:, :, : len(names)], names, known_at, since=since),
        }
        if self._task.regime is not None:
            # The channels are the same of every asset.
            tables["regime"] = Table(table[:, 0, len(names) :], self._task.regime.names, known_at, since=since)
        return tables

    def statistics(self) -> tuple[Statistic, ...]:
        """Normaliser and regime as the task has them, beside those fitted on the training bars alone."""
        return self._normaliser() + self._regime()

    def _normaliser(self) -> tuple[Statistic, ...]:
        if not self._config.features.normalize_observation:
            return ()
        used, train = self._task.normaliser, self.ranges.train
        alone = type(used).fit(self._features.values[: train.t1 + 1], train.t0, train.t1)
        labels = fitted_labels(self._features.names)
        return (Statistic("normaliser", labels, used.numbers(), alone.numbers()),)

    def _regime(self) -> tuple[Statistic, ...]:
        model = self._task.regime
        if model is None:
            return ()
        return (regime.statistic(model, self._bars, self.ranges.train),)

    def observed(self) -> dict[str, NDArray[Any]]:
        """The observation behind the last decision."""
        return {name: value[0] for name, value in self._observer.last.items()}

    def _draw(self, task: Task) -> None:
        """A weight for each input, which goes into one score, from the training's seed: the same on every market."""
        layout, space = task.layout, task.layout.action_space()
        inputs = layout.lookback * layout.n_assets * len(layout.channels) + layout.portfolio_size
        self._choices = space.nvec.astype(np.float64) if isinstance(space, spaces.MultiDiscrete) else None
        self._width = int(space.shape[0])
        chance = np.random.default_rng(self._config.training.seeds[0])
        self._score = chance.integers(self._width, size=inputs)
        self._weights = chance.standard_normal(inputs) * np.sqrt(self._width / inputs)
