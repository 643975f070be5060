"""Baselines whose weights an optimiser gives: minimum variance, risk parity, hierarchical risk parity.

All read the last 252 simple returns up to the decision and are fitted afresh at each, so on the past only. Assets that
started later or did not move in that time are left out; equal weights where that leaves none. Where the optimiser
fails, the assets it was asked about are weighted equally; such decisions are counted and told.

The optimisers are skfolio's. It takes more than a second to import, so that only a run that asks for one of these pays.
"""

import hashlib
import warnings
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backtest.baselines import Baseline, split_equally
from backtest.config import JudgedConfig
from backtest.past import moves, returns_before
from simulator.market import Market

Floats = NDArray[np.float64]

WINDOW = 252
TINY = 1e-6
"""A weight below this is 0: an interior-point solver leaves dust in every asset."""
AT_ONCE, AT_MOST = 100, 200
"""Assets that a problem of minimum variance begins with, and those up to which more are brought in as needed."""
KKT_SLACK = 1e-6
REMEMBERED = 4096


class Answer(NamedTuple):
    """Weights (A,) with sum 1, or None where the optimiser failed; whether the covariance had to be repaired."""

    weights: Floats | None
    repaired: bool


Optimiser = Callable[[Floats], Floats]
_answers: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()


class Optimised(Baseline):
    """A baseline whose weights come from `optimise` on the returns (252, K) of the assets that have them, K >= 2."""

    past = WINDOW + 1

    def __init__(self, config: JudgedConfig) -> None:
        super().__init__(config)
        self.failures = 0
        self.repairs = 0
        self.fits = 0

    @abstractmethod
    def optimise(self, returns: Floats) -> Floats:
        """(K,) >= 0 with sum 1."""

    def shares_of(self, market: Market, t: int) -> Floats:
        offered = market.offered[t]
        returns = returns_before(self.growth(market), t, WINDOW)
        known = offered & moves(returns) if returns is not None else np.zeros(market.n_assets, bool)
        if returns is None or not known.any():
            return self.equal_for_want(market, t)
        if known.sum() < 2:
            return split_equally(known)
        answer = remembered(self.key, np.ascontiguousarray(returns[:, known]), self.optimise)
        self.fits += 1
        self.repairs += answer.repaired
        if answer.weights is None:
            self.failures += 1
            return split_equally(known)
        weights = np.zeros(market.n_assets)
        weights[known] = answer.weights
        return weights

    def notes(self) -> list[str]:
        """What has to be said of the decisions since this object was made."""
        found = []
        if self.failures:
            found.append(f"the optimiser failed at {self.failures} of {self.fits} decisions, which took equal weights")
        if self.repairs:
            found.append(
                f"the covariance was not positive definite at {self.repairs} of {self.fits} decisions and was repaired"
            )
        return found


def remembered(key: str, returns: Floats, optimise: Optimiser) -> Answer:
    """The answer to this window, computed once: sweeps and stress windows ask the same again under other costs."""
    question = (key, hashlib.sha256(repr(returns.shape).encode() + returns.tobytes()).digest())
    if question not in _answers:
        _answers[question] = answered(returns, optimise)
        if len(_answers) > REMEMBERED:
            _answers.popitem(last=False)
    return _answers[question]


def answered(returns: Floats, optimise: Optimiser) -> Answer:
    """Ask, and check what comes back. A failure of the optimiser is an answer without weights."""
    from skfolio.exceptions import SkfolioError  # type: ignore[import-untyped]

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            weights = optimise(returns)
        except (SkfolioError, ValueError, ArithmeticError):
            return Answer(None, False)
    repaired = any("not positive definite" in str(one.message) for one in told)
    if weights.shape != returns.shape[1:] or not np.isfinite(weights).all():
        return Answer(None, repaired)
    weights = np.where(weights < TINY, 0.0, weights)
    total = weights.sum()
    return Answer(weights / total, repaired) if abs(total - 1.0) < 0.01 else Answer(None, repaired)


def _fitted(estimator: Any, returns: Floats) -> Floats:
    """Its weights. None of these problems depends on the scale of returns, but the solver's tolerances do: those of
    minute bars, as they stand, are too small for it to tell one variance from another.
    """
    estimator.fit(returns / returns.std(axis=0, ddof=1).mean())
    return np.asarray(estimator.weights_, dtype=np.float64)


class MinVariance(Optimised):
    """Least w'Sw with w >= 0 and sum w = 1, S the sample covariance of 252 returns."""

    key = "min_variance"

    def optimise(self, returns: Floats) -> Floats:
        return least_variance(returns)


def _least_variance(returns: Floats) -> Floats:
    from skfolio import RiskMeasure  # type: ignore[import-untyped]
    from skfolio.optimization import MeanRisk, ObjectiveFunction  # type: ignore[import-untyped]

    return _fitted(
        MeanRisk(
            objective_function=ObjectiveFunction.MINIMIZE_RISK,
            risk_measure=RiskMeasure.VARIANCE,
            min_weights=0.0,
            max_weights=1.0,
        ),
        returns,
    )


def least_variance(returns: Floats) -> Floats:
    """(K,) the long-only portfolio of least variance.

    Of many assets few have weight. So it is found for some of them, and the optimality condition (Sw)_i >= w'Sw shows
    whether any other would lower the variance; those that would most are brought in until none is left. The answer is
    that of the whole problem, whose time grows with the cube of K.
    """
    count = returns.shape[1]
    if count <= AT_ONCE:
        return _least_variance(returns)
    centred = returns - returns.mean(axis=0)
    chosen = np.sort(np.argsort((centred**2).sum(axis=0), kind="stable")[:AT_ONCE])
    while len(chosen) <= AT_MOST:
        weights = np.zeros(count)
        weights[chosen] = _least_variance(np.ascontiguousarray(returns[:, chosen]))
        gradient = centred.T @ (centred @ weights)
        gain = gradient - (1.0 - KKT_SLACK) * (weights @ gradient)
        gain[chosen] = 0.0
        better = np.argsort(gain, kind="stable")[: AT_ONCE // 2]
        better = better[gain[better] < 0]
        if not len(better):
            return weights
        chosen = np.union1d(chosen[weights[chosen] >= TINY], better)
    return _least_variance(returns)


class RiskParity(Optimised):
    """Each asset brings the same part of the portfolio's variance: w_i (Sw)_i equal for all i."""

    key = "risk_parity"

    def optimise(self, returns: Floats) -> Floats:
        from skfolio import RiskMeasure
        from skfolio.optimization import RiskBudgeting

        return _fitted(RiskBudgeting(risk_measure=RiskMeasure.VARIANCE), returns)


class HierarchicalRiskParity(Optimised):
    """Lopez de Prado 2016: assets ordered by a tree of their correlations, variance split down the tree."""

    key = "hrp"

    def optimise(self, returns: Floats) -> Floats:
        from skfolio import RiskMeasure
        from skfolio.optimization import HierarchicalRiskParity as Tree

        return _fitted(Tree(risk_measure=RiskMeasure.VARIANCE), returns)
