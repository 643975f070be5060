"""Names for strategies that only look like one: constant, all cash, one asset, a baseline in disguise."""

import math
from collections.abc import Sequence

import numpy as np

from backtest.runner import Judged

CONSTANT = 0.001
"""Standard deviation of a weight over the bars that none reaches."""
CASH = 0.01
"""Mean gross weight below which all is cash."""
ONE_ASSET = 0.95
"""Mean share of the largest position in what is invested."""
SAME_CORRELATION, SAME_TRACKING = 0.995, 0.005
"""Of returns with a baseline's, and tracking error a year."""


def degenerate(subject: Judged, baselines: Sequence[Judged], periods: float) -> list[str]:
    """One sentence for each name that fits; `periods` bars a year."""
    found = []
    weights = subject.ledger.weights[1:]
    gross = np.abs(weights).sum(axis=1)
    if gross.mean() < CASH:
        found.append(f"{subject.spec.label} holds cash: it is invested below 1 % on average.")
    elif weights.std(axis=0).max() < CONSTANT:
        found.append(f"{subject.spec.label} is constant: none of its weights moves by 0.1 %.")
    if is_one_asset(weights, gross):
        found.append(f"{subject.spec.label} holds one asset: its largest position is above 95 % of what is invested.")
    alike = [b.spec.label for b in baselines if b.key != subject.key and is_alike(subject, b, periods)]
    if alike:
        found.append(
            f"{subject.spec.label} is {' and '.join(alike)} in disguise: their returns can hardly be told apart."
        )
    return found


def is_one_asset(weights: np.ndarray, gross: np.ndarray) -> bool:
    """Mean over bars with a position of max|w| / gross above 0.95, where there is a choice. (N, A) and (N,)."""
    held = gross > 0
    if weights.shape[1] < 2 or not held.any():
        return False
    return bool((np.abs(weights[held]).max(axis=1) / gross[held]).mean() > ONE_ASSET)


def is_alike(subject: Judged, baseline: Judged, periods: float) -> bool:
    """Return correlation above 0.995 and tracking error below 0.5 % a year."""
    x, y = subject.returns, baseline.returns
    if len(x) < 2 or min(x.std(), y.std()) < 1e-12:
        return False
    tracking = (x - y).std(ddof=1) * math.sqrt(periods)
    return bool(np.corrcoef(x, y)[0, 1] > SAME_CORRELATION and tracking < SAME_TRACKING)
