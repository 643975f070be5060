"""PPO's clipped loss (Schulman et al. 2017) with the terms, signs and diagnostics of SB3."""

from typing import NamedTuple

import torch
from torch import Tensor

from rl.action_law import ActionLaw
from rl.indexed_net import Outputs


class Batch(NamedTuple):
    """Samples of a rollout: the book of each and its row (B,), portfolio (B, P), actions (B, K), (B,) of the rest."""

    books: Tensor
    rows: Tensor
    portfolio: Tensor
    actions: Tensor
    log_prob: Tensor
    advantage: Tensor
    returns: Tensor


class LossParts(NamedTuple):
    """Scalars: `loss` with its gradient; `kl` is Schulman's estimator, `clipped` the share of clipped ratios."""

    loss: Tensor
    policy: Tensor
    value: Tensor
    entropy: Tensor
    kl: Tensor
    clipped: Tensor


def clipped_loss(batch: Batch, found: Outputs, law: ActionLaw, clip: float, *, ent_coef: float, vf_coef: float,
                 normalise: bool) -> LossParts:  # fmt: skip
    """−E[min(ρ·A, clip(ρ)·A)] + ent_coef · (−H) + vf_coef · E[(R − V)²]; A normalised over the batch."""
    likelihood = law.likelihood(found.action, batch.actions)
    advantage = batch.advantage
    if normalise and len(advantage) > 1:
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    log_ratio = (likelihood.log_prob - batch.log_prob).float()
    ratio = log_ratio.exp()
    policy = -torch.min(advantage * ratio, advantage * ratio.clamp(1 - clip, 1 + clip)).mean()
    value = torch.nn.functional.mse_loss(batch.returns, found.value)
    entropy = -likelihood.entropy.mean()
    with torch.no_grad():
        kl = (ratio - 1 - log_ratio).mean()
        clipped = ((ratio - 1).abs() > clip).float().mean()
    return LossParts(policy + ent_coef * entropy + vf_coef * value, policy, value, entropy, kl, clipped)
