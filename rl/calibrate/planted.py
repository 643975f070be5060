"""`planted-v1`: a market whose next return is partly known, the same on every machine, and what is trained on it."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from marketdata.bars import Bars, Days
from rl.calibrate.world import SIGNAL, Floats, World, persistent
from rl.config import TrainConfig
from rl.task import FeatureTable
from simulator.config import SimulatorConfig

SIGMA = 0.01
KAPPA = 0.5
VOLUME = 1e100
"""A book that takes all there is grows by e^100 on the training bars: no cap on what a bar may fill is to stop it."""
FIRST_DAY = np.datetime64("1900-01-01", "D")
VALIDATION, TEST = 2_000, 4_000
COSTS: dict[str, dict[str, Any]] = {
    "fees": {"taker_bps": 0.0},
    "margin": {"cash_borrow_apr": 0.0},
    "exec": {"fill": "next_open", "half_spread_bps": 5.0, "impact_k": 0.0, "participation_cap": 1.0},
}
"""Half spread 5 bps and nothing else."""


def planted(k: int = 0, n_bars: int = 26_000, n_assets: int = 5, kappa: float = KAPPA, n_noise: int = 2) -> World:
    """The process with seed 1000+k: s AR(1) with 0.9, log return −σ²/2 + σ(κ·s₋₁ + √(1−κ²)·z), σ 1 %.

    Features `signal`, `noise1` to `noise<n_noise>`, `logret`. A bar opens at the last close.
    """
    chance = np.random.Generator(np.random.PCG64(1000 + k))
    e, z = chance.standard_normal((n_bars, n_assets)), chance.standard_normal((n_bars, n_assets))
    noise = chance.standard_normal((n_bars, n_assets, n_noise))
    signal = persistent(e)
    growth = np.zeros_like(e)
    growth[1:] = -(SIGMA**2) / 2 + SIGMA * (kappa * signal[:-1] + np.sqrt(1 - kappa**2) * z[1:])
    values = np.concatenate((signal[:, :, None], noise, growth[:, :, None]), axis=2)
    names = (SIGNAL, *(f"noise{i + 1}" for i in range(n_noise)), "logret")
    return World(_bars(100 * np.exp(np.cumsum(growth, axis=0))), FeatureTable(values, names), signal)


def _bars(close: Floats) -> Bars:
    n_bars, n_assets = close.shape
    session: Days = FIRST_DAY + np.arange(n_bars)
    opens = np.vstack((close[:1], close[:-1]))
    reach = 0.25 * np.abs(close / opens - 1)
    return Bars(
        symbols=tuple(f"P{i}" for i in range(n_assets)),
        session=session,
        known_at=(session.astype("datetime64[ns]") + np.timedelta64(21, "h")).astype("datetime64[ns]"),
        open=opens,
        high=np.maximum(opens, close) * (1 + reach),
        low=np.minimum(opens, close) * (1 - reach),
        close=close,
        volume=np.full_like(close, VOLUME),
    )


def costs(*, allow_short: bool = False, **episode: object) -> SimulatorConfig:
    """`COSTS`, of a book that may be another one otherwise."""
    margin = {**COSTS["margin"], "allow_short": allow_short}
    return SimulatorConfig.model_validate({**COSTS, "margin": margin, "episode": episode})


@dataclass(frozen=True)
class Setup:
    """What is trained on `planted-v1`: a network, and the panel that it is shown."""

    network: str
    n_assets: int
    lookback: int
    n_noise: int


SETUPS = {
    "asset_shared": Setup("asset_shared", 5, 8, 2),
    "set_attention": Setup("set_attention", 5, 8, 2),
    "mlp": Setup("mlp", 3, 4, 0),  # a flat network remembers a wider panel instead of learning from it
}


def configuration(setup: Setup, *, train_bars: int, steps: int, seed: int) -> TrainConfig:
    """A training on the first `train_bars` bars, with the product's own settings but for lookback and steps."""
    edges = FIRST_DAY + np.cumsum([0, train_bars, VALIDATION, TEST])
    ranges = [{"start": str(start), "end": str(stop - 1)} for start, stop in itertools.pairwise(edges)]
    return TrainConfig.model_validate({
        **COSTS,
        "split": {"scheme": "custom_ranges", "custom_ranges": ranges},
        "features": {"lookback": setup.lookback},
        "model": {"policy": setup.network},
        "training": {"total_timesteps": steps, "seeds": [seed], "eval_every": max(256, steps // 20)},
    })  # fmt: skip
