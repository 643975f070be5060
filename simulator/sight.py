"""What a policy may have to know of N books beside their account, so that the next bar depends on nothing else."""

import numpy as np
from numpy.typing import NDArray

from simulator.extra_state import NEVER, Extra
from simulator.market import Market
from simulator.rules import Rules
from simulator.state import State

Floats = NDArray[np.float64]


class Sight:
    """Live views of N books; each property is made anew from their present state."""

    def __init__(self, market: Market, rules: Rules, state: State, extra: Extra | None) -> None:
        self._market, self._rules, self._state, self._extra = market, rules, state, extra

    @property
    def previous_target(self) -> Floats:
        """(N, A) what the step cap counts from: the last target, or the weight held after a forced trade."""
        target = self._state.target
        if self._extra is None:
            return target
        return np.where(self._extra.state.forced_anew[:, None], self._weights(self._state.shares), target)

    @property
    def held_bars(self) -> Floats:
        """(N, A) bars since the position was opened over `min_hold_bars`; 0 without a position."""
        if self._extra is None or not self._rules.min_hold:
            return np.zeros_like(self._state.shares)
        age = self._state.t[:, None] - self._extra.state.opened
        return np.where(self._state.shares != 0, age / self._rules.min_hold, 0.0)

    @property
    def under_way(self) -> Floats:
        """(N, A) weight of all orders that may still fill, forced ones too."""
        if self._extra is None:
            return np.zeros_like(self._state.shares)
        state = self._extra.state
        live = np.where((state.decided != NEVER)[:, :, None], state.left, 0.0)
        return self._weights(live.sum(axis=1) + state.forced)

    @property
    def halted(self) -> NDArray[np.bool_]:
        """(N,) for good, or for this session."""
        if self._extra is None:
            return np.zeros(len(self._state.t), np.bool_)
        state = self._extra.state
        halted: NDArray[np.bool_] = state.halted | (state.halt_session == self._extra.market.session[self._state.t])
        return halted

    def _weights(self, shares: Floats) -> Floats:
        """(N, A) shares at the present mark over equity; 0 where equity is gone."""
        values = np.where(shares != 0, shares * self._market.mark[self._state.t], 0.0)
        equity = self._state.equity[:, None]
        return np.divide(values, equity, out=np.zeros_like(values), where=equity > 0)
