"""`window_cnn`: convolutions over the time of each asset's window, then a linear layer; the same for every asset.

Nothing is padded, so that an inner row does not know in which window it stands, and windows that overlap share it. Each
layer takes every second position. What does not come out even is left out at the oldest end: the newest bar is read.
"""

from gymnasium import spaces
from torch import Tensor, nn

from rl.model_config import CNN_STRIDE, conv_reach
from rl.networks import SharedEncoder
from rl.summed_conv import summed_conv1d


class ConvWindow(nn.Module):
    """Windows (B, n_assets, lookback, n_features) → (B, n_assets, width)."""

    def __init__(
        self,
        lookback: int,
        n_features: int,
        channels: tuple[int, ...],
        kernel: int,
        width: int,
        activation_fn: type[nn.Module],
    ) -> None:
        """Raises ValueError where the layers read more bars than the window has, and without any layer."""
        super().__init__()
        reach, step = conv_reach(len(channels), kernel), CNN_STRIDE ** len(channels)
        if not channels or reach > lookback:
            raise ValueError(f"{len(channels)} layers of kernel {kernel} read {reach} bars of a window of {lookback}")
        positions = (lookback - reach) // step + 1
        self.bars = reach + (positions - 1) * step
        before = (n_features, *channels[:-1])
        self.layers = nn.ModuleList(
            nn.Conv1d(inside, outside, kernel, CNN_STRIDE) for inside, outside in zip(before, channels, strict=True)
        )
        self.activation = activation_fn()
        self.linear = nn.Linear(channels[-1] * positions, width)

    def forward(self, windows: Tensor) -> Tensor:
        batch, assets = windows.shape[:2]
        seen = self._newest(windows)
        for layer in self.layers:
            seen = self.activation(layer(seen))
        found: Tensor = self.linear(seen.flatten(1))
        return found.view(batch, assets, -1)

    def for_learning(self, windows: Tensor) -> Tensor:
        """The same, with gradients that are summed more exactly."""
        batch, assets = windows.shape[:2]
        seen = self._newest(windows)
        for layer in self._convolutions():
            seen = self.activation(summed_conv1d(seen, layer.weight, layer.bias, stride=CNN_STRIDE))
        return summed_conv1d(seen, self._taps(seen), self.linear.bias).view(batch, assets, -1)

    def every(self, series: Tensor) -> Tensor:
        """The same at every place of whole series (n_assets, T, n_features): (n_assets, width, T − bars + 1).

        A layer that takes every second position, seen from all of them, is one whose taps lie twice as far apart.
        """
        seen, apart = series.transpose(1, 2), 1
        for layer in self._convolutions():
            seen = self.activation(summed_conv1d(seen, layer.weight, layer.bias, dilation=apart))
            apart *= CNN_STRIDE
        return summed_conv1d(seen, self._taps(seen), self.linear.bias, dilation=apart)

    def _convolutions(self) -> list[nn.Conv1d]:
        return [layer for layer in self.layers if isinstance(layer, nn.Conv1d)]

    def _newest(self, windows: Tensor) -> Tensor:
        """(B·n_assets, n_features, bars) of the bars that are read."""
        batch, assets, lookback, features = windows.shape
        return windows[:, :, lookback - self.bars :].reshape(batch * assets, self.bars, features).transpose(1, 2)

    def _taps(self, seen: Tensor) -> Tensor:
        """(width, channels, positions): the linear layer as a convolution over all positions of a window."""
        return self.linear.weight.view(self.linear.out_features, seen.shape[1], -1)

    def work(self) -> tuple[int, int]:
        """Multiply-adds of one window, and of one place of `every`."""
        places, window, place = self.bars, 0, 0
        for layer in self._convolutions():
            places = (places - layer.kernel_size[0]) // CNN_STRIDE + 1
            window, place = window + places * layer.weight.numel(), place + layer.weight.numel()
        last = self.linear.weight.numel()
        return window + last, place + last


class ConvEncoder(SharedEncoder):
    """Observation → codes and context, by convolutions of each asset's window."""

    def __init__(
        self,
        observation_space: spaces.Dict,
        features_dim: int,
        parts: tuple[tuple[int, bool], ...],
        channels: tuple[int, ...],
        kernel: int,
        activation_fn: type[nn.Module],
    ) -> None:
        """Raises ValueError where the layers read more bars than the window has."""
        lookback, _, n_features = observation_space["window"].shape
        window = ConvWindow(lookback, n_features, channels, kernel, features_dim, activation_fn)
        super().__init__(observation_space, features_dim, parts, activation_fn, window)
