"""What there is to learn: a market, its rules, what is seen of it, what is paid, and the bars to learn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.config import FeaturesConfig
from marketdata.config_base import ConfigFault
from marketdata.regime import RegimeModel
from marketdata.splits import Range
from rl.config import RewardConfig
from rl.normaliser import Normaliser
from rl.observation import Windows, with_beliefs
from rl.observation_layout import ObservationLayout, layout_for
from rl.rewards import benchmark_returns
from simulator.config import SimulatorConfig
from simulator.market import Market


@dataclass(frozen=True)
class Task:
    """Everything an environment needs. `benchmark` (n_bars,): simple return of the benchmark over t−1→t."""

    market: Market
    config: SimulatorConfig
    reward: RewardConfig
    layout: ObservationLayout
    normaliser: Normaliser
    windows: Windows
    train: Range
    benchmark: NDArray[np.float64]
    regime: RegimeModel | None = None


@dataclass(frozen=True)
class FeatureTable:
    """`values` (n_bars, n_assets, n_features), NaN where a feature has no value; `names` of the last axis."""

    values: NDArray[np.float64]
    names: tuple[str, ...]


def make_task(market: Market, config: SimulatorConfig, reward: RewardConfig, features: FeaturesConfig,
              table: FeatureTable, *, train: Range, benchmark: str | None = None,
              regime: RegimeModel | None = None) -> Task:  # fmt: skip
    """A task whose normaliser is fitted on the bars of `train` only, as `regime` was, whose beliefs it adds.

    Data counts as ragged where one of those bars lacks an asset. Raises ConfigFault where the benchmark is no symbol of
    the market, ValueError where the lookback is longer than the data.
    """
    normaliser = Normaliser.identity(len(table.names))
    if features.normalize_observation:
        normaliser = Normaliser.fit(table.values, train.t0, train.t1)
    ragged = not bool(market.has_bar[train.t0 : train.t1 + 1].all())
    return Task(
        market=market,
        config=config,
        reward=reward,
        layout=layout_for(
            market,
            config,
            features,
            table.names,
            ragged=ragged,
            diff_sharpe=reward.mode == "diff_sharpe",
            regime=regime.names if regime else (),
        ),
        normaliser=normaliser,
        windows=Windows(
            with_beliefs(normaliser.apply(table.values), regime.beliefs(market.bars) if regime else None),
            features.lookback,
        ),
        train=train,
        benchmark=benchmark_returns(market.mark, train.t0, _column(market, benchmark)),
        regime=regime,
    )


def _column(market: Market, benchmark: str | None) -> int | None:
    if benchmark is None:
        return None
    if benchmark not in market.symbols:
        raise ConfigFault({"evaluation.benchmark": [f"{benchmark} is not among the run's symbols."]})
    return market.symbols.index(benchmark)
