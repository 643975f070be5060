"""What the policy sees at the close of bar t: a window of features and the state of its book, both float32.

`window` (lookback, n_assets, n_channels): rows t−lookback+1..t of the normalised features, within ±10, and, with
regimes, of the filtered probability of each, the same for every asset.
`portfolio`, clipped to ±10, in this order:

| part              | width    | meaning                                                                    |
|-------------------|----------|----------------------------------------------------------------------------|
| `cash`            | 1        | cash / equity                                                              |
| `gross`           | 1        | Σ|q|m / equity                                                             |
| `drawdown`        | 1        | equity / peak − 1, never positive                                          |
| `weights`         | n_assets | q·m / equity, after fills                                                  |
| `previous_target` | n_assets | what the step cap counts from; only with a step cap                        |
| `held_bars`       | n_assets | bars held / `min_hold_bars`; only with a least holding time                |
| `under_way`       | n_assets | weight of orders that may still fill; only with latency, carry or limits   |
| `halted`          | 1        | 1 while a guard keeps the book out; only with a guard                      |
| `has_bar`         | n_assets | 1 where the asset has a bar at t; only where some training bar lacks one   |
| `sharpe_state`    | 2        | A and B of the differential Sharpe ratio; only with that reward            |
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl.observation_layout import LIMIT
from simulator.books import Books
from simulator.engine import BookSession


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
    previous_target: NDArray[np.float64]
    held_bars: NDArray[np.float64]
    under_way: NDArray[np.float64]
    halted: NDArray[np.bool_]
    has_bar: NDArray[np.bool_]
    sharpe_state: NDArray[np.float64] | None = None


def book_view(
    book: Books | BookSession, has_bar: NDArray[np.bool_], sharpe_state: NDArray[np.float64] | None
) -> BookView:
    """The view of N books, or of one stepped by hand, at their present close."""
    columns = {name: np.atleast_1d(getattr(book, name)) for name in ("cash", "equity", "gross", "drawdown")}
    sight = book.sight
    return BookView(
        **columns, weights=np.atleast_2d(book.weights), previous_target=sight.previous_target,
        held_bars=sight.held_bars, under_way=sight.under_way, halted=sight.halted, has_bar=has_bar,
        sharpe_state=sharpe_state,
    )  # fmt: skip


def portfolio_rows(parts: tuple[str, ...], book: BookView) -> NDArray[np.float32]:
    """`portfolio` of N books, (N, portfolio_size) float32 within ±10; cash / equity is 0 where equity is gone."""
    equity = np.where(book.equity > 0, book.equity, np.inf)
    values: dict[str, Any] = {
        "cash": book.cash / equity, "gross": book.gross, "drawdown": book.drawdown, "weights": book.weights,
        "previous_target": book.previous_target, "held_bars": book.held_bars, "under_way": book.under_way,
        "halted": book.halted, "has_bar": book.has_bar, "sharpe_state": book.sharpe_state,
    }  # fmt: skip
    rows: NDArray[np.float64] = np.column_stack([values[part] for part in parts])
    return rows.clip(-LIMIT, LIMIT).astype(np.float32)


def with_beliefs(scaled: NDArray[np.float32], beliefs: NDArray[np.float64] | None) -> NDArray[np.float32]:
    """Scaled features (T, A, F) with beliefs (T, K) as further channels of every asset, where there are any.

    Probabilities are on a scale of 0..1 already and are not normalised.
    """
    if beliefs is None:
        return scaled
    known = beliefs.astype(np.float32)[:, None, :]
    return np.concatenate((scaled, np.broadcast_to(known, (*scaled.shape[:2], known.shape[2]))), axis=2)


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
        self._memory = memory
        bar, asset = memory.strides[1], memory.strides[0]
        self._view = np.lib.stride_tricks.as_strided(
            memory,
            (n_bars - lookback + 1, n_assets, lookback * n_features),
            (bar, asset, memory.itemsize),
            writeable=False,
        )

    @property
    def table(self) -> NDArray[np.float32]:
        """(n_bars, n_assets, n_features): what every window is a part of, as a view."""
        return self._memory.transpose(1, 0, 2)

    @property
    def sha256(self) -> str:
        """Of the table's shape and numbers."""
        digest = hashlib.sha256(repr(self.table.shape).encode())
        for asset in self._memory:
            digest.update(asset.astype("<f4", copy=False).tobytes())
        return digest.hexdigest()

    def gather(self, bars: NDArray[np.int64]) -> NDArray[np.float32]:
        """Windows that end at `bars` (n,): (n, lookback, n_assets, n_features), rows oldest first.

        Raises IndexError where a window would begin before the first bar.
        """
        first = bars - (self.lookback - 1)
        if first.size and (first.min() < 0 or bars.max() >= self.n_bars):
            raise IndexError(f"a window of {self.lookback} bars must lie within the {self.n_bars} bars of the data")
        windows: NDArray[np.float32] = self._view[first].reshape(len(bars), *self._shape).transpose(0, 2, 1, 3)
        return windows
