"""Episodes of N books: where they start, how long they last, what a step shows and pays. No reset by itself.

Both environments are made of this, so that N books at once equal N books one by one.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rl.observation import book_view, portfolio_rows
from rl.rewards import BarOutcome, Rewards
from rl.task import Task
from simulator.books import Books


class Sight(NamedTuple):
    """What N books see: the window that ends at each of `bars` (N,), and `portfolio` (N, P)."""

    bars: NDArray[np.int64]
    portfolio: NDArray[np.float32]


@dataclass(frozen=True)
class StepResult:
    """What one bar brought N books. `terms` sum to `reward`; `truncated`: the bars ended, the book did not."""

    reward: NDArray[np.float64]
    terms: dict[str, NDArray[np.float64]]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class Starts:
    """First bars (from `draw`) and lengths of episodes; the first ones are cut (from `cut`), so that resets spread."""

    def __init__(self, task: Task, draw: np.random.Generator, cut: np.random.Generator) -> None:
        train, episode = task.train, task.config.episode
        self.length = min(episode.max_steps, train.n_bars)
        self._first = train.t0
        self._choices = train.n_bars - self.length + 1 if episode.randomize_start else 1
        self._draw, self._cut = draw, cut

    def bars(self, n: int) -> NDArray[np.int64]:
        """First decision bars of `n` episodes, uniform over those with a whole episode of training bars after them."""
        return self._first + self._draw.integers(0, self._choices, n)

    def first_lengths(self, n: int) -> NDArray[np.int64]:
        """Bars of the first episodes of `n` books, uniform over 1..length."""
        return self._cut.integers(1, self.length + 1, n)


class LiveBooks(Books):
    """Books whose state can be taken and put back."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The live arrays that the next step depends on, by group and field of simulator.state and extra_state."""
        groups: dict[str, Any] = {"book": self._state, "total": self._totals}
        if self._extra is not None:
            groups["extra"] = self._extra.state
        return {f"{group}.{name}": value for group, held in groups.items() for name, value in held._asdict().items()}


class Episodes:
    """N books in a task. Call `begin` for the books that start anew, `step` for all."""

    def __init__(self, task: Task, n: int) -> None:
        self._task, self.n = task, n
        self.books = LiveBooks(task.market, task.config, n, layers="policy")
        self._rewards = Rewards(
            task.reward, n, start_cash=task.config.episode.start_cash, periods_per_year=task.market.periods_per_year
        )
        self._ends = np.zeros(n, dtype=np.int64)

    def begin(self, rows: NDArray[np.int64], bars: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        """Books `rows` (k,) stand at the close of `bars` (k,), all in cash, for `lengths` (k,) bars."""
        self.books.reset(rows, bars)
        self._rewards.reset(rows)
        self._ends[rows] = bars + lengths

    def step(self, actions: NDArray[np.float64]) -> StepResult:
        """All books from t to t+1. Raises simulator.books.ActionError for an action that is not finite."""
        self.books.step(actions)
        reward, terms = self._rewards.step(self._outcome())
        terminated = self.books.terminated
        return StepResult(reward, terms, terminated, (self.books.t >= self._ends) & ~terminated)

    def sight(self) -> Sight:
        """What every book sees at its present close; later steps do not change it."""
        books, task = self.books, self._task
        bars = books.t.copy()
        view = book_view(books, task.market.has_bar[bars], self._rewards.sharpe.state)
        return Sight(bars, portfolio_rows(task.layout.portfolio, view))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The live arrays that the next step depends on."""
        return self.books.arrays() | self._rewards.sharpe.arrays() | {"episode.end": self._ends}

    def _outcome(self) -> BarOutcome:
        books = self.books
        return BarOutcome(
            equity=books.equity, prev_equity=books.prev_equity, drawdown=books.drawdown,
            prev_drawdown=books.prev_drawdown, gross=books.gross, traded=books.traded,
            benchmark=self._task.benchmark[books.t],
        )  # fmt: skip
