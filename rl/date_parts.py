"""What a policy's first layers make of a market's windows, which no book changes: once for each date, then kept.

Dates are taken in stretches that begin at the same bars in every run, and a stretch is always of the same size, zeros
behind the last bar. So the numbers of a date depend on the bars of its own window and on where it stands in the data,
to the bit: not on how many dates are asked for, nor on what comes later. (Block transforms, as `rl.projection` makes
them, are quicker; but the rounding of a date would hang on the bars behind it.)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rl.networks import SharedEncoder
from rl.observation import Windows
from rl.window_cnn import ConvWindow

KEPT = 1 << 26
"""Bytes of stretches that are kept; further ones are made again whenever they are asked for. They lie in one piece:
small ones that live long, between the large arrays of features that come and go, tore the heap by hundreds of MiB.
"""


class Reader(NamedTuple):
    """`read`: from the bars of a stretch (dates + lookback − 1, A, F) to what the layers make of its windows
    (dates, ...).
    """

    read: Callable[[Tensor], Tensor]
    dates: int


class Stretch(NamedTuple):
    """Row k of `seen` (dates, W) belongs to the window that ends at bar first + k; `end` is the bar behind them."""

    first: int
    end: int
    seen: NDArray[np.float32]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch, whatever the process has been given: sums split over threads end in other bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class DateParts:
    """The stretches of one market, made when they are first asked for."""

    def __init__(self, reader: Reader, windows: Windows, device: torch.device) -> None:
        self._reader, self._windows, self._device = reader, windows, device
        self._held: dict[int, Stretch] = {}
        self._room: NDArray[np.float32] | None = None

    def at(self, bar: int) -> Stretch:
        """The stretch of the window that ends at `bar`. Raises IndexError where it would begin before the data."""
        number = (bar - self._windows.lookback + 1) // self._reader.dates
        if number < 0 or bar >= self._windows.n_bars:
            raise IndexError(f"a window of {self._windows.lookback} bars must lie within {self._windows.n_bars} bars")
        found = self._held.get(number)
        if found is None:
            found = self._made(number * self._reader.dates)
            if self._room is None:
                self._room = self._room_for(found.seen)
            if len(self._held) < len(self._room):
                kept = self._room[len(self._held)]
                kept[:] = found.seen
                found = self._held[number] = found._replace(seen=kept)
        return found

    def _room_for(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """(stretches, dates, W): for all of the market, or as many as may be kept; no memory until it is written."""
        all_of_them = -(-self._windows.n_bars // self._reader.dates)
        return np.empty((min(all_of_them, KEPT // seen.nbytes), *seen.shape), np.float32)

    def _made(self, row: int) -> Stretch:
        lookback, dates = self._windows.lookback, self._reader.dates
        some = self._windows.table[row : row + dates + lookback - 1]
        bars = torch.zeros(dates + lookback - 1, *some.shape[1:])  # in memory of torch's own, aligned alike
        bars[: len(some)] = torch.from_numpy(some)
        with one_thread(), torch.inference_mode():
            seen = self._reader.read(bars.to(self._device)).flatten(1).cpu().numpy()
        return Stretch(row + lookback - 1, row + lookback - 1 + dates, np.ascontiguousarray(seen))


FLAT, SHARED = 256, 64
"""Dates of a stretch: products of many rows are quicker, and a short episode pays for a whole stretch."""


def flat_reader(layer: nn.Linear, portfolio: int, lookback: int) -> Reader:
    """Of a layer on (portfolio, window) in one row: its part of the window, and its biases.

    Lag by lag: no window is copied, and the sums run over the lags in order.
    """
    weight = layer.weight.detach()[:, portfolio:].reshape(layer.out_features, lookback, -1)
    lags, bias = weight.permute(1, 2, 0).contiguous(), layer.bias.detach()

    def read(bars: Tensor) -> Tensor:
        rows = bars.flatten(1)
        found = bias.expand(FLAT, -1).clone()
        for lag in range(lookback):
            found.addmm_(rows[lag : lag + FLAT], lags[lag])
        return found

    return Reader(read, FLAT)


def shared_reader(encoder: SharedEncoder, lookback: int) -> Reader:
    """Of an encoder's `window`, the same for every asset: convolutions in one pass, other layers window by window."""
    window = encoder.window

    def by_series(bars: Tensor) -> Tensor:
        assert isinstance(window, ConvWindow)
        found: Tensor = window.every(bars[lookback - window.bars :].transpose(0, 1))
        return found.permute(2, 0, 1)

    def by_window(bars: Tensor) -> Tensor:
        series = bars.transpose(0, 1).contiguous()
        assets, length, features = series.shape
        found: Tensor = window(
            series.as_strided((SHARED, assets, lookback, features), (features, length * features, features, 1))
        )
        return found

    return Reader(by_series if isinstance(window, ConvWindow) else by_window, SHARED)
