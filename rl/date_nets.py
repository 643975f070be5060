"""Networks whose layers on the window are more than one: all of them once for each distinct date."""

from abc import abstractmethod

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rl.indexed_net import SharedNet, window_weight
from rl.networks import AssetSharedPolicy
from rl.observation import Windows
from rl.panel import Panel
from rl.projection import Projection, Table

AT_ONCE = 2048
"""Dates for which intermediate results are held at a time while nothing is learned."""
PLACES = 1 << 15
"""The same for convolutions over series: assets times dates, each with the numbers of all layers."""
STEPPED = 1 << 21
"""Numbers of a recurrence that are at work at a time: they stay in a cache, and in memory that is used again, where
larger pieces are fetched from the system anew each time."""
HELD = 1 << 23
"""Numbers that are kept for the gradient; those of further dates are made again when it is taken. Eight times as many
were 7 % quicker and took 850 MB more."""
STRIDED = 3.0
"""How much slower a multiply-add is in the windows of single dates than in a pass over all dates."""


class DateNet(SharedNet):
    """`seen` of a sample is what `windows_of` makes of its date, one row an asset."""

    def __init__(self, policy: AssetSharedPolicy, windows: Windows, device: torch.device) -> None:
        super().__init__(policy)
        self.panel = Panel.per_asset(windows, device)
        self._assets = torch.arange(self.encoder.n_assets, device=device)

    @abstractmethod
    def made(self, dates: Tensor) -> Tensor:
        """(K, n_assets, O): what the encoder's `window` makes of the windows at rows `dates` (K,), each once."""

    def every_date(self) -> Tensor:
        rows = torch.arange(self.panel.n_rows, device=self._assets.device)
        return torch.cat([self.made(some) for some in torch.split(rows, AT_ONCE)]).flatten(0, 1)

    def places(self, rows: Tensor) -> Tensor:
        return (rows[:, None] * len(self._assets) + self._assets).reshape(-1)

    def table(self, rows: Tensor) -> Table:
        dates, place = torch.unique(rows, return_inverse=True)
        return Table(self.made(dates).flatten(0, 1), self.places(place))


class AttentionNet(DateNet):
    """`set_attention`: the linear layer as that of `asset_shared`, then the assets of each date compared."""

    def __init__(self, policy: AssetSharedPolicy, windows: Windows, device: torch.device) -> None:
        super().__init__(policy, windows, device)
        self._projection = Projection(self.panel, self.encoder.features_dim)

    def made(self, dates: Tensor) -> Tensor:
        window = self.encoder.window
        table = self._projection.table(window_weight(window.linear, self.panel), dates)
        seen = table.values.index_select(0, table.places).view(len(dates), len(self._assets), -1)
        attended: Tensor = window.attend(seen + window.linear.bias)
        return attended

    def every_date(self) -> Tensor:
        # One sweep for all dates, where the parts above would make one each.
        window, rows = self.encoder.window, torch.arange(self.panel.n_rows, device=self._assets.device)
        seen = self._projection.sweep(window_weight(window.linear, self.panel))
        shape = (-1, len(self._assets), seen.shape[1])
        return torch.cat([
            window.attend(seen.index_select(0, self._projection.places(some)).view(shape) + window.linear.bias)
            for some in torch.split(rows, AT_ONCE)
        ]).flatten(0, 1)  # fmt: skip


class ConvNet(DateNet):
    """`window_cnn`: all convolutions at all dates in one pass over the series, where that is the less work."""

    def __init__(self, policy: AssetSharedPolicy, windows: Windows, device: torch.device) -> None:
        super().__init__(policy, windows, device)
        window, place = self.encoder.window.work()
        self._few = place * self.panel.features.shape[1] / (window * STRIDED)

    def made(self, dates: Tensor) -> Tensor:
        found: Tensor = self.encoder.window.for_learning(self.panel.windows(dates))
        return found

    def every_date(self) -> Tensor:
        assets, rows = len(self._assets), self.panel.n_rows
        every = self.panel.features.new_empty(rows, assets, self.encoder.features_dim)
        step = max(PLACES // assets, 1)
        for first in range(0, rows, step):
            every[first : first + step] = self._between(first, min(first + step, rows))
        return every.flatten(0, 1)

    def table(self, rows: Tensor) -> Table:
        if len(rows) > self._few and len(torch.unique(rows)) > self._few:
            # in one piece: what the gradient needs is kept of all of it anyway
            return Table(self._between(0, self.panel.n_rows).flatten(0, 1), self.places(rows))
        return super().table(rows)

    def _between(self, first: int, end: int) -> Tensor:
        """(end - first, n_assets, O) of the windows at rows first to end - 1, by one pass over the bars they read."""
        window, lookback = self.encoder.window, self.panel.lookback
        found: Tensor = window.every(self.panel.features[:, first + lookback - window.bars : end - 1 + lookback])
        return found.permute(2, 0, 1)


class LstmNet(DateNet):
    """`window_lstm`: a recurrence shares nothing between dates, so that each date is stepped through by itself, some
    at a time.
    """

    def __init__(self, policy: AssetSharedPolicy, windows: Windows, device: torch.device) -> None:
        super().__init__(policy, windows, device)
        numbers = self.encoder.window.bar * self.panel.lookback * self.encoder.n_assets
        self._at_once, self._held = max(1, STEPPED // numbers), HELD // numbers

    def made(self, dates: Tensor) -> Tensor:
        found = []
        for first in range(0, len(dates), self._at_once):
            some = dates[first : first + self._at_once]
            if first + len(some) <= self._held:
                found.append(self._few(some))
            else:
                found.append(checkpoint(self._few, some, use_reentrant=False, preserve_rng_state=False))
        return torch.cat(found)

    def _few(self, dates: Tensor) -> Tensor:
        found: Tensor = self.encoder.window(self.panel.windows(dates))
        return found
