"""Dropout that PPO can stand: a book acts through one thinned network for a whole rollout, and is learned from in it.

With masks drawn anew in the update, as stock SB3 has it, the ratio of new to old probability is noise before anything
is learned, and PPO clips the noise (Hausknecht and Wagener 2022). Here the masks of the rollout are those of the
update: the ratio of the first minibatch is 1, and what each book did is judged in the network that did it.
"""

import torch
from torch import Tensor


class Dropout:
    """Masks of `units` numbers for each book: 0 with probability `rate`, else 1/(1 − rate). From torch's generator."""

    def __init__(self, rate: float, units: int) -> None:
        self._rate, self._units = rate, units
        self._masks: Tensor | None = None

    def draw(self, books: int, device: torch.device) -> None:
        """New masks, for the rollout that begins. At a rate of 0 nothing is drawn, and the generator stays as it is."""
        if self._rate:
            kept = torch.rand(books, self._units, device=device) >= self._rate
            self._masks = kept.float() / (1.0 - self._rate)

    def of(self, books: Tensor) -> Tensor | None:
        """(B, units) of the books (B,) of samples; None where nothing is dropped."""
        return None if self._masks is None else self._masks[books]
