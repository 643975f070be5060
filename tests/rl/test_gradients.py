"""Norms of gradients before they are clipped: torch's own clip, numpy by layer, and a stop at what is no number."""

import numpy as np
import pytest
import torch
from torch import nn

from rl.gradients import GradientNotFinite, Gradients


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.spread = nn.Parameter(torch.zeros(2))
        self.first, self.unused = nn.Linear(3, 4), nn.Linear(4, 4)
        self.last = nn.Linear(4, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x))).sum() * self.spread.exp().sum()


@pytest.fixture
def policy() -> Small:
    torch.manual_seed(0)
    return Small()


def backward(policy: Small, scale: float) -> None:
    policy.zero_grad()
    policy(scale * torch.ones(5, 3)).backward()


def test_layers_stand_in_the_order_of_the_network(policy: Small) -> None:
    assert Gradients(policy).layers == ["spread", "first", "unused", "last"]


@pytest.mark.parametrize("most", [0.1, 1e6])
def test_it_clips_as_torch_does(policy: Small, most: float) -> None:
    backward(policy, 2.0)
    Gradients(policy).clip(most)
    found = [None if one.grad is None else one.grad.clone() for one in policy.parameters()]
    backward(policy, 2.0)
    torch.nn.utils.clip_grad_norm_(policy.parameters(), most)
    for mine, parameter in zip(found, policy.parameters(), strict=True):
        assert (mine is None and parameter.grad is None) or torch.equal(mine, parameter.grad)


def test_norms_are_means_over_the_minibatches_and_from_before_the_clip(policy: Small) -> None:
    gradients, right, whole = Gradients(policy), [], []
    for scale in (0.5, 3.0):
        backward(policy, scale)
        flat = {name: np.concatenate([one.grad.numpy().ravel() for one in parts])
                for name, parts in {"spread": [policy.spread], "first": list(policy.first.parameters()),
                                    "last": [policy.last.weight]}.items()}  # fmt: skip
        right.append([np.linalg.norm(flat["spread"]), np.linalg.norm(flat["first"]), 0.0, np.linalg.norm(flat["last"])])
        whole.append(np.linalg.norm(np.concatenate(list(flat.values()))))
        gradients.clip(0.01)
    np.testing.assert_allclose(gradients.by_layer(), np.mean(right, axis=0), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gradients.whole(), whole, rtol=1e-6)
    assert gradients.taken == 2
    gradients.reset()
    assert gradients.taken == 0


def test_a_gradient_that_is_no_number_is_named_and_moves_nothing(policy: Small) -> None:
    backward(policy, 1.0)
    policy.last.weight.grad[0, 1] = float("nan")
    before = policy.first.weight.grad.clone()
    with pytest.raises(GradientNotFinite, match="the gradient of last is no longer finite"):
        Gradients(policy).clip(1.0)
    assert torch.equal(policy.first.weight.grad, before)


def test_of_norms_that_overflow_together_the_largest_is_named(policy: Small) -> None:
    """Squares of 1.2e19 and 1.5e19 add up to more than float32 holds; each alone does not."""
    backward(policy, 1.0)
    policy.first.weight.grad[0, 0] = 1.2e19
    policy.last.weight.grad[0, 1] = 1.5e19
    with pytest.raises(GradientNotFinite, match="the gradient of last is no longer finite"):
        Gradients(policy).clip(1.0)
