"""A linear layer over windows, once for each distinct date: H[g, r, o] = Σ W[o, l, c] · x[g, r + l, c].

The layer's value at a date does not depend on the book, so that a minibatch of shuffled samples needs it once a date
and not once a sample. Over all dates it is a correlation in time, made block by block in frequency space (overlap-save,
Stockham 1966): the spectrum of the panel is computed once, that of the weights for each step. The transforms are short
and many, so that they are matrix products here, in real numbers, which leave everything in the order in which the next
product reads it. Both ways are exact to the rounding of float32; the one with less arithmetic is taken.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rl.panel import Panel

COPY = 8.0
"""Multiply-adds in whose time a number of a window is copied."""
DISTURBED = 1.5
"""How much slower a multiply-add of the blocks is than one of a plain product: more of it waits for memory."""


class Table(NamedTuple):
    """`values` (K, O), and where in it the rows of each sample and series lie: `places` (B·G,)."""

    values: Tensor
    places: Tensor


class Projection:
    """Linear projections of the windows of one panel by weights (O, lookback, C)."""

    def __init__(self, panel: Panel, outputs: int) -> None:
        self.panel = panel
        self._groups, _, channels = panel.features.shape
        self._sweep_cost, self._length = min(
            (_cost(panel, outputs, n), n) for n in range(panel.lookback + 15 & ~15, 4 * panel.lookback + 32, 16)
        )
        self._window_cost = panel.lookback * channels * (2 * outputs + COPY) * self._groups
        self._valid = self._length - panel.lookback + 1
        self._blocks = -(-panel.n_rows // self._valid)
        self._spectrum: Spectrum | None = None

    def table(self, weight: Tensor, rows: Tensor) -> Table:
        """The layer at every date of `rows`, each once, by the cheaper way."""
        dates, place = torch.unique(rows, return_inverse=True)
        if len(dates) * self._window_cost <= self._sweep_cost:
            return self._direct(weight, dates, place)
        return Table(self.sweep(weight), self.places(rows))

    def sweep(self, weight: Tensor) -> Tensor:
        """(valid · G · blocks, O): the layer at all dates; `places` says where."""
        if self._spectrum is None:
            self._spectrum = Spectrum.of(self.panel, self._length, self._valid, self._blocks)
        swept: Tensor = _Sweep.apply(weight, self._spectrum)  # type: ignore[no-untyped-call]
        return swept

    def places(self, rows: Tensor) -> Tensor:
        """(B·G,) rows of a sweep."""
        first = rows % self._valid * (self._groups * self._blocks) + rows // self._valid
        series = torch.arange(self._groups, device=rows.device) * self._blocks
        return (first[:, None] + series).reshape(-1)

    def _direct(self, weight: Tensor, dates: Tensor, place: Tensor) -> Table:
        windows = self.panel.windows(dates).reshape(len(dates) * self._groups, -1)
        index = place[:, None] * self._groups + torch.arange(self._groups, device=place.device)
        return Table(windows @ weight.flatten(1).T, index.reshape(-1))


class Spectrum(NamedTuple):
    """Of n bars at K = n/2 + 1 frequencies, real and imaginary parts side by side as (frequency, part).

    `panel` (K, 2·columns, 2C): [Xr, −Xi] above [Xi, Xr], so that one product with [Wr; Wi] gives [Yr; Yi].
    `forward` (2K, lookback): of weights, conjugate. `inverse` (valid, 2K): to the bars of a block that are whole.
    """

    panel: Tensor
    forward: Tensor
    inverse: Tensor

    @classmethod
    def of(cls, panel: Panel, n: int, valid: int, blocks: int) -> "Spectrum":
        groups, bars, channels = panel.features.shape
        padded = torch.nn.functional.pad(panel.features, (0, 0, 0, blocks * valid + panel.lookback - 1 - bars))
        pieces = padded.unfold(1, n, valid).reshape(groups * blocks, channels, n)
        found = torch.fft.rfft(pieces.double(), dim=2).permute(2, 0, 1)  # (K, columns, C)
        upper = torch.cat((found.real, -found.imag), dim=2)
        lower = torch.cat((found.imag, found.real), dim=2)
        device, spectrum = panel.features.device, torch.cat((upper, lower), dim=1).float().contiguous()
        angles = (2 * math.pi / n) * torch.arange(n // 2 + 1, dtype=torch.float64)
        twice = torch.full((n // 2 + 1, 1), 2.0 / n, dtype=torch.float64)
        twice[0] = twice[-1] = 1.0 / n  # the first and the last frequency have no mirror
        back = angles[:, None] * torch.arange(valid)
        inverse = torch.stack((twice * torch.cos(back), -twice * torch.sin(back)), dim=1)
        out = angles[:, None] * torch.arange(panel.lookback)
        forward = torch.stack((torch.cos(out), torch.sin(out)), dim=1)
        return cls(spectrum, forward.flatten(0, 1).float().to(device), inverse.flatten(0, 1).T.float().to(device))


class _Sweep(torch.autograd.Function):
    """Linear in the weight, so that its adjoint is the same products transposed, last first."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, spectrum: Spectrum) -> Tensor:
        ctx.spectrum = spectrum
        outputs, lookback, channels = weight.shape
        spectral = spectrum.forward @ weight.permute(1, 2, 0).reshape(lookback, -1)
        product = torch.bmm(spectrum.panel, spectral.view(-1, 2 * channels, outputs))
        return (spectrum.inverse @ product.view(spectrum.inverse.shape[1], -1)).view(-1, outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        spectrum: Spectrum = ctx.spectrum
        outputs, (frequencies, columns, channels) = grads[0].shape[1], spectrum.panel.shape
        product = spectrum.inverse.T @ grads[0].reshape(spectrum.inverse.shape[0], -1)
        spectral = torch.bmm(spectrum.panel.transpose(1, 2), product.view(frequencies, columns, outputs))
        weight = spectrum.forward.T @ spectral.view(2 * frequencies, -1)
        return weight.view(-1, channels // 2, outputs).permute(2, 0, 1), None


def _cost(panel: Panel, outputs: int, n: int) -> float:
    """Multiply-adds of a sweep and its gradient by blocks of n bars."""
    groups, _, channels = panel.features.shape
    valid, frequencies = n - panel.lookback + 1, 2 * (n // 2 + 1)
    columns = groups * -(-panel.n_rows // valid)
    products = 2 * columns * channels + panel.lookback * channels + valid * columns
    return 2 * DISTURBED * frequencies * products * outputs
