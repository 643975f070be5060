"""What the policy sees at the close of bar t: a window of features and the state of its book, both float32.

`window` (lookback, n_assets, n_features): rows t−lookback+1..t of the normalised features, within ±10.
`portfolio`, clipped to ±10, in this order:

| part              | width    | meaning                                                                    |
|-------------------|----------|----------------------------------------------------------------------------|
| `cash`            | 1        | cash / equity                                                              |
| `gross`           | 1        | Σ|q|m / equity                                                             |
| `drawdown`        | 1        | equity / peak − 1, never positive                                          |
| `weights`         | n_assets | q·m / equity, after fills                                                  |
| `previous_target` | n_assets | target of the last decision; only with a step cap                          |
| `has_bar`         | n_assets | 1 where the asset has a bar at t; only where some training bar lacks one   |
| `sharpe_state`    | 2        | A and B of the differential Sharpe ratio; only with that reward            |
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

LIMIT = 10.0
PER_ASSET = frozenset({"weights", "previous_target", "has_bar"})
WIDTHS = {"cash": 1, "gross": 1, "drawdown": 1, "sharpe_state": 2}


class ObservationMismatch(ValueError):
    """A policy is shown something else than it was trained on; the message names each difference."""


@dataclass(frozen=True)
class ObservationLayout:
    """Everything that fixes the meaning of an observation and of an action; kept in the policy file."""

    symbols: tuple[str, ...]
    features: tuple[str, ...]
    lookback: int
    portfolio: tuple[str, ...]
    mapping_mode: str
    logit_scale: float
    allow_short: bool
    interval: str
    adjustment: str

    @property
    def n_assets(self) -> int:
        return len(self.symbols)

    @property
    def asset_blocks(self) -> int:
        """How many parts of `portfolio` hold one number an asset."""
        return sum(part in PER_ASSET for part in self.portfolio)

    @property
    def portfolio_size(self) -> int:
        return sum(self.n_assets if part in PER_ASSET else WIDTHS[part] for part in self.portfolio)

    def space(self) -> spaces.Dict:
        window = (self.lookback, self.n_assets, len(self.features))
        return spaces.Dict(
            {
                "window": spaces.Box(-LIMIT, LIMIT, window, np.float32),
                "portfolio": spaces.Box(-LIMIT, LIMIT, (self.portfolio_size,), np.float32),
            }
        )

    def action_space(self) -> spaces.Box | spaces.MultiDiscrete:
        """What docs/conventions.md, Mapping, expects of each mapping."""
        if self.mapping_mode == "discrete":
            return spaces.MultiDiscrete([3 if self.allow_short else 2] * self.n_assets)
        return spaces.Box(-1.0, 1.0, (self.n_assets + (self.mapping_mode == "simplex_cash"),), np.float32)

    def as_dict(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """Raises ObservationMismatch where a part is missing or unknown."""
        try:
            return cls(**{key: tuple(part) if isinstance(part, list) else part for key, part in value.items()})
        except TypeError as error:
            raise ObservationMismatch(f"observation.json does not fit this version: {error}") from error


def portfolio_parts(*, step_cap: bool, ragged: bool, diff_sharpe: bool) -> tuple[str, ...]:
    """The parts of `portfolio` that a configuration makes part of the state, in their order."""
    optional = (("previous_target", step_cap), ("has_bar", ragged), ("sharpe_state", diff_sharpe))
    return ("cash", "gross", "drawdown", "weights", *(part for part, wanted in optional if wanted))


def require_same(trained: ObservationLayout, offered: ObservationLayout) -> None:
    """Raises ObservationMismatch with one clause for each part that differs."""
    faults = [_difference(key, value, getattr(offered, key)) for key, value in vars(trained).items()
              if value != getattr(offered, key)]  # fmt: skip
    if faults:
        raise ObservationMismatch("This policy was trained on other observations: " + "; ".join(faults) + ".")


def _difference(key: str, trained: Any, offered: Any) -> str:
    if not isinstance(trained, tuple):
        return f"{key} is {offered} here, {trained} in training"
    missing = [item for item in trained if item not in offered]
    added = [item for item in offered if item not in trained]
    parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"adds {', '.join(added)}"] * bool(added)
    return f"{key} {' and '.join(parts) or 'stand in another order'}"


@dataclass(frozen=True)
class BookView:
    """What `portfolio` is made of, for N books: (N,) or (N, n_assets); money in the account's currency.

    `sharpe_state` is (N, 2), or None where the reward is another one.
    """

    cash: NDArray[np.float64]
    equity: NDArray[np.float64]
    gross: NDArray[np.float64]
    drawdown: NDArray[np.float64]
    weights: NDArray[np.float64]
    target: NDArray[np.float64]
    has_bar: NDArray[np.bool_]
    sharpe_state: NDArray[np.float64] | None = None


def portfolio_rows(parts: tuple[str, ...], book: BookView) -> NDArray[np.float32]:
    """`portfolio` of N books, (N, portfolio_size) float32 within ±10; cash / equity is 0 where equity is gone."""
    equity = np.where(book.equity > 0, book.equity, np.inf)
    values = {
        "cash": book.cash / equity, "gross": book.gross, "drawdown": book.drawdown, "weights": book.weights,
        "previous_target": book.target, "has_bar": book.has_bar, "sharpe_state": book.sharpe_state,
    }  # fmt: skip
    rows = np.column_stack([values[part] for part in parts])
    return np.clip(rows, -LIMIT, LIMIT).astype(np.float32)


class Windows:
    """Windows of the normalised features, gathered from one shared tensor; no window is stored twice.

    Memory is (n_assets, n_bars, n_features), so that a window of one asset is one contiguous run, and what `gather`
    returns is a transposed view whose per-asset rows a network can read without a copy.
    """

    def __init__(self, features: NDArray[np.float32], lookback: int) -> None:
        """`features`: (n_bars, n_assets, n_features), finite. Raises ValueError where the lookback is longer."""
        n_bars, n_assets, n_features = features.shape
        if not 1 <= lookback <= n_bars:
            raise ValueError(f"features.lookback {lookback} must lie between 1 and the {n_bars} bars of the data")
        self.lookback, self.n_bars = lookback, n_bars
        self._shape = (n_assets, lookback, n_features)
        memory = np.ascontiguousarray(features.transpose(1, 0, 2))
        bar, asset = memory.strides[1], memory.strides[0]
        self._view = np.lib.stride_tricks.as_strided(
            memory,
            (n_bars - lookback + 1, n_assets, lookback * n_features),
            (bar, asset, memory.itemsize),
            writeable=False,
        )

    def gather(self, bars: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows that end at `bars` (n,): (n, lookback, n_assets, n_features), rows oldest first.

        Raises IndexError where a window would begin before the first bar.
        """
        first = bars - (self.lookback - 1)
        if first.size and (first.min() < 0 or bars.max() >= self.n_bars):
            raise IndexError(f"a window of {self.lookback} bars must lie within the {self.n_bars} bars of the data")
        return self._view[first].reshape(len(bars), *self._shape).transpose(0, 2, 1, 3)
