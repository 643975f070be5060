"""The fit of a regime model on training bars, by hmmlearn's expectation–maximisation from several seeded starts."""

import functools
import logging
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars, Floats
from marketdata.regime import WARMUP, RegimeFault, RegimeInput, RegimeModel, market_inputs
from marketdata.splits import Range

STARTS = 4
MOST_STEPS = 400
GAIN = 1e-2
"""It has converged when a step raises the log likelihood of all bars by less than this."""
BARS_A_STATE = 60
STAY = 0.95
LEAST_CHANCE = 1e-6
"""Of each move between states: one that the training bars did not show may still come, and no belief is ever 0/0."""


def fit_regime(bars: Bars, train: Range, *, n_states: int, inputs: tuple[RegimeInput, ...], seed: int) -> RegimeModel:
    """A model of the bars of `train`, both ends inside; their inputs look back before them, never after.

    The best of several starts, states ordered by volatility. The same bars and seed give the same bits. Raises
    RegimeFault with one sentence where there are too few bars, an input that never changes, or no convergence.
    """
    rows = market_inputs(bars, inputs)[train.t0 : train.t1 + 1]
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < BARS_A_STATE * n_states:
        raise RegimeFault(
            f"{n_states} states need {BARS_A_STATE * n_states} training bars with a market return after the first "
            f"{WARMUP} bars of the data; there are {len(rows)}"
        )
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    for name, deviation in zip(inputs, scale, strict=True):
        if deviation < 1e-9:
            raise RegimeFault(f"the input {name} never changes on the training bars, so that it tells no states apart")
    standardised = (rows - centre) / scale
    best = _best(standardised.tobytes(), len(inputs), n_states, seed)
    order = _by_volatility(best, inputs)
    transition = np.maximum(best.transmat_[np.ix_(order, order)], LEAST_CHANCE)
    transition /= transition.sum(axis=1, keepdims=True)
    return RegimeModel(
        inputs=inputs, start=_long_run(transition), transition=transition,
        means=best.means_[order], covariances=best.covars_[order], centre=centre, scale=scale, seed=seed,
    )  # fmt: skip


@functools.lru_cache(maxsize=4)
def _best(content: bytes, n_inputs: int, n_states: int, seed: int) -> Any:
    """The converged fit with the largest likelihood, of float64 rows given by their content.

    It takes seconds, and the leak gate asks for it at every altered future: the same rows need no second one.
    """
    rows = np.frombuffer(content).reshape(-1, n_inputs)
    chance = np.random.default_rng([seed, 0x484D4D])
    fits = [_fitted(rows, n_states, chance) for _ in range(STARTS)]
    converged = [(score, -place) for place, (score, _) in enumerate(fits) if np.isfinite(score)]
    if not converged:
        raise RegimeFault(
            f"the fit of {n_states} states did not converge in {MOST_STEPS} steps from any of {STARTS} starts; fewer "
            "states or more training bars help"
        )
    return fits[-max(converged)[1]][1]


def _fitted(rows: Floats, n_states: int, chance: np.random.Generator) -> tuple[float, Any]:
    """(log likelihood, model) from one start; −inf where it has not converged to something sound.

    The start is ours: hmmlearn's own is a clustering whose sums depend on the count of threads.
    """
    from hmmlearn.hmm import GaussianHMM  # type: ignore[import-untyped]

    n_inputs = rows.shape[1]
    model = GaussianHMM(n_states, covariance_type="full", n_iter=MOST_STEPS, tol=GAIN, init_params="", params="tmc")
    model.startprob_ = np.full(n_states, 1 / n_states)
    model.transmat_ = np.full((n_states, n_states), (1 - STAY) / max(n_states - 1, 1))
    np.fill_diagonal(model.transmat_, STAY)
    model.means_ = rows[np.sort(chance.choice(len(rows), n_states, replace=False))]
    model.covars_ = np.tile(np.cov(rows.T).reshape(n_inputs, n_inputs), (n_states, 1, 1))
    quiet = logging.getLogger("hmmlearn.base")
    before, quiet.level = quiet.level, logging.CRITICAL
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model.fit(rows)
    except (ValueError, np.linalg.LinAlgError):  # a covariance that is none any more
        return -np.inf, model
    finally:
        quiet.level = before
    history = list(model.monitor_.history)
    settled = len(history) >= 2 and 0 <= history[-1] - history[-2] < GAIN
    return (float(history[-1]) if settled and _is_sound(model) else -np.inf), model


def _is_sound(model: Any) -> bool:
    rows = np.vstack((model.startprob_, model.transmat_))
    finite = all(np.isfinite(value).all() for value in (rows, model.means_, model.covars_))
    return finite and np.allclose(rows.sum(axis=1), 1) and bool((np.linalg.eigvalsh(model.covars_) > 1e-10).all())


def _long_run(transition: Floats) -> Floats:
    """Share of time in each state: what is believed before the first bar, wherever the data begin."""
    n_states = len(transition)
    rows = np.vstack((transition.T - np.eye(n_states), np.ones(n_states)))
    share = np.maximum(np.linalg.lstsq(rows, np.append(np.zeros(n_states), 1.0), rcond=None)[0], 0.0)
    shares: Floats = share / share.sum()
    return shares


def _by_volatility(model: Any, inputs: tuple[RegimeInput, ...]) -> NDArray[np.intp]:
    """The calmest state first: by mean volatility, else mean dispersion, else the variance of the return."""
    for name in ("volatility", "dispersion"):
        if name in inputs:
            return np.argsort(model.means_[:, inputs.index(name)], kind="stable")
    return np.argsort(model.covars_[:, 0, 0], kind="stable")
