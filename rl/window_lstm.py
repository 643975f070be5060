"""`window_lstm`: a recurrence over the time of each asset's window, then a linear layer; the same for every asset.

Long short-term memory (Hochreiter and Schmidhuber 1997) with forget gates (Gers et al. 2000), as torch computes it. It
begins each window from a state of zeros and says at the newest bar what it has made of all of them, so that windows
that overlap share nothing but their bars.
"""

import torch
from gymnasium import spaces
from torch import Tensor, nn

from rl.networks import SharedEncoder

FORGET = 1.0
"""First bias of the forget gates, which keeps most of the memory at first (Jozefowicz et al. 2015)."""


class LstmLayer(nn.Module):
    """Inputs (B, bars, inputs), oldest first → hidden state after each bar (B, bars, hidden).

    Gates stand as torch's: input, forget, cell, output. The bias is the weight of an input that is always 1: oneDNN,
    which computes this on a CPU, adds up the gradient of a bias in single precision one by one, and its error grows
    with the batch (4e-5 for 1,024 windows of 64 bars), while products with weights are exact to rounding.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.empty(4 * hidden, inputs))
        self.state = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        self._initialise(hidden)

    def _initialise(self, hidden: int) -> None:
        """Orthogonal weights, each gate by itself; SB3, which knows no such layer, leaves them."""
        for weight in (self.input, self.state):
            for gate in torch.split(weight.data, hidden):
                nn.init.orthogonal_(gate)
        self.bias.data[hidden : 2 * hidden] = FORGET

    def forward(self, inputs: Tensor) -> Tensor:
        with_one = torch.cat((inputs, torch.ones_like(inputs[..., :1])), dim=2)
        weights = [torch.cat((self.input, self.bias[:, None]), dim=1), self.state]
        none = inputs.new_zeros(1, inputs.shape[0], self.state.shape[1])
        found: Tensor = torch.lstm(
            with_one, (none, none), weights, has_biases=False, num_layers=1, dropout=0.0, train=False,
            bidirectional=False, batch_first=True,
        )[0]  # fmt: skip
        return found


class LstmWindow(nn.Module):
    """Windows (B, n_assets, lookback, n_features) → (B, n_assets, width).

    `bar`: about how many numbers each bar leaves in memory for the gradient: inputs, four gates, cell and hidden state.
    """

    def __init__(self, n_features: int, hidden: int, layers: int, width: int) -> None:
        super().__init__()
        inputs = [n_features, *[hidden] * (layers - 1)]
        self.layers = nn.ModuleList(LstmLayer(each, hidden) for each in inputs)
        self.bar = sum(inputs) + 6 * hidden * layers
        self.linear = nn.Linear(hidden, width)

    def forward(self, windows: Tensor) -> Tensor:
        batch, assets, lookback, features = windows.shape
        seen = windows.reshape(batch * assets, lookback, features)
        for layer in self.layers:
            seen = layer(seen)
        found: Tensor = self.linear(seen[:, -1])
        return found.view(batch, assets, -1)


class LstmEncoder(SharedEncoder):
    """Observation → codes and context, by a recurrence over each asset's window."""

    def __init__(
        self,
        observation_space: spaces.Dict,
        features_dim: int,
        parts: tuple[tuple[int, bool], ...],
        hidden: int,
        layers: int,
        activation_fn: type[nn.Module],
    ) -> None:
        n_features = observation_space["window"].shape[2]
        window = LstmWindow(n_features, hidden, layers, features_dim)
        super().__init__(observation_space, features_dim, parts, activation_fn, window)
