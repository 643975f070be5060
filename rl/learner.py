"""PPO on indices: SB3's algorithm, losses and parameters, without SB3's observations.

A rollout holds the row of each window and the book's own numbers. What the network makes of windows is made once a
date (`rl.indexed_net`): for all dates before a rollout, whose weights stand still, and for those of each minibatch.
Minibatches are shuffled over the whole rollout, as SB3's are. The file that `save` writes is that of a stock PPO.
"""

from typing import Any, NamedTuple

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor

from rl.action_law import ActionLaw
from rl.dropout import Dropout
from rl.episodes import Sight
from rl.gradients import Gradients
from rl.indexed_net import IndexedNet
from rl.loss import Batch, LossParts, clipped_loss
from rl.rollout import Rollout
from rl.vec_env import Bar, PortfolioVecEnv


class Update(NamedTuple):
    """What an update was like, means over its minibatches: `kl` by Schulman's estimator, `entropy` of a whole action,
    `explained_variance` of the returns by the critic as it was before.
    """

    kl: float
    entropy: float
    explained_variance: float


class IndexedPPO(PPO):
    """Stock PPO, but for how it collects and how it reads what it collected. Set `net` and `dropout` before it learns.

    `update`: of the last update, None before the first. Raises rl.gradients.GradientNotFinite out of `learn`.
    """

    net: IndexedNet
    dropout: Dropout
    rollout_buffer: Rollout
    gradients: Gradients
    update: Update | None = None

    def _setup_model(self) -> None:
        super()._setup_model()
        self.gradients = Gradients(self.policy)

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "net", "dropout", "gradients", "update"]

    def collect_rollouts(self, env: VecEnv, callback: BaseCallback, rollout_buffer: Any, n_rollout_steps: int) -> bool:
        """Fill the rollout with `n_rollout_steps` bars of every book. False where a callback ends the training."""
        assert isinstance(env, PortfolioVecEnv)
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()  # a checkpoint is taken here: one that goes on draws again what is drawn below
        self.dropout.draw(env.num_envs, self.device)
        with torch.no_grad():
            seen, kept = self.net.every_date(), self.dropout.of(torch.arange(env.num_envs, device=self.device))
            law, sight = ActionLaw.of(self.policy), env.sight()
            for _ in range(n_rollout_steps):
                bar = self._one_bar(env, rollout_buffer, sight, seen, kept, law)
                sight = bar.sight
                self.num_timesteps += env.num_envs
                self.ep_info_buffer.extend(bar.episodes)
                callback.update_locals(locals())
                if not callback.on_step():
                    return False
            self._close(rollout_buffer, sight, seen)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _one_bar(self, env: PortfolioVecEnv, rollout: Rollout, sight: Sight, seen: Tensor, kept: Tensor | None,
                 law: ActionLaw) -> Bar:  # fmt: skip
        rows, portfolio = rollout.look(sight)
        found = self.net.heads(seen.index_select(0, self.net.places(rows)), portfolio, kept)
        actions, log_prob = law.draw(found.action)
        bar = env.advance(law.executed(actions))
        rollout.add(actions, log_prob, found.value, bar)
        return bar

    def _close(self, rollout: Rollout, sight: Sight, seen: Tensor) -> None:
        """Values of what is seen now, and of where an episode was cut short by the end of its bars."""
        rows, portfolio, books = rollout.open_ends(sight)
        seen = seen.index_select(0, self.net.places(rows))
        values = self.net.heads(seen, portfolio, self.dropout.of(books)).value
        rollout.close(values, self.gamma, self.gae_lambda)

    def train(self) -> None:
        """`n_epochs` passes over the rollout in shuffled minibatches."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        clip = self.clip_range(self._current_progress_remaining)
        parts: list[LossParts] = []
        self.gradients.reset()
        stopped = False
        for _ in range(self.n_epochs):
            for batch in self.rollout_buffer.shuffled(self.batch_size):
                found = self._loss(batch, clip)
                parts.append(found)
                if self.target_kl is not None and float(found.kl) > 1.5 * self.target_kl:
                    stopped = True
                    break
                self._descend(found.loss)
            self._n_updates += 1
            if stopped:
                break
        self._record(parts, clip)

    def _loss(self, batch: Batch, clip: float) -> LossParts:
        found = self.net.outputs(batch.rows, batch.portfolio, self.dropout.of(batch.books))
        return clipped_loss(
            batch, found, ActionLaw.of(self.policy), clip, ent_coef=self.ent_coef, vf_coef=self.vf_coef,
            normalise=self.normalize_advantage,
        )  # fmt: skip

    def _descend(self, loss: Tensor) -> None:
        self.policy.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.gradients.clip(self.max_grad_norm)
        self.policy.optimizer.step()

    def _record(self, parts: list[LossParts], clip: float) -> None:
        """SB3's names, and the norms of the gradients before they were clipped."""
        means = {name: torch.stack([getattr(part, name).detach() for part in parts]).mean().item()
                 for name in ("policy", "value", "entropy", "kl", "clipped")}  # fmt: skip
        for name, key in (("entropy_loss", "entropy"), ("policy_gradient_loss", "policy"), ("value_loss", "value"),
                          ("approx_kl", "kl"), ("clip_fraction", "clipped")):  # fmt: skip
            self.logger.record(f"train/{name}", means[key])
        self.logger.record("train/loss", parts[-1].loss.item())
        explained = self.rollout_buffer.explained_variance()
        self.logger.record("train/explained_variance", explained)
        if hasattr(self.policy, "log_std"):
            self.logger.record("train/std", torch.exp(self.policy.log_std).mean().item())
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/clip_range", clip)
        self._record_gradients()
        self.update = Update(means["kl"], -means["entropy"], explained)

    def _record_gradients(self) -> None:
        if not self.gradients.taken:
            return  # `target_kl` was passed before the first step
        whole = self.gradients.whole()
        self.logger.record("grads/norm", whole.mean().item())
        self.logger.record("grads/norm_max", whole.max().item())
        norms = self.gradients.by_layer().tolist()
        for place, (name, norm) in enumerate(zip(self.gradients.layers, norms, strict=True)):
            # by its number first, for a logger sorts by name, and the order is that of the network
            self.logger.record(f"grads/by_layer/{place:02d}_{name}", norm, exclude="csv")
