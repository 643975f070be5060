"""SB3's policies on indices: the same parameters, but what depends on the date alone is made once a date.

An observation is (row of a window, `portfolio`). Each policy of the registry says which of its layers read the window
(`seen`) and what follows for each sample (`heads`); together they are the policy's own forward pass.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rl.networks import AssetSharedPolicy
from rl.observation import Windows
from rl.panel import Panel
from rl.projection import Projection, Table


class Outputs(NamedTuple):
    """Parameters of the action's distribution (B, K), means or logits, and values (B,)."""

    action: Tensor
    value: Tensor


class IndexedNet(ABC):
    """A policy of SB3 read on indices. `rows` are those of `panel`.

    `units`: how many numbers of a sample dropout may silence, those behind the first activation; `kept` (B, units) are
    factors on them, None for 1.
    """

    panel: Panel
    units: int

    @abstractmethod
    def every_date(self) -> Tensor:
        """What the layers of the window make of all dates; `places` says where a row's lies."""

    @abstractmethod
    def places(self, rows: Tensor) -> Tensor:
        """Where in `every_date` the rows (B,) lie."""

    @abstractmethod
    def table(self, rows: Tensor) -> Table:
        """The same for the dates of these rows."""

    @abstractmethod
    def heads(self, seen: Tensor, portfolio: Tensor, kept: Tensor | None = None) -> Outputs:
        """From what was made of each sample's window, gathered from a table, and `portfolio` (B, P)."""

    def outputs(self, rows: Tensor, portfolio: Tensor, kept: Tensor | None = None) -> Outputs:
        """Of samples at any rows."""
        table = self.table(rows)
        return self.heads(table.values.index_select(0, table.places), portfolio, kept)


class ProjectedNet(IndexedNet):
    """One whose first layer on the window is linear."""

    def __init__(self, panel: Panel, outputs: int) -> None:
        self.panel, self._projection = panel, Projection(panel, outputs)

    @abstractmethod
    def weight(self) -> Tensor:
        """(O, lookback, C) of that layer."""

    def every_date(self) -> Tensor:
        return self._projection.sweep(self.weight())

    def places(self, rows: Tensor) -> Tensor:
        return self._projection.places(rows)

    def table(self, rows: Tensor) -> Table:
        return self._projection.table(self.weight(), rows)


class FlatNet(ProjectedNet):
    """`mlp`: SB3's MultiInputPolicy, whose two stacks begin with a layer on (portfolio, window) in one row."""

    def __init__(self, policy: Any, windows: Windows, device: torch.device) -> None:
        extractor = policy.mlp_extractor
        stacks = (*extractor.policy_net, policy.action_net), (*extractor.value_net, policy.value_net)
        self._first = tuple(stack[0] for stack in stacks)
        self._rest = tuple(nn.Sequential(*stack[1:]) for stack in stacks)
        self._widths = [layer.out_features for layer in self._first]
        self.units = sum(self._widths)
        self._own = policy.observation_space["portfolio"].shape[0]
        super().__init__(Panel.flat(windows, device), sum(self._widths))

    def weight(self) -> Tensor:
        whole = torch.cat([layer.weight[:, self._own :] for layer in self._first])
        return whole.view(len(whole), self.panel.lookback, -1)

    def heads(self, seen: Tensor, portfolio: Tensor, kept: Tensor | None = None) -> Outputs:
        own = torch.cat([layer.weight[:, : self._own] for layer in self._first])
        first = torch.addmm(seen, portfolio, own.T) + torch.cat([layer.bias for layer in self._first])
        parts = torch.split(first, self._widths, dim=1)
        if kept is None:
            action, value = (rest(part) for rest, part in zip(self._rest, parts, strict=True))
        else:
            thinned = torch.split(kept, self._widths, dim=1)
            action, value = (
                rest[1:](rest[0](part) * some) for rest, part, some in zip(self._rest, parts, thinned, strict=True)
            )
        return Outputs(action, value.squeeze(1))


class SharedNet(IndexedNet):
    """A policy with a SharedEncoder, whose layers on the window are the same for every asset."""

    def __init__(self, policy: AssetSharedPolicy) -> None:
        self.policy, self.encoder = policy, policy.features_extractor
        self.units = self.encoder.features_dim

    def heads(self, seen: Tensor, portfolio: Tensor, kept: Tensor | None = None) -> Outputs:
        features = self.encoder.codes(seen.view(len(portfolio), self.encoder.n_assets, -1), portfolio, kept)
        action, value = self.policy.mlp_extractor(features)
        return Outputs(self.policy.action_net(action), self.policy.value_net(value).squeeze(1))


class AssetSharedNet(SharedNet, ProjectedNet):
    """`asset_shared`: the encoder's layer on one asset's window."""

    def __init__(self, policy: AssetSharedPolicy, windows: Windows, device: torch.device) -> None:
        SharedNet.__init__(self, policy)
        ProjectedNet.__init__(self, Panel.per_asset(windows, device), self.encoder.features_dim)

    def weight(self) -> Tensor:
        return window_weight(self.encoder.window, self.panel)

    def heads(self, seen: Tensor, portfolio: Tensor, kept: Tensor | None = None) -> Outputs:
        return super().heads(seen + self.encoder.window.bias, portfolio, kept)


def window_weight(layer: nn.Linear, panel: Panel) -> Tensor:
    """(O, lookback, C) of a layer on all numbers of a window."""
    return layer.weight.view(layer.out_features, panel.lookback, -1)
