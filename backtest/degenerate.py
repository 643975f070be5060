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
RESIZED = 0.1
"""How far from 1 the size is from where on a likeness is one of another size."""


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
    elif (resized := likest_of_another_size(subject, baselines)) is not None:
        label, size = resized
        found.append(
            f"{subject.spec.label} is {label} at {size:.2f} of its size in disguise: scaled, their returns can hardly "
            "be told apart."
        )
    return found


def is_one_asset(weights: np.ndarray, gross: np.ndarray) -> bool:
    """Mean over bars with a position of max|w| / gross above 0.95, where there is a choice. (N, A) and (N,)."""
    held = gross > 0
    if weights.shape[1] < 2 or not held.any():
        return False
    return bool((np.abs(weights[held]).max(axis=1) / gross[held]).mean() > ONE_ASSET)


def likest_of_another_size(subject: Judged, baselines: Sequence[Judged]) -> tuple[str, float] | None:
    """Label of the baseline whose returns correlate most with the subject's, above 0.995, and the slope of the
    subject's returns on them, where it lies further than 0.1 from 1; None where there is none.

    Half of a fund and half cash is that fund, and no skill in what to hold.
    """
    found = []
    for one in baselines:
        if one.key == subject.key or (like := _correlation(subject, one)) is None or like <= SAME_CORRELATION:
            continue
        size = like * float(subject.returns.std() / one.returns.std())
        if abs(size - 1) > RESIZED:
            found.append((like, one.spec.label, size))
    return max(found)[1:] if found else None


def is_alike(subject: Judged, baseline: Judged, periods: float) -> bool:
    """Return correlation above 0.995 and tracking error below 0.5 % a year."""
    like = _correlation(subject, baseline)
    if like is None:
        return False
    tracking = float((subject.returns - baseline.returns).std(ddof=1)) * math.sqrt(periods)
    return like > SAME_CORRELATION and tracking < SAME_TRACKING


def _correlation(subject: Judged, baseline: Judged) -> float | None:
    """Of the returns; None where one of them does not move."""
    x, y = subject.returns, baseline.returns
    if len(x) < 2 or min(x.std(), y.std()) < 1e-12:
        return None
    return float(np.corrcoef(x, y)[0, 1])
