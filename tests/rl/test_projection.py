"""A layer over windows, swept over all dates or made at some: both are the product, and so are their gradients."""

import pytest
import torch

from rl.panel import Panel
from rl.projection import Projection

SHAPES = [(1, 300, 5, 8, 7), (3, 301, 2, 9, 4), (2, 40, 3, 40, 2), (1, 700, 6, 64, 3), (4, 65, 1, 1, 1)]


def case(shape: tuple[int, ...]) -> tuple[Projection, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Projection, weight, rows, and the layer at them by hand in float64."""
    series, bars, channels, lookback, outputs = shape
    torch.manual_seed(0)
    panel = Panel(torch.randn(series, bars, channels), lookback)
    weight = torch.randn(outputs, lookback, channels, requires_grad=True)
    rows = torch.randint(0, panel.n_rows, (50,))
    rows[:2] = torch.tensor([0, panel.n_rows - 1])
    stretches = torch.stack([panel.features[:, r : r + lookback] for r in rows]).double()  # (B, G, L, C)
    return Projection(panel, outputs), weight, rows, torch.einsum("bglc,olc->bgo", stretches, weight.double())


def gathered(projection: Projection, weight: torch.Tensor, rows: torch.Tensor, way: str) -> torch.Tensor:
    if way == "chosen":
        values, places = projection.table(weight, rows)
    elif way == "sweep":
        values, places = projection.sweep(weight), projection.places(rows)
    else:
        values, places = projection._direct(weight, *torch.unique(rows, return_inverse=True))
    return values.index_select(0, places).view(len(rows), -1, len(weight))


@pytest.mark.parametrize("way", ["sweep", "direct", "chosen"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_layer_and_its_gradient(shape: tuple[int, ...], way: str) -> None:
    projection, weight, rows, right = case(shape)
    found = gathered(projection, weight, rows, way)
    scale = float(right.detach().abs().max())
    assert float((found - right).abs().max()) <= 3e-6 * scale
    cotangent = torch.randn(right.shape)
    (mine,) = torch.autograd.grad((found * cotangent).sum(), weight)
    (theirs,) = torch.autograd.grad((right * cotangent.double()).sum(), weight)
    assert float((mine - theirs).abs().max()) <= 3e-6 * float(theirs.abs().max())


def test_few_dates_are_not_swept() -> None:
    projection, weight, _, _ = case((1, 700, 6, 64, 3))
    assert len(projection.table(weight, torch.tensor([5, 5, 9])).values) == 2
    assert len(projection.table(weight, torch.arange(637)).values) > 637


def test_a_window_is_a_stretch_of_the_panel() -> None:
    panel = Panel(torch.arange(24.0).view(2, 6, 2), 3)
    assert panel.n_rows == 4
    assert torch.equal(panel.windows(torch.tensor([1]))[0, 1], panel.features[1, 1:4])
