"""Books of given targets in one compiled loop, one logged or many without a log; and one logged book stepped by hand,
by a strategy that looks at it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.books import action_width, check_actions
from simulator.config import SimulatorConfig
from simulator.extra_state import Extra, legs_of, new_extra, reset_extra
from simulator.ledger import Ledger, make_ledger
from simulator.market import Market
from simulator.rules import make_rules
from simulator.sight import Sight
from simulator.spans import finish_book, record, run_spans
from simulator.state import LIVE, OrderLog, Path, State, new_log, new_path, new_scratch, new_state, new_totals
from simulator.step import step_books
from simulator.waterfall import Waterfall


@dataclass(frozen=True)
class Decisions:
    """Target weights (D, A) decided at the closes of `bars` (D,), increasing; between them nothing is said."""

    bars: NDArray[np.int64]
    targets: NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """N books between the same two bars, without path and log. Money; equity (N, T+1) at each close from t0 to t1, row
    by row what `run_decisions` has; the rest (N,) is how each ended: costs >= 0, borrow, interest and dividends earned
    (+) or paid (-), `bound` counts decisions that the mandate's caps changed, `ended` the books that were ruined.
    """

    equity: NDArray[np.float64]
    cash: NDArray[np.float64]
    shares: NDArray[np.float64]  # (N, A)
    fees: NDArray[np.float64]
    spread: NDArray[np.float64]
    impact: NDArray[np.float64]
    borrow: NDArray[np.float64]
    interest: NDArray[np.float64]
    dividends: NDArray[np.float64]
    bound: NDArray[np.int64]
    ended: NDArray[np.bool_]


def _check_range(market: Market, t0: int, t1: int) -> None:
    if not 0 <= t0 < t1 < market.n_bars:
        raise ValueError(
            f"a range must lie inside the data: first decision {t0}, last mark {t1}, bars 0 to {market.n_bars - 1}"
        )


def run_decisions(market: Market, config: SimulatorConfig, decisions: Decisions, t0: int, t1: int) -> Ledger:
    """The book of a strategy whose targets do not depend on it, from all cash at the close of t0 to the mark of t1.

    Targets enter at the mandate's caps. Raises ActionError for a target that is not finite, ValueError for a bad range.
    """
    _check_range(market, t0, t1)
    bars, targets = _checked(market, decisions, t0, t1)
    first, n_assets = np.array([0, len(bars)]), market.n_assets
    rules = make_rules(config, market, policy_layers=False)
    state, totals, extra = new_state(1, n_assets), new_totals(1), new_extra(market, rules, 1)
    _start(state, extra, t0, config.episode.start_cash)
    log, path = _log(len(bars), t1 - t0, n_assets, extra), _path(len(bars), t1 - t0, n_assets, extra)
    room = (np.zeros((1, n_assets)), new_scratch(n_assets, legs_of(extra)), path.equity[None], path, log, extra)
    run_spans(t0, t1, first, bars, targets, market.arrays, rules, state, totals, *room)
    return make_ledger(market, t0, t1, state, totals, path, log, extra)


def run_many(market: Market, config: SimulatorConfig, decisions: Sequence[Decisions], t0: int, t1: int) -> Curves:
    """N books as `run_decisions` runs each, by the same compiled step, in one call and in the memory of their equity.

    Raises what `run_decisions` raises, and ValueError where there is no book.
    """
    _check_range(market, t0, t1)
    if not decisions:
        raise ValueError("there must be at least one book")
    checked = [_checked(market, said, t0, t1) for said in decisions]
    n, n_assets = len(checked), market.n_assets
    first = np.concatenate(([0], np.cumsum([len(bars) for bars, _ in checked]))).astype(np.int64)
    bars, targets = (np.concatenate(parts) for parts in zip(*checked, strict=True))
    rules = make_rules(config, market, policy_layers=False)
    state, totals, extra = new_state(n, n_assets), new_totals(n), new_extra(market, rules, n)
    _start(state, extra, t0, config.episode.start_cash)
    equity = np.empty((n, t1 - t0 + 1))
    room = (np.zeros((n, n_assets)), new_scratch(n_assets, legs_of(extra)), equity, None, new_log(0), extra)
    run_spans(t0, t1, first, bars, targets, market.arrays, rules, state, totals, *room)
    return Curves(equity, state.cash, state.shares, *totals, ended=state.status != LIVE)


def _checked(market: Market, decisions: Decisions, t0: int, t1: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    bars = np.ascontiguousarray(decisions.bars, dtype=np.int64)
    targets = np.ascontiguousarray(decisions.targets, dtype=np.float64)
    if len(bars) and (bars[0] < t0 or bars[-1] >= t1 or (bars[1:] <= bars[:-1]).any()):
        raise ValueError(f"decision bars must increase and lie in {t0}..{t1 - 1}")
    check_actions(targets, (len(bars), market.n_assets), market, bars)
    return bars, targets


def _start(state: State, extra: Extra | None, t0: int, cash: float) -> None:
    state.t[:] = t0
    for money in (state.cash, state.equity, state.start_equity, state.peak, state.prev_equity):
        money[:] = cash
    if extra is not None:
        reset_extra(extra, np.arange(len(state.t)), cash)


def _log(decisions: int, n_bars: int, n_assets: int, extra: Extra | None) -> OrderLog:
    """A log that holds every line: one an order and one for an asset at the end; under the extended rules a line for
    each leg that fills and each that ends in a bar.
    """
    lines = decisions if extra is None else 2 * legs_of(extra) * n_bars + legs_of(extra)
    return new_log((lines + 1) * n_assets)


def _path(decisions: int, n_bars: int, n_assets: int, extra: Extra | None) -> Path:
    """A path that holds every event: the start, the bar after each decision, and the one that ends the book; under the
    extended rules any bar.
    """
    return new_path(n_bars + 1, min(decisions + 2, n_bars + 1) if extra is None else n_bars + 1, n_assets)


class BookSession:
    """One logged book stepped by hand from the close of t0 to the mark of t1, by a strategy that looks at it."""

    def __init__(
        self, market: Market, config: SimulatorConfig, t0: int, t1: int, layers: str = "policy", *, trail: bool = False
    ) -> None:
        """`trail` keeps what every layer did to each decision, for `waterfall`."""
        _check_range(market, t0, t1)
        policy_layers = layers == "policy"
        self.market, self.t0, self.t1 = market, t0, t1
        self.width = action_width(config, market.n_assets, policy_layers=policy_layers)
        self._rules = make_rules(config, market, policy_layers=policy_layers)
        self._state, self._totals = new_state(1, market.n_assets), new_totals(1)
        self._extra = new_extra(market, self._rules, 1, trail_from=t0, trail_bars=t1 - t0 if trail else 0)
        self._scratch = new_scratch(market.n_assets, legs_of(self._extra))
        self._nothing = np.zeros((1, self.width))
        self._log = _log(t1 - t0, t1 - t0, market.n_assets, self._extra)
        self._path = _path(t1 - t0, t1 - t0, market.n_assets, self._extra)
        self.sight = Sight(market, self._rules, self._state, self._extra)
        _start(self._state, self._extra, t0, config.episode.start_cash)
        record(0, self._state, self._totals, self._path)

    def step(self, action: NDArray[np.float64] | None) -> None:
        """To the next bar on a raw action or target (width,), or None: nothing changes. Raises ActionError."""
        if self.done:
            raise IndexError("the book stands at its last mark")
        row = self._nothing
        if action is not None:
            row = np.ascontiguousarray(action, dtype=np.float64).reshape(1, -1)
            check_actions(row, (1, self.width), self.market, self._state.t)
        arrays = (self.market.arrays, self._rules, self._state, self._totals)
        step_books(action is not None, *arrays, row, self._scratch, self._log, self._extra)
        record(self.t - self.t0, self._state, self._totals, self._path)
        self._finish()

    def _finish(self) -> None:
        if self.done:
            arrays = (self.market.arrays, self._rules, self._state, self._totals)
            finish_book(self.t1 - self.t0, *arrays, self._path, self._log, self._extra)

    def show(self, look: Callable[..., None], *own: Any) -> None:
        """A compiled `look(t0, market, rules, state, extra, *own)` at this book, which it leaves as it is."""
        look(self.t0, self.market.arrays, self._rules, self._state, self._extra, *own)

    def fly(self, stop: int, pilot: Callable[..., None], *own: Any) -> None:
        """To the close of bar `stop`, at most t1, by a compiled `pilot(t0, stop, market, rules, state, totals, scratch,
        path, log, extra, *own)`, which decides, steps and records book 0 as `step` would.
        """
        if self.done:
            raise IndexError("the book stands at its last mark")
        rooms = (self._scratch, self._path, self._log, self._extra)
        pilot(self.t0, min(stop, self.t1), self.market.arrays, self._rules, self._state, self._totals, *rooms, *own)
        self._finish()

    @property
    def t(self) -> int:
        return int(self._state.t[0])

    @property
    def done(self) -> bool:
        return self.t >= self.t1

    @property
    def cash(self) -> float:
        return float(self._state.cash[0])

    @property
    def equity(self) -> float:
        return float(self._state.equity[0])

    @property
    def drawdown(self) -> float:
        return float(self._state.drawdown[0])

    @property
    def terminated(self) -> bool:
        """Ended by ruin or stop; the remaining bars change nothing."""
        return int(self._state.status[0]) != LIVE

    @property
    def gross(self) -> float:
        return float(self._state.gross[0] / self.equity) if self.equity > 0 else 0.0

    @property
    def weights(self) -> NDArray[np.float64]:
        """(A,) q m / E at the present close."""
        shares = self._state.shares[0]
        if self.equity <= 0:
            return np.zeros_like(shares)
        values = np.where(shares != 0, shares * self.market.mark[self.t], 0.0)
        weights: NDArray[np.float64] = values / self.equity
        return weights

    @property
    def target(self) -> NDArray[np.float64]:
        """(A,) weights after the caps of the last decision."""
        return np.array(self._state.target[0])

    @property
    def entry_price(self) -> NDArray[np.float64]:
        """(A,) average entry price without fees; 0 without a position."""
        return np.array(self._state.entry[0])

    def waterfall(self) -> Waterfall:
        """What each layer did to every decision so far. Raises ValueError where no trail was kept."""
        if self._extra is None or not len(self._extra.trail.unit):
            raise ValueError("this book kept no trail; ask for one at its start")
        return Waterfall.of(self._extra.trail)

    def ledger(self) -> Ledger:
        """The account so far; call it when done."""
        if not self.done:
            raise ValueError(f"the book stands at bar {self.t}, its last mark is {self.t1}")
        return make_ledger(self.market, self.t0, self.t1, self._state, self._totals, self._path, self._log, self._extra)
