"""N books as one SB3 VecEnv: stepped together by the simulator's compiled step, reset in the step in which they end."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl.episodes import Episodes, Starts
from rl.rollout_buffer import Observation
from rl.task import Task

Infos = list[dict[str, Any]]


class PortfolioVecEnv(VecEnv):
    """Training environment of `n_envs` books.

    | what        | rule                                                                                               |
    |-------------|----------------------------------------------------------------------------------------------------|
    | observation | rl.observation, at the close of t                                                                  |
    | action      | raw action of the mapping, decided at the close of t, filled in t+1                                |
    | reward      | rl.rewards, of the bar t→t+1                                                                       |
    | start       | all cash at a uniform bar with a whole episode of training bars after it                           |
    | truncated   | after `episode.max_steps` bars; a book's first episode is cut at a random length                   |
    | terminated  | by ruin or stop                                                                                    |
    | info        | at an end `terminal_observation`, `TimeLimit.truncated`, `episode` (r: reward, l: bars, growth:    |
    |             | ln(E/E₀)); no clock                                                                                |
    """

    def __init__(self, task: Task, n_envs: int, draw: np.random.Generator, cut: np.random.Generator) -> None:
        self.render_mode = None
        super().__init__(n_envs, task.layout.space(), task.layout.action_space())
        self._episodes, self._starts = Episodes(task, n_envs), Starts(task, draw, cut)
        self._actions = np.zeros((n_envs, self._episodes.books.width))
        self._paid = np.zeros(n_envs)
        self._age = np.zeros(n_envs, dtype=np.int64)

    def reset(self) -> Observation:
        rows = np.arange(self.num_envs)
        self._begin(rows, self._starts.first_lengths(self.num_envs))
        return self._episodes.observe()

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = np.asarray(actions, dtype=np.float64)

    def step_wait(self) -> tuple[Observation, NDArray[np.float32], NDArray[np.bool_], Infos]:
        result = self._episodes.step(self._actions)
        self._paid += result.reward
        self._age += 1
        done = result.terminated | result.truncated
        infos: Infos = [{} for _ in range(self.num_envs)]
        observation = self._episodes.observe()
        if done.any():
            rows = np.flatnonzero(done)
            for row in rows:
                infos[row] = self._last_info(int(row), observation, truncated=bool(result.truncated[row]))
            self._begin(rows, np.full(len(rows), self._starts.length))
            observation = self._episodes.observe()
        return observation, result.reward.astype(np.float32), done, infos

    def _begin(self, rows: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        self._episodes.begin(rows, self._starts.bars(len(rows)), lengths)
        self._paid[rows] = 0.0
        self._age[rows] = 0

    def _last_info(self, row: int, observation: Observation, *, truncated: bool) -> dict[str, Any]:
        books = self._episodes.books
        growth = float(np.log(max(books.equity[row], 1e-12) / books.start_equity[row]))
        return {
            "terminal_observation": {key: value[row] for key, value in observation.items()},
            "TimeLimit.truncated": truncated,
            "episode": {"r": float(self._paid[row]), "l": int(self._age[row]), "growth": growth},
        }

    def close(self) -> None:
        """Nothing is held open."""

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Ignored: the generators are handed in at construction, so that streams stay apart."""
        return [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """The same attribute for every book: there is one environment object."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None) -> None:
        raise AttributeError(f"{attr_name} cannot be set: the books of a training environment share one task")

    def env_method(
        self, method_name: str, *args: Any, indices: int | Iterable[int] | None = None, **kwargs: Any
    ) -> list[Any]:
        raise AttributeError(f"{method_name} cannot be called on one book: they are stepped together")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: int | Iterable[int] | None = None) -> list[bool]:
        """No book is wrapped; episode statistics come with `info`."""
        return [False for _ in self._get_indices(indices)]
