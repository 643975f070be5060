"""Regimes of the market: a Gaussian hidden Markov model, and what it believes at each bar from the bars up to it.

The model is fitted once on training bars (regime_fit) and never again; a policy keeps it. Beliefs are **filtered**:
P(state at t | inputs up to t). The smoothed ones, which libraries give, know the bars after t.

Inputs, one number a bar of the whole market, standardised by mean and deviation of the training bars:

| input        | formula                                                                                   |
|--------------|-------------------------------------------------------------------------------------------|
| `return`     | equally weighted mean of the symbols' log returns, m                                      |
| `volatility` | ln of √(mean of m² over the last 20 bars), at least 1e-6                                  |
| `dispersion` | ln of the standard deviation (ddof 0) of the symbols' log returns at the bar, at least 1e-6 |
"""

import hashlib
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from marketdata.bars import Bars, Floats
from marketdata.indicators.rolling import by_window, row_mean
from marketdata.panel import Panel
from marketdata.splits import Range

RegimeInput = Literal["return", "volatility", "dispersion"]
WINDOW = 20
WARMUP = WINDOW
"""Bars before the first belief: the first return is that of bar 1."""
LEAST = 1e-6
BLOCK = 256
"""Bars that the recursion takes side by side."""


class RegimeFault(ValueError):
    """No regimes can be had from these data, or what stands in a policy file is no model; one sentence."""


def market_inputs(bars: Bars, names: tuple[RegimeInput, ...]) -> Floats:
    """(T, n_inputs), row t from bars up to t; NaN in the warm-up and where no symbol has a return."""
    panel = Panel(bars)
    mean = panel.market_returns
    columns: dict[str, Callable[[], Floats]] = {
        "return": lambda: mean,
        "volatility": lambda: _log_volatility(mean),
        "dispersion": lambda: _spread(panel),
    }
    inputs: Floats = np.column_stack([columns[name]() for name in names])
    inputs[: min(WARMUP, len(inputs))] = np.nan
    return inputs


def inputs_hash(bars: Bars, names: tuple[RegimeInput, ...], rows: Range) -> str:
    """sha256 of the inputs on the bars of a range, both ends inside; every NaN counts as the same."""
    found = market_inputs(bars, names)[rows.t0 : rows.t1 + 1]
    content = np.where(np.isnan(found), np.nan, found + 0.0).astype("<f8").tobytes()
    return hashlib.sha256(json.dumps([list(names), found.shape]).encode() + content).hexdigest()


def _log_volatility(mean: Floats) -> Floats:
    """A bar without a return counts as one that did not move."""
    squares = np.square(np.nan_to_num(mean))
    return np.log(np.maximum(np.sqrt(by_window(row_mean, WINDOW, squares, skip=1)), LEAST))


def _spread(panel: Panel) -> Floats:
    known = np.isfinite(panel.returns) & panel.members
    apart = np.where(known, panel.returns - panel.market_returns[:, None], 0.0)
    count = known.sum(axis=1)
    spread = np.sqrt(np.square(apart).sum(axis=1) / np.maximum(count, 1))
    return np.where(count > 0, np.log(np.maximum(spread, LEAST)), np.nan)


@dataclass(frozen=True, eq=False)
class RegimeModel:
    """K states, the calmest first. `start` (K,), `transition` (K, K) from row to column, `means` (K, D), `covariances`
    (K, D, D), all of standardised inputs; `centre` and `scale` (D,) standardise them. `seed` drew the
    starts of its fit.
    """

    inputs: tuple[RegimeInput, ...]
    start: Floats
    transition: Floats
    means: Floats
    covariances: Floats
    centre: Floats
    scale: Floats
    seed: int

    @property
    def n_states(self) -> int:
        return len(self.start)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the belief channels: `regime(1)` is the calmest state."""
        return tuple(f"regime({state + 1})" for state in range(self.n_states))

    def beliefs(self, bars: Bars) -> Floats:
        """(T, K) filtered probabilities at the close of each bar, rows sum to 1; before the first inputs `start`."""
        return self.filtered(market_inputs(bars, self.inputs))

    def filtered(self, inputs: Floats) -> Floats:
        """`beliefs` of inputs (T, D) as they are before standardising. A row that is not finite tells nothing."""
        beliefs = np.tile(self.start, (len(inputs), 1))
        rows = np.flatnonzero(np.isfinite(inputs).all(axis=1))
        if len(rows):
            first = int(rows[0])
            beliefs[first:] = forward(self.start, self.transition, self.likelihoods(inputs[first:]))
        return beliefs

    def likelihoods(self, inputs: Floats) -> Floats:
        """(T, K) density of each row under each state, over the largest of the row; 1 where the row is not finite."""
        known = np.asarray(np.isfinite(inputs).all(axis=1))
        z = np.where(known[:, None], (inputs - self.centre) / self.scale, 0.0)
        logs = np.empty((len(z), self.n_states))
        for state in range(self.n_states):
            root = np.linalg.cholesky(self.covariances[state])
            apart = _solve_lower(root, z - self.means[state])
            logs[:, state] = -0.5 * np.square(apart).sum(axis=1) - np.log(np.diag(root)).sum()
        likelihoods: Floats = np.where(known[:, None], np.exp(logs - logs.max(axis=1)[:, None]), 1.0)
        return likelihoods

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of `numbers` is."""
        sizes = {"K": self.names, "D": self.inputs}
        found = []
        for name, shape in _SHAPES.items():
            parts = itertools.product(*(sizes[letter] for letter in shape))
            found += [f"{name} of {', '.join(part)}" for part in parts]
        return tuple(found)

    def numbers(self) -> Floats:
        """(n,) everything that was fitted, in the order of `labels`."""
        return np.concatenate([getattr(self, name).ravel() for name in _SHAPES])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, from which `from_dict` makes the same model to the last bit."""
        fitted = {name: getattr(self, name).tolist() for name in _SHAPES}
        return {"inputs": list(self.inputs), "seed": self.seed} | fitted

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """Raises RegimeFault where a part is missing, of another shape, or no probability."""
        try:
            inputs, seed = tuple(value["inputs"]), int(value["seed"])
            arrays = {name: np.asarray(value[name], dtype=np.float64) for name in _SHAPES}
        except (KeyError, TypeError, ValueError) as error:
            raise RegimeFault(
                "regime.json must hold inputs, seed, start, transition, means, covariances and scaling"
            ) from error
        sizes = {"K": arrays["start"].size, "D": len(inputs)}
        wrong = [
            name for name, shape in _SHAPES.items() if arrays[name].shape != tuple(sizes[letter] for letter in shape)
        ]
        if wrong or not set(inputs) <= {"return", "volatility", "dispersion"} or not inputs:
            raise RegimeFault(f"regime.json has a wrong shape of {', '.join(wrong) or 'inputs'}")
        model = cls(inputs=inputs, seed=seed, **arrays)
        if not _sound(model):
            raise RegimeFault("regime.json must hold probabilities that sum to 1 and positive deviations")
        return model


_SHAPES = {"start": "K", "transition": "KK", "means": "KD", "covariances": "KDD", "centre": "D", "scale": "D"}


def _sound(model: RegimeModel) -> bool:
    rows = np.vstack((model.start, model.transition))
    finite = all(np.isfinite(getattr(model, name)).all() for name in _SHAPES)
    if not finite or not np.allclose(rows.sum(axis=1), 1.0) or (rows < 0).any() or (model.scale <= 0).any():
        return False
    return bool((np.linalg.eigvalsh(model.covariances) > 0).all())


def _solve_lower(root: Floats, right: Floats) -> Floats:
    """x with root · x = each row of `right` (T, D), written out: no library's block size changes a bit."""
    out = np.empty_like(right)
    for row in range(len(root)):
        known = sum((root[row, column] * out[:, column] for column in range(row)), np.zeros(len(right)))
        out[:, row] = (right[:, row] - known) / root[row, row]
    return out


def forward(start: Floats, transition: Floats, likelihoods: Floats) -> Floats:
    """(T, K) filtered probabilities: α[t] ∝ (α[t−1] · transition) ∘ likelihoods[t], α[0] ∝ start ∘ likelihoods[0].

    Blocks of a fixed length stand side by side: first each block's own transfer from the state before it, then the
    states between blocks in order, then all bars. Each step scales, so nothing underflows; a block never reads a later
    one, and which block a bar falls into depends on the first bar alone.
    """
    first = _scaled(start * likelihoods[0], 1)
    size, n_states = len(likelihoods) - 1, len(start)
    n_blocks = math.ceil(size / BLOCK)
    padded = np.ones((n_blocks * BLOCK, n_states))
    padded[:size] = likelihoods[1:]
    blocks = padded.reshape(n_blocks, BLOCK, n_states)
    transfer = np.broadcast_to(np.eye(n_states), (n_blocks, n_states, n_states))
    for place in range(BLOCK):
        transfer = _scaled(_moved(transfer, transition) * blocks[:, place, None, :], 2)
    state = np.empty((n_blocks, n_states))
    for block in range(n_blocks):
        before = first if block == 0 else _scaled(_moved(state[block - 1], transfer[block - 1]), 1)
        state[block] = before
    out = np.empty_like(padded).reshape(blocks.shape)
    for place in range(BLOCK):
        state = _scaled(_moved(state, transition) * blocks[:, place], 1)
        out[:, place] = state
    return np.vstack((first, out.reshape(-1, n_states)[:size]))


def _moved(states: Floats, transition: Floats) -> Floats:
    """(…, K) · (K, K), summed over states in order."""
    moved: Floats = sum(
        (states[..., state, None] * transition[state] for state in range(1, len(transition))),
        states[..., 0, None] * transition[0],
    )
    return moved


def _scaled(values: Floats, axes: int) -> Floats:
    """Over the sum of the last `axes` axes."""
    scaled: Floats = values / values.sum(axis=tuple(range(-axes, 0)), keepdims=True)
    return scaled
