"""N books stepped at once by the compiled step: what a policy trains in."""

import numpy as np
from numpy.typing import NDArray

from simulator.config import SimulatorConfig
from simulator.extra_state import legs_of, new_extra, reset_extra
from simulator.market import Market
from simulator.rules import make_rules
from simulator.sight import Sight
from simulator.state import LIVE, new_log, new_scratch, new_state, new_totals
from simulator.step import step_books


class ActionError(ValueError):
    """An action or target of the wrong shape, or not finite; the message names bar and asset."""


def check_actions(actions: NDArray[np.float64], shape: tuple[int, int], market: Market, t: NDArray[np.int64]) -> None:
    """Raises ActionError. `t` (N,) are the bars at which the rows of `actions` decide."""
    if actions.shape != shape:
        raise ActionError(f"the strategy gave an array of shape {actions.shape} where {shape} is right")
    if not np.isfinite(actions).all():
        row, column = np.argwhere(~np.isfinite(actions))[0]
        asset = column - (shape[1] - market.n_assets)
        name = "cash" if asset < 0 else market.symbols[asset]
        raise ActionError(
            f"the strategy gave {actions[row, column]} for {name} at {market.bars.session[t[row]]}; "
            "a finite number is right"
        )


def action_width(config: SimulatorConfig, n_assets: int, *, policy_layers: bool) -> int:
    """Columns of an action: one an asset, and one for cash under simplex_cash."""
    return n_assets + 1 if policy_layers and config.episode.mapping_mode == "simplex_cash" else n_assets


class Books:
    """N books of A assets, each at a bar of its own.

    `layers` "policy": rows of `step` are raw actions that pass every layer; "mandate": target weights that meet only
    the caps. Public arrays are the live state, (N,) or (N, A): read them, never write them.
    """

    def __init__(self, market: Market, config: SimulatorConfig, n: int, layers: str = "policy") -> None:
        policy_layers = layers == "policy"
        self.market, self.n, self.n_assets = market, n, market.n_assets
        self.width = action_width(config, market.n_assets, policy_layers=policy_layers)
        self._rules = make_rules(config, market, policy_layers=policy_layers)
        self._start_cash = config.episode.start_cash
        self._state, self._totals = new_state(n, market.n_assets), new_totals(n)
        self._extra = new_extra(market, self._rules, n)
        self._scratch, self._log = new_scratch(market.n_assets, legs_of(self._extra)), new_log(0)
        self.sight = Sight(market, self._rules, self._state, self._extra)
        self.reset(np.arange(n), np.zeros(n, np.int64))

    def reset(self, rows: NDArray[np.int64], t: NDArray[np.int64]) -> None:
        """Put the books `rows` at the close of bars `t`, all in cash."""
        state, cash = self._state, self._start_cash
        state.t[rows], state.status[rows], state.last_decision[rows] = t, LIVE, -1
        for money in (state.cash, state.equity, state.start_equity, state.peak, state.prev_equity):
            money[rows] = cash
        for zero in (state.gross, state.net, state.drawdown, state.prev_drawdown, state.traded):
            zero[rows] = 0.0
        state.shares[rows] = 0.0
        state.target[rows] = 0.0
        state.entry[rows] = 0.0
        for total in self._totals:
            total[rows] = 0
        if self._extra is not None:
            reset_extra(self._extra, rows, cash)

    def step(self, actions: NDArray[np.float64]) -> None:
        """Every book from t to t+1 on its row of `actions` (N, width). ActionError; IndexError at the last bar."""
        actions = np.ascontiguousarray(actions, dtype=np.float64)
        check_actions(actions, (self.n, self.width), self.market, self._state.t)
        if int(self._state.t.max()) >= self.market.n_bars - 1:
            raise IndexError("a book stands at the last bar; reset it before the next step")
        step_books(
            True, self.market.arrays, self._rules, self._state, self._totals, actions, self._scratch, self._log,
            self._extra,
        )  # fmt: skip

    @property
    def t(self) -> NDArray[np.int64]:
        return self._state.t

    @property
    def cash(self) -> NDArray[np.float64]:
        return self._state.cash

    @property
    def equity(self) -> NDArray[np.float64]:
        return self._state.equity

    @property
    def start_equity(self) -> NDArray[np.float64]:
        return self._state.start_equity

    @property
    def prev_equity(self) -> NDArray[np.float64]:
        return self._state.prev_equity

    @property
    def drawdown(self) -> NDArray[np.float64]:
        return self._state.drawdown

    @property
    def prev_drawdown(self) -> NDArray[np.float64]:
        return self._state.prev_drawdown

    @property
    def traded(self) -> NDArray[np.float64]:
        """(N,) money traded in the last step, buys plus sells."""
        return self._state.traded

    @property
    def target(self) -> NDArray[np.float64]:
        """(N, A) weights after the caps of the last decision."""
        return self._state.target

    @property
    def shares(self) -> NDArray[np.float64]:
        return self._state.shares

    @property
    def entry_price(self) -> NDArray[np.float64]:
        """(N, A) average entry price, without fees; 0 without a position."""
        return self._state.entry

    @property
    def gross_value(self) -> NDArray[np.float64]:
        """(N,) money: sum of |q| m."""
        return self._state.gross

    @property
    def terminated(self) -> NDArray[np.bool_]:
        """(N,) ended by ruin or stop."""
        return np.not_equal(self._state.status, LIVE)

    @property
    def gross(self) -> NDArray[np.float64]:
        """(N,) sum of |q| m / E; 0 where equity is gone."""
        return np.divide(self._state.gross, self.equity, out=np.zeros(self.n), where=self.equity > 0)

    @property
    def weights(self) -> NDArray[np.float64]:
        """(N, A) q m / E at the present close; 0 where equity is gone."""
        values = np.where(self.shares != 0, self.shares * self.market.mark[self.t], 0.0)
        equity = self.equity[:, None]
        return np.divide(values, equity, out=np.zeros_like(values), where=equity > 0)
