"""A market that was made, so that it is known how much of its next returns can be known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars
from rl.task import FeatureTable

Floats = NDArray[np.float64]
SIGNAL = "signal"
PERSISTENCE = 0.9


@dataclass(frozen=True)
class World:
    """Bars and what is seen of them; `signal` (T, A), one of the features, tells part of the next bar's return, or, in
    a world where nothing is to be found, none of it. NaN where the symbol has no bar.
    """

    bars: Bars
    features: FeatureTable
    signal: Floats


def persistent(steps: Floats) -> Floats:
    """(T, A) of s₀ = e₀, sₜ = 0.9·sₜ₋₁ + √0.19·eₜ: of variance 1 at each bar where `steps` e are standard normal."""
    found = np.empty_like(steps)
    found[0] = steps[0]
    for t in range(1, len(steps)):
        found[t] = PERSISTENCE * found[t - 1] + np.sqrt(1 - PERSISTENCE**2) * steps[t]
    return found
