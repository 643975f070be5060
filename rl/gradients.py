"""Gradients of an update before they are clipped: their norms by layer, and a stop where one is no number."""

import torch
from torch import Tensor, nn


class GradientNotFinite(ValueError):
    """A gradient holds NaN or infinity; the message names the layer. The weights are those of the step before."""


class Gradients:
    """L2 norms of the gradients of a policy's layers, in the order of the network, over the minibatches of an update.

    A layer is a module with parameters of its own (weight and bias together), or a parameter that stands alone.
    """

    def __init__(self, policy: nn.Module) -> None:
        named = dict(policy.named_parameters())
        layers = [name.rpartition(".")[0] or name for name in named]
        self.layers = list(dict.fromkeys(layers))
        self.parameters = list(named.values())
        self._layer_of = torch.tensor([self.layers.index(layer) for layer in layers])
        self.reset()

    def reset(self) -> None:
        """Forget the minibatches so far."""
        self._seen: list[Tensor] = []

    @property
    def taken(self) -> int:
        """Steps of the optimiser since the last reset."""
        return len(self._seen)

    def clip(self, most: float) -> None:
        """Scale all gradients to a global norm of at most `most`, as torch's `clip_grad_norm_` does, and keep what
        their norms were. Raises GradientNotFinite.
        """
        norms = torch.stack([torch.linalg.vector_norm(self._of(parameter)) for parameter in self.parameters])
        whole = torch.linalg.vector_norm(norms)
        if not torch.isfinite(whole):
            raise GradientNotFinite(f"the gradient of {self._first_bad(norms)} is no longer finite")
        torch.nn.utils.clip_grads_with_norm_(self.parameters, most, whole)
        self._seen.append(norms)

    def by_layer(self) -> Tensor:
        """(layers,) the mean over the minibatches of each layer's norm."""
        squares = torch.stack(self._seen).square().cpu()
        sums = squares.new_zeros(len(squares), len(self.layers)).index_add_(1, self._layer_of, squares)
        return sums.sqrt().mean(dim=0)

    def whole(self) -> Tensor:
        """(minibatches,) the global norms."""
        norms: Tensor = torch.linalg.vector_norm(torch.stack(self._seen), dim=1)
        return norms

    @staticmethod
    def _of(parameter: Tensor) -> Tensor:
        return parameter.new_zeros(1) if parameter.grad is None else parameter.grad

    def _first_bad(self, norms: Tensor) -> str:
        """The layer of the first norm that is no number; of the largest, where only all of them together overflow."""
        bad = torch.isfinite(norms).logical_not().nonzero()
        return self.layers[int(self._layer_of[int(bad[0]) if len(bad) else int(norms.argmax())])]
