"""Named starting points of the forms: only what differs from the models' defaults."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Preset:
    key: str
    title: str
    note: str
    values: dict[str, Any]


TRAIN_PRESETS = (
    Preset("quick", "Quick look", "20 US stocks, 60,000 steps, a small net, one seed: about a minute on two cores.", {
        "dataset": {"id": "sample/us20"},
        "features": {"lookback": 32},
        "model": {"net_arch": [32, 32], "features_dim": 16},
        "training": {"total_timesteps": 60_000, "eval_every": 15_000, "seeds": [0]},
        "evaluation": {"bootstrap_paths": 2_000},
    }),
    Preset("standard", "Standard", "500,000 steps and a lookback of 64 bars, three seeds: a policy worth judging.", {
        "dataset": {"id": "sample/us20"},
        "features": {"lookback": 64},
        "training": {"total_timesteps": 500_000, "eval_every": 50_000},
    }),
)  # fmt: skip

CV_PRESETS = (
    Preset("quick", "Quick look", "20 US stocks, 3 folds of a year, 60,000 steps each, one seed: minutes.", {
        "dataset": {"id": "sample/us20"},
        "split": {"n_folds": 3},
        "features": {"lookback": 32},
        "model": {"net_arch": [32, 32], "features_dim": 16},
        "training": {"total_timesteps": 60_000, "eval_every": 15_000, "seeds": [0]},
        "evaluation": {"bootstrap_paths": 2_000},
    }),
    Preset("standard", "Standard", "8 folds of a year, 500,000 steps each, three seeds: 24 trainings.", {
        "dataset": {"id": "sample/us20"},
        "split": {"n_folds": 8},
        "features": {"lookback": 64},
        "training": {"total_timesteps": 500_000, "eval_every": 50_000},
    }),
)  # fmt: skip

CALIBRATE_PRESETS = (
    Preset("quick", "Quick look", "Three worlds with a signal, three with none, 60,000 steps, one seed: minutes.", {
        "dataset": {"id": "sample/us20"},
        "split": {"scheme": "80_20"},
        "features": {"lookback": 16, "feature_set": ["ohlcv"]},
        "training": {"total_timesteps": 60_000, "eval_every": 20_000, "seeds": [0]},
        "evaluation": {"bootstrap_paths": 2_000},
        "calibration": {"planted_worlds": 3, "null_worlds": 3},
    }),
    Preset("standard", "Standard", "Five worlds with a signal, twenty with none, 200,000 steps, three seeds: hours.", {
        "dataset": {"id": "sample/us20"},
        "split": {"scheme": "80_20"},
        "calibration": {"planted_worlds": 5, "null_worlds": 20},
    }),
)  # fmt: skip

LEAKS_PRESETS = tuple(
    replace(preset, note=note)
    for preset, note in zip(
        TRAIN_PRESETS,
        ("20 US stocks and a lookback of 32 bars, as the quick training has them.",
         "20 US stocks and a lookback of 64 bars, as the standard training has them."),
        strict=True,
    )
)  # fmt: skip

BACKTEST_PRESETS = (
    Preset("quick", "Quick look", "Equal weights over the last year of the sample: seconds.", {
        "dataset": {"id": "sample/us20"},
        "policy": "equal",
        "evaluation": {"bootstrap_paths": 2_000},
    }),
    Preset("standard", "Standard", "Equal weights over the last fifth of the data, full resampling.", {
        "dataset": {"id": "sample/us20"},
        "policy": "equal",
        "split": {"scheme": "80_20"},
    }),
)  # fmt: skip

LEAKS_OF_STRATEGY_PRESETS = tuple(
    replace(preset, note=note)
    for preset, note in zip(
        BACKTEST_PRESETS,
        ("Equal weights over the last year of the sample.", "Equal weights over the last fifth of the data."),
        strict=True,
    )
)


def find(presets: tuple[Preset, ...], key: str | None) -> Preset:
    """The preset of that key; the first for an unknown one, which comes only from a hand-written address."""
    return next((preset for preset in presets if preset.key == key), presets[0])
