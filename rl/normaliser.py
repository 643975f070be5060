"""The static normaliser of features: fitted once on the training bars, frozen, kept in the policy file.

No running statistics anywhere, so neither the number of environments nor their order can matter.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

CLIP = 10.0
SMALLEST_STD = 1e-8


class NormaliserFault(ValueError):
    """What stands in a policy file is no normaliser; the message is one sentence."""


@dataclass(frozen=True)
class Normaliser:
    """z = clip((x − mean) / std, ±clip), NaN → 0. `mean`, `std`: (n_features,) float64."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    clip: float = CLIP

    @classmethod
    def identity(cls, n_features: int) -> Self:
        """Changes nothing but NaN → 0 and the clip."""
        return cls(np.zeros(n_features), np.ones(n_features))

    @classmethod
    def fit(cls, values: NDArray[np.float64], first: int, last: int) -> Self:
        """Mean and deviation (ddof 0) per feature over all assets and bars first..last, both inside.

        `values`: (n_bars, n_assets, n_features), NaN = absent and left out. A feature without a value gets mean 0;
        a deviation below 1e-8 counts as 1.
        """
        rows = values[first : last + 1].reshape(-1, values.shape[2])
        known = np.isfinite(rows)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, rows, 0.0).sum(axis=0) / count
        deviation = np.where(known, rows - mean, 0.0)
        std = np.sqrt((deviation * deviation).sum(axis=0) / count)
        return cls(mean, np.where(std < SMALLEST_STD, 1.0, std))

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Scaled features of the same shape, float32, finite."""
        scaled = np.clip((values - self.mean) / self.std, -self.clip, self.clip)
        return np.where(np.isnan(scaled), 0.0, scaled).astype(np.float32)

    def numbers(self) -> NDArray[np.float64]:
        """(2 n_features,) all means, then all deviations."""
        return np.concatenate((self.mean, self.std))

    def as_dict(self) -> dict[str, Any]:
        return {"mean": self.mean.tolist(), "std": self.std.tolist(), "clip": self.clip}

    @classmethod
    def from_dict(cls, value: dict[str, Any], n_features: int) -> Self:
        """Raises NormaliserFault where a statistic is missing, not finite, or of another length."""
        mean, std = (np.asarray(value.get(key, ()), dtype=np.float64) for key in ("mean", "std"))
        clip = float(value.get("clip", 0.0))
        if mean.shape != (n_features,) or std.shape != (n_features,):
            raise NormaliserFault(f"obsnorm.json must hold mean and std of {n_features} features")
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all() and clip > 0):
            raise NormaliserFault("obsnorm.json must hold finite means, positive deviations and a positive clip")
        return cls(mean, std, clip)


def fitted_labels(names: tuple[str, ...]) -> tuple[str, ...]:
    """What each of `Normaliser.numbers` is, for features of these names."""
    return tuple(f"the {what} of {name}" for what in ("mean", "deviation") for name in names)
