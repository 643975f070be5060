"""`Portfolio-v0`: one book of the simulator as a gymnasium environment. Import this module to register it."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from rl.episodes import Episodes, Starts
from rl.task import Task

ENV_ID = "Portfolio-v0"


class PortfolioEnv(gymnasium.Env):
    """One book of A assets; the same compiled step that trains N books, judges a policy and keeps a paper account.

    ## Observation (Dict, float32), at the close of bar t

    | key         | shape     | index              | meaning                                                | range   |
    |-------------|-----------|--------------------|--------------------------------------------------------|---------|
    | `window`    | (L, A, F) | row i              | normalised features of bar t−L+1+i                     | ±10     |
    | `portfolio` | (P,)      | 0                  | cash / equity                                          | ±10     |
    |             |           | 1                  | gross exposure, Σ|q|m / equity                         | 0..10   |
    |             |           | 2                  | drawdown, equity / peak − 1                            | −10..0  |
    |             |           | 3..3+A−1           | weight of each asset, q·m / equity                     | ±10     |
    |             |           | next A, optional   | previous target weights (with `episode.max_step_change`) | ±10   |
    |             |           | next A, optional   | 1 where the asset has a bar at t (ragged data)         | 0, 1    |
    |             |           | next 2, optional   | A and B of the differential Sharpe ratio (that reward) | ±10     |

    ## Action

    | mapping          | space                               | meaning                                             |
    |------------------|-------------------------------------|-----------------------------------------------------|
    | `simplex_cash`   | Box(−1, 1, (A+1,))                  | first how much is invested (σ), then scores         |
    | `tanh_leverage`  | Box(−1, 1, (A,))                    | u = tanh(3a), weights max_gross·u / max(1, Σ|u|)    |
    | `discrete`       | MultiDiscrete([3]·A), long-only [2] | −1, 0, +1 (long-only 0, 1), times invest_max / A    |

    ## Timing
    The action is decided on bars ≤ t and filled in bar t+1; reward and next observation belong to the close of t+1.

    ## Reward
    `reward.scale` × Σ terms (rl.rewards), float; `info["reward_terms"]` holds the terms.

    ## Start, termination, truncation
    All cash at a uniform bar of the training range with `episode.max_steps` training bars after it, or at the
    first bar of a shorter range.
    Terminated by ruin or stop; truncated after `episode.max_steps` bars.
    `reset(options={"start": t0, "length": n})` chooses the bar and the number of bars.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, task: Task) -> None:
        self.task = task
        self.observation_space = task.layout.space()
        self.action_space = task.layout.action_space()
        self._episodes = Episodes(task, 1)
        self._age = -1

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None
              ) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:  # fmt: skip
        """All cash at the first bar. Raises ValueError where `options` leave the training range."""
        super().reset(seed=seed)
        starts, chosen = Starts(self.task, self.np_random, self.np_random), options or {}
        bar = int(chosen["start"]) if "start" in chosen else int(starts.bars(1)[0])
        length = int(chosen.get("length", starts.length))
        train = self.task.train
        if bar < train.t0 or length < 1 or bar + length > train.t1:
            raise ValueError(
                f"start {bar} and length {length} must lie within the training bars {train.t0} to {train.t1}"
            )
        self._episodes.begin(np.zeros(1, np.int64), np.array([bar]), np.array([length]))
        self._age = 0
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[dict[str, NDArray[np.float32]], float, bool, bool, dict[str, Any]]:
        """One bar. Raises RuntimeError before the first reset."""
        if self._age < 0:
            raise RuntimeError("call reset before step")
        result = self._episodes.step(np.asarray(action, dtype=np.float64).reshape(1, -1))
        self._age += 1
        info = self._info() | {"reward_terms": {name: float(term[0]) for name, term in result.terms.items()}}
        return self._observation(), float(result.reward[0]), bool(result.terminated[0]), bool(result.truncated[0]), info

    def _observation(self) -> dict[str, NDArray[np.float32]]:
        sight = self._episodes.sight()
        window = np.ascontiguousarray(self.task.windows.gather(sight.bars)[0])
        return {"window": window, "portfolio": sight.portfolio[0]}

    def _info(self) -> dict[str, Any]:
        books = self._episodes.books
        return {"bar": int(books.t[0]), "equity": float(books.equity[0]), "age": self._age}


gymnasium.register(ENV_ID, entry_point="rl.env:PortfolioEnv")
