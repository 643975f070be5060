"""A convolution whose weights' gradient keeps float32's digits over a whole panel."""

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import conv1d

from rl import summed_conv
from rl.summed_conv import summed_conv1d


@pytest.mark.parametrize(("count", "bars", "stride", "dilation"), [(3, 60, 1, 4), (3, 61, 2, 1), (40, 9, 2, 1)])
@pytest.mark.parametrize("terms", [1, 7, 50, 1280])
def test_its_gradients_are_those_of_the_library_in_float64(
    monkeypatch: pytest.MonkeyPatch, count: int, bars: int, stride: int, dilation: int, terms: int
) -> None:
    """Against those of the library in float64: pieces along time and along the series, whole and cut."""
    monkeypatch.setattr(summed_conv, "TERMS", terms)
    torch.manual_seed(0)
    given = [
        torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((count, 2, bars), (3, 2, 4), (3,))
    ]
    series, weight, bias = given
    ours = summed_conv1d(series, weight, bias, stride=stride, dilation=dilation)
    theirs = conv1d(series, weight, bias, stride=stride, dilation=dilation)
    upstream = torch.randn_like(ours)

    assert torch.equal(ours, theirs)
    for mine, right in zip(*(torch.autograd.grad(way, given, upstream) for way in (ours, theirs)), strict=True):
        torch.testing.assert_close(mine, right, rtol=1e-12, atol=1e-12)


def test_its_weights_may_have_no_bias() -> None:
    series, weight = torch.randn(2, 3, 20), torch.randn(4, 3, 5, requires_grad=True)

    torch.autograd.backward(summed_conv1d(series, weight, None).sum())

    assert weight.grad is not None and series.grad is None


def test_a_sum_over_a_panel_keeps_its_digits() -> None:
    torch.manual_seed(1)
    series, weight = torch.randn(20, 8, 8_000), torch.randn(8, 8, 4)
    upstream = torch.randn(20, 8, 7_997)

    def gradient(convolution: Callable[..., torch.Tensor], dtype: torch.dtype) -> torch.Tensor:
        leaf = weight.to(dtype).requires_grad_()
        (found,) = torch.autograd.grad(convolution(series.to(dtype), leaf, None), leaf, upstream.to(dtype))
        return found.double()

    right = gradient(conv1d, torch.float64)
    errors = [float((gradient(way, torch.float32) - right).norm() / right.norm()) for way in (summed_conv1d, conv1d)]

    assert errors[0] < 8e-7 and errors[1] > 2 * errors[0]
