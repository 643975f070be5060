"""The eyes of a policy: from a book at the close of t to its observation."""

import numpy as np
from numpy.typing import NDArray

from rl.observation import Windows, book_view, portfolio_rows
from rl.observation_layout import ObservationLayout
from rl.rewards import DiffSharpe
from simulator.engine import BookSession
from simulator.market import Market


class Observer:
    """Observes one book bar by bar; `last` is the latest observation, each part with a leading axis of 1."""

    def __init__(self, layout: ObservationLayout, windows: Windows, market: Market) -> None:
        self._layout, self._windows, self._market = layout, windows, market
        self._sharpe = DiffSharpe(1, market.periods_per_year)
        self._last_equity = 0.0
        self.last: dict[str, NDArray[np.float32]] = {}

    def observe(self, session: BookSession) -> dict[str, NDArray[np.float32]]:
        """The observation of the book's present close. Call it once a bar, in order."""
        self.follow(session)
        bars = np.array([session.t])
        view = book_view(session, self._market.has_bar[bars], self._sharpe.state)
        self.last = {"window": self._windows.gather(bars), "portfolio": portfolio_rows(self._layout.portfolio, view)}
        return self.last

    def follow(self, session: BookSession) -> None:
        """Keep the differential Sharpe ratio's state, which the book itself does not know. Call it once a bar, in
        order, where `observe` is not called.
        """
        if session.t == session.t0:
            self._sharpe.reset(np.zeros(1, np.int64))
        else:
            self._sharpe.step(np.array([session.equity / self._last_equity - 1.0]))
        self._last_equity = session.equity
