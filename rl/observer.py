"""The eyes of a policy: from a book at the close of t to its observation."""

import numpy as np
from numpy.typing import NDArray

from rl.eyes import PARTS, Eyes, follow, look
from rl.observation import Windows
from rl.observation_layout import LIMIT, ObservationLayout
from simulator.engine import BookSession
from simulator.market import Market


class Observer:
    """Observes one book bar by bar; `eyes` hold what was seen last, and what the book itself does not know."""

    def __init__(self, layout: ObservationLayout, windows: Windows, market: Market) -> None:
        self._windows, self._parts = windows, layout.portfolio
        parts = np.array([PARTS.index(part) for part in layout.portfolio], dtype=np.int64)
        row = np.zeros((1, layout.portfolio_size), dtype=np.float32)
        self.eyes = Eyes(parts, LIMIT, 1.0 / market.periods_per_year, np.zeros(3), row)
        self._bar = -1

    def observe(self, session: BookSession) -> None:
        """See the book's present close. Call it once a bar, in order."""
        session.show(look, self.eyes)
        self._bar = session.t

    def follow(self, session: BookSession) -> None:
        """Keep the differential Sharpe ratio's state, which the book itself does not know. Call it once a bar, in
        order, where `observe` is not called.
        """
        if "sharpe_state" in self._parts:
            session.show(follow, self.eyes)

    @property
    def last(self) -> dict[str, NDArray[np.float32]]:
        """The observation of the close that was observed last, each part with a leading axis of 1."""
        return {"window": self._windows.gather(np.array([self._bar])), "portfolio": self.eyes.row.copy()}
