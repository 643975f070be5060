"""A market whose next return is partly known: the planted signal that a learner must find, and the best it could do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars
from marketdata.config import FeaturesConfig
from marketdata.splits import Range
from rl.config import RewardConfig
from rl.task import FeatureTable, Task, make_task
from simulator.config import SimulatorConfig
from simulator.config_groups import EpisodeConfig, ExecConfig, FeesConfig, MarginConfig
from simulator.market import Market, prepare_market

SIGMA = 0.01
VALIDATION = Range(513, 599)
"""Behind the training bars of the small task (tests.rl.conftest)."""


@dataclass(frozen=True)
class Planted:
    """Bars and features of the planted process; `signal` (T, A) drives the next bar's return."""

    bars: Bars
    features: FeatureTable
    signal: NDArray[np.float64]


def planted(k: int = 0, n_bars: int = 26_000, n_assets: int = 5, kappa: float = 0.5) -> Planted:
    """The process with seed 1000+k: s AR(1) with 0.9, log return −σ²/2 + σ(κ·s₋₁ + √(1−κ²)·z)."""
    chance = np.random.Generator(np.random.PCG64(1000 + k))
    e, z = chance.standard_normal((n_bars, n_assets)), chance.standard_normal((n_bars, n_assets))
    noise = chance.standard_normal((n_bars, n_assets, 2))
    signal = np.empty_like(e)
    signal[0] = e[0]
    for t in range(1, n_bars):
        signal[t] = 0.9 * signal[t - 1] + np.sqrt(0.19) * e[t]
    growth = np.zeros_like(e)
    growth[1:] = -(SIGMA**2) / 2 + SIGMA * (kappa * signal[:-1] + np.sqrt(1 - kappa**2) * z[1:])
    values = np.concatenate((signal[:, :, None], noise, growth[:, :, None]), axis=2)
    names = ("signal", "noise1", "noise2", "logret")
    return Planted(_bars(100 * np.exp(np.cumsum(growth, axis=0))), FeatureTable(values, names), signal)


def _bars(close: NDArray[np.float64]) -> Bars:
    n_bars, n_assets = close.shape
    session = np.datetime64("1900-01-01", "D") + np.arange(n_bars)
    opens = np.vstack((close[:1], close[:-1]))
    reach = 0.25 * np.abs(close / opens - 1)
    return Bars(
        symbols=tuple(f"P{i}" for i in range(n_assets)),
        session=session,
        known_at=session.astype("datetime64[ns]") + np.timedelta64(21, "h"),
        open=opens,
        high=np.maximum(opens, close) * (1 + reach),
        low=np.minimum(opens, close) * (1 - reach),
        close=close,
        volume=np.full_like(close, 1e12),
    )


def costs(*, allow_short: bool = False, **episode: object) -> SimulatorConfig:
    """Half spread 5 bps and nothing else."""
    return SimulatorConfig(
        fees=FeesConfig(taker_bps=0.0),
        margin=MarginConfig(cash_borrow_apr=0.0, allow_short=allow_short),
        exec=ExecConfig(half_spread_bps=5.0, impact_k=0.0, participation_cap=1.0),
        episode=EpisodeConfig(**episode),  # type: ignore[arg-type]
    )


def market_of(data: Planted, config: SimulatorConfig | None = None) -> Market:
    return prepare_market(data.bars, config or costs())


def task_of(data: Planted, train: Range, *, lookback: int = 8, config: SimulatorConfig | None = None,
            reward: RewardConfig | None = None) -> Task:  # fmt: skip
    config = config or costs()
    seen = FeaturesConfig(lookback=lookback)
    return make_task(
        prepare_market(data.bars, config), config, reward or RewardConfig(), seen, data.features, train=train
    )


def oracle_targets(signal: NDArray[np.float64], delta: float) -> NDArray[np.float64]:
    """Full weight on one asset or cash: drop it when its s < −δ, take the largest s > 0 if better by δ."""
    targets, held = np.zeros_like(signal), -1
    for t, row in enumerate(signal):
        best = int(row.argmax())
        if held >= 0 and row[held] < -delta:
            held = -1
        if (held < 0 and row[best] > 0) or (held >= 0 and row[best] > row[held] + delta):
            held = best
        if held >= 0:
            targets[t, held] = 1.0
    return targets
