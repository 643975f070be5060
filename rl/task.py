"""What there is to learn: a market, its rules, what is seen of it, what is paid, and the bars to learn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.splits import Range
from rl.config import RewardConfig
from rl.normaliser import Normaliser
from rl.observation import ObservationLayout, Windows, portfolio_parts
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


@dataclass(frozen=True)
class FeatureTable:
    """Features of a market: `values` (n_bars, n_assets, n_features), NaN in the warm-up; `names` of the last axis."""

    values: NDArray[np.float64]
    names: tuple[str, ...]


def make_task(market: Market, config: SimulatorConfig, reward: RewardConfig, features: FeatureTable, *, lookback: int,
              normalise: bool, train: Range, benchmark: str | None = None) -> Task:  # fmt: skip
    """A task whose normaliser is fitted on the bars of `train` only.

    Raises ValueError where the benchmark is no symbol of the market or the lookback is longer than the data.
    """
    n_features = features.values.shape[2]
    normaliser = Normaliser.fit(features.values, train.t0, train.t1) if normalise else Normaliser.identity(n_features)
    return Task(
        market=market,
        config=config,
        reward=reward,
        layout=make_layout(market, config, reward, features.names, lookback, train),
        normaliser=normaliser,
        windows=Windows(normaliser.apply(features.values), lookback),
        train=train,
        benchmark=benchmark_returns(market.mark, train.t0, _column(market, benchmark)),
    )


def make_layout(market: Market, config: SimulatorConfig, reward: RewardConfig, names: tuple[str, ...], lookback: int,
                train: Range) -> ObservationLayout:  # fmt: skip
    """The observation that a configuration asks for. Data counts as ragged where a training bar lacks an asset."""
    ragged = not bool(market.has_bar[train.t0 : train.t1 + 1].all())
    parts = portfolio_parts(
        step_cap=config.episode.max_step_change is not None, ragged=ragged, diff_sharpe=reward.mode == "diff_sharpe"
    )
    return ObservationLayout(
        symbols=market.symbols,
        features=names,
        lookback=lookback,
        portfolio=parts,
        mapping_mode=config.episode.mapping_mode,
        logit_scale=config.episode.logit_scale,
        allow_short=config.margin.allow_short,
        interval=market.bars.interval,
        adjustment=market.bars.adjustment,
    )


def _column(market: Market, benchmark: str | None) -> int | None:
    if benchmark is None:
        return None
    if benchmark not in market.symbols:
        raise ValueError(f"evaluation.benchmark {benchmark} must be one of the run's symbols for the benchmark reward")
    return market.symbols.index(benchmark)
