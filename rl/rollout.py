"""What PPO collected, on the learner's device: 8 bytes and the book's own numbers a sample, and no window."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.utils import explained_variance
from torch import Tensor

from rl.episodes import Sight
from rl.loss import Batch
from rl.vec_env import Bar


class Rollout:
    """S steps of N books, (S, N, …); `advantage` (S, N) by `close`. SB3 makes it as its `rollout_buffer_class`."""

    def __init__(self, buffer_size: int, observation_space: spaces.Dict, action_space: spaces.Space[Any],
                 device: torch.device | str = "cpu", gae_lambda: float = 1.0, gamma: float = 0.99, n_envs: int = 1,
                 *, lookback: int) -> None:  # fmt: skip
        shape = (buffer_size, n_envs)
        width = int(np.prod(action_space.shape))
        self._device, self._lookback = torch.device(device), lookback
        self.rows = torch.zeros(shape, dtype=torch.int64, device=device)
        self.portfolio = torch.zeros((*shape, *observation_space["portfolio"].shape), device=device)
        self.actions = torch.zeros((*shape, width), device=device)
        self.log_prob, self.values = torch.zeros(shape, device=device), torch.zeros(shape, device=device)
        self.advantage = torch.zeros(shape, device=device)
        self.reward, self.done = np.zeros(shape, np.float32), np.zeros(shape, bool)
        self.reset()

    def reset(self) -> None:
        """Forget what was collected."""
        self._step = 0
        self._terms: dict[str, float] = {}
        self._cut: list[tuple[int, np.ndarray, Sight]] = []

    def look(self, sight: Sight) -> tuple[Tensor, Tensor]:
        """Note what the books see at this step; rows (N,) and portfolio (N, P) of it on the device."""
        rows, portfolio = self._moved(sight)
        self.rows[self._step], self.portfolio[self._step] = rows, portfolio
        return rows, portfolio

    def add(self, actions: Tensor, log_prob: Tensor, values: Tensor, bar: Bar) -> None:
        """What was done about it and what came of it."""
        step = self._step
        self.actions[step], self.log_prob[step], self.values[step] = actions, log_prob, values
        self.reward[step], self.done[step] = bar.reward, bar.done
        for name, value in bar.terms.items():
            self._terms[name] = self._terms.get(name, 0.0) + float(value.sum())
        cut = bar.truncated
        if cut.any():
            self._cut.append((step, bar.ended[cut], Sight(bar.last.bars[cut], bar.last.portfolio[cut])))
        self._step += 1

    def open_ends(self, present: Sight) -> tuple[Tensor, Tensor, Tensor]:
        """Rows and portfolios whose values are still wanted, of the books now, then of each episode cut short; and
        whose they are.
        """
        sights = [present, *(sight for _, _, sight in self._cut)]
        bars = np.concatenate([sight.bars for sight in sights])
        books = np.concatenate([np.arange(self.reward.shape[1]), *(books for _, books, _ in self._cut)])
        moved = self._moved(Sight(bars, np.concatenate([sight.portfolio for sight in sights])))
        return *moved, torch.from_numpy(books).to(self._device)

    def close(self, values: Tensor, gamma: float, gae_lambda: float) -> None:
        """Advantages and returns by GAE (Schulman et al. 2016), from the values of `open_ends`.

        An episode that was cut short gets γ·V of what it saw last on its last reward.
        """
        found = values.cpu().numpy()
        after, place = found[: self.reward.shape[1]], self.reward.shape[1]
        for step, books, _ in self._cut:
            self.reward[step, books] += gamma * found[place : place + len(books)]
            place += len(books)
        value, running = self.values.cpu().numpy(), np.zeros_like(after)
        advantage = np.empty_like(value)
        for step in range(len(value) - 1, -1, -1):
            going = 1.0 - self.done[step].astype(np.float32)
            delta = self.reward[step] + gamma * after * going - value[step]
            running = delta + gamma * gae_lambda * going * running
            advantage[step], after = running, value[step]
        self.advantage = torch.from_numpy(advantage).to(self._device)

    def shuffled(self, batch_size: int) -> Iterator[Batch]:
        """Every sample once, in minibatches of a random order."""
        columns = [part.flatten(0, 1) for part in (self.rows, self.portfolio, self.actions, self.log_prob,
                                                   self.advantage, self.advantage + self.values)]  # fmt: skip
        for chosen in torch.split(torch.randperm(len(columns[0]), device=self._device), batch_size):
            yield Batch(chosen % self.reward.shape[1], *(column[chosen] for column in columns))

    def terms(self) -> dict[str, float]:
        """The mean of each term of the reward over the samples; their sum is the mean reward."""
        return {name: total / (self._step * self.reward.shape[1]) for name, total in self._terms.items()}

    def explained_variance(self) -> float:
        """1 − Var(R − V) / Var(R)."""
        values = self.values.cpu().numpy().ravel()
        return float(explained_variance(values, values + self.advantage.cpu().numpy().ravel()))

    def _moved(self, sight: Sight) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(sight.bars - (self._lookback - 1))
        return rows.to(self._device), torch.from_numpy(sight.portfolio).to(self._device)
