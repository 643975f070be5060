"""N books as one SB3 VecEnv: stepped together by the simulator's compiled step, reset in the step in which they end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from rl.episodes import Episodes, Sight, Starts
from rl.stock_buffer import Observation
from rl.task import Task

Infos = list[dict[str, Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bar:
    """What one bar brought N books. `reward` and `done` (N,); `terms` (N,) each, which sum to the reward.

    Of the K books `ended` (K,): what they saw `last`, whether they were `truncated`, and a summary of each episode.
    """

    sight: Sight
    reward: NDArray[np.float32]
    terms: dict[str, Floats]
    done: NDArray[np.bool_]
    ended: NDArray[np.int64]
    last: Sight
    truncated: NDArray[np.bool_]
    episodes: list[dict[str, Any]]


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
        self.chance = {"draw": draw, "cut": cut}
        self._windows = task.windows
        self._actions = np.zeros((n_envs, self._episodes.books.width))
        self._paid = np.zeros(n_envs)
        self._age = np.zeros(n_envs, dtype=np.int64)

    def reset(self) -> Observation:
        self.begin()
        return self.observed()

    def begin(self) -> Sight:
        """Start the first episode of every book; what is seen then."""
        self._begin(np.arange(self.num_envs), self._starts.first_lengths(self.num_envs))
        return self.sight()

    def sight(self) -> Sight:
        """What every book sees now, its window by bar."""
        return self._episodes.sight()

    def observed(self) -> Observation:
        """What every book sees now, with its windows."""
        return self._seen(self.sight())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The live arrays that the next step depends on, beside the generators of `chance`."""
        return self._episodes.arrays() | {"episode.paid": self._paid, "episode.age": self._age}

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = np.asarray(actions, dtype=np.float64)

    def step_wait(self) -> tuple[Observation, NDArray[np.float32], NDArray[np.bool_], Infos]:
        bar = self.advance(self._actions)
        infos: Infos = [{} for _ in range(self.num_envs)]
        last = self._seen(bar.last)
        for k, row in enumerate(bar.ended):
            infos[row] = {
                "terminal_observation": {key: value[k] for key, value in last.items()},
                "TimeLimit.truncated": bool(bar.truncated[k]),
                "episode": bar.episodes[k],
            }
        return self._seen(bar.sight), bar.reward, bar.done, infos

    def advance(self, actions: NDArray[np.float64]) -> Bar:
        """One bar of every book, without gathering a window. Books that end begin anew in the same step."""
        result = self._episodes.step(actions)
        self._paid += result.reward
        self._age += 1
        done = result.terminated | result.truncated
        rows = np.flatnonzero(done)
        last = self.sight()
        episodes = [self._summary(int(row)) for row in rows]
        if len(rows):
            self._begin(rows, np.full(len(rows), self._starts.length))
        return Bar(
            sight=self.sight() if len(rows) else last, reward=result.reward.astype(np.float32), terms=result.terms,
            done=done, ended=rows, last=Sight(last.bars[rows], last.portfolio[rows]),
            truncated=result.truncated[rows], episodes=episodes,
        )  # fmt: skip

    def _begin(self, rows: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        self._episodes.begin(rows, self._starts.bars(len(rows)), lengths)
        self._paid[rows] = 0.0
        self._age[rows] = 0

    def _summary(self, row: int) -> dict[str, Any]:
        books = self._episodes.books
        growth = float(np.log(max(books.equity[row], 1e-12) / books.start_equity[row]))
        return {"r": float(self._paid[row]), "l": int(self._age[row]), "growth": growth}

    def _seen(self, sight: Sight) -> Observation:
        return Observation(self._windows.gather(sight.bars), sight.portfolio, sight.bars)

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
