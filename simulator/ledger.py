"""What one book did between two bars: the only account that metrics, trades and reports are made from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.extra_state import Extra
from simulator.market import Market
from simulator.state import LIVE, RUINED, OrderLog, Path, State, Totals

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Orders:
    """K orders as they were decided; arrays (K,). Shares signed, money positive, `filled` -1 = not filled."""

    decided: NDArray[np.int64]
    filled: NDArray[np.int64]
    asset: NDArray[np.int64]
    reason: NDArray[np.int64]  # index into REASONS
    qty_target: Array
    qty_filled: Array
    price_ref: Array
    price_fill: Array
    fee: Array
    spread: Array
    impact: Array

    def __len__(self) -> int:
        return len(self.decided)

    @property
    def slippage(self) -> Array:
        return self.spread + self.impact


@dataclass(frozen=True)
class Events:
    """The start, and the M-1 bars in which a book's shares changed, it traded or was paid a dividend.

    `row` (M,) counts from t0, increasing from 0. fees, spread, impact (>= 0) and dividends are cumulative; `shares`
    (M, A) stand after the fills of the bar, in shares of that bar.
    """

    row: NDArray[np.int64]
    traded: Array
    fees: Array
    spread: Array
    impact: Array
    dividends: Array
    shares: Array


@dataclass(frozen=True)
class Ledger:
    """One book from its first decision bar t0 to its last mark t1; arrays over t0..t1 are (N+1,), row 0 all cash.

    borrow and interest are cumulative, earned (+) or paid (-); `dividends_by_asset` (A,) is the end of dividends.
    `split` (N+1, A) are the new shares for an old one in each bar, None where there was no split. `bound` counts
    decisions that the mandate's caps changed.
    """

    t0: int
    t1: int
    equity: Array
    cash: Array
    gross_value: Array
    net_value: Array
    borrow: Array
    interest: Array
    events: Events
    marks: Array  # (N+1, A), NaN before the first close
    orders: Orders
    bound: int
    ended: str  # "" | "ruin" | "stop"
    dividends_by_asset: Array
    split: Array | None = None

    @property
    def n_bars(self) -> int:
        return self.t1 - self.t0

    @cached_property
    def traded(self) -> Array:
        """(N+1,) money traded in the bar, buys plus sells."""
        traded = np.zeros(len(self.equity))
        traded[self.events.row] = self.events.traded
        return traded

    @cached_property
    def fees(self) -> Array:
        """(N+1,) cumulative, >= 0; so are spread and impact."""
        return self._since(self.events.fees)

    @cached_property
    def spread(self) -> Array:
        return self._since(self.events.spread)

    @cached_property
    def impact(self) -> Array:
        return self._since(self.events.impact)

    @cached_property
    def dividends(self) -> Array:
        """(N+1,) cumulative, received (+) or, on shorts, paid (-)."""
        return self._since(self.events.dividends)

    @cached_property
    def shares(self) -> Array:
        """(N+1, A) after the fills of each bar, in shares of that bar."""
        return self._since(self.events.shares)

    def _since(self, values: Array) -> Array:
        """What holds in every bar of what holds from each event on."""
        rows = self.events.row
        return values if len(rows) == len(self.equity) else np.repeat(values, np.diff(rows, append=len(self.equity)), 0)

    @property
    def drawdown(self) -> Array:
        """(N+1,) E_t / max(E_0..E_t) - 1, <= 0, not floored at -1."""
        return self.equity / np.maximum.accumulate(self.equity) - 1.0

    @property
    def values(self) -> Array:
        """(N+1, A) q m, money; 0 without a position."""
        return np.where(self.shares != 0, self.shares * self.marks, 0.0)

    @property
    def weights(self) -> Array:
        """(N+1, A) q m / E at the close, after fills; 0 where equity is gone."""
        equity = self.equity[:, None]
        return np.divide(self.values, equity, out=np.zeros_like(self.shares), where=equity > 0)

    @property
    def gross(self) -> Array:
        """(N+1,) sum of |q| m / E."""
        return np.divide(self.gross_value, self.equity, out=np.zeros_like(self.equity), where=self.equity > 0)

    @property
    def net(self) -> Array:
        """(N+1,) sum of q m / E."""
        return np.divide(self.net_value, self.equity, out=np.zeros_like(self.equity), where=self.equity > 0)

    @property
    def financing(self) -> Array:
        """(N+1,) interest and borrow so far, earned (+) or paid (-)."""
        return self.interest + self.borrow

    @property
    def costs(self) -> Array:
        """(N+1,) fees and slippage so far."""
        return self.fees + self.spread + self.impact


DUST = 1e-12
"""Of the start equity: less interest than that over a whole range is that of a cash balance of 0 but for rounding."""


def _without_dust(interest: Array, start: float) -> Array:
    return interest if np.abs(interest).max() > DUST * abs(start) else np.zeros(len(interest))


def make_ledger(
    market: Market, t0: int, t1: int, state: State, totals: Totals, path: Path, log: OrderLog, extra: Extra | None
) -> Ledger:
    """The ledger of book 0, on the arrays of its log and path: none but dust is copied, so they must not be written
    again.
    """
    count, changed = int(log.orders[0]), int(path.events[0])
    orders = Orders(**{name: column[:count] for name, column in log._asdict().items() if name != "orders"})
    columns = (path.traded, path.fees, path.spread, path.impact, path.dividends, path.shares)
    events = Events(path.at[:changed], *(column[:changed] for column in columns))
    status = int(state.status[0])
    split = market.bars.split
    split = None if split is None or (split[t0 + 1 : t1 + 1] == 1.0).all() else split[t0 : t1 + 1]
    return Ledger(
        t0, t1, *path[:5], _without_dust(path.interest, float(path.equity[0])), events,
        marks=market.mark[t0 : t1 + 1], orders=orders, bound=int(totals.bound[0]),
        ended="" if status == LIVE else ("ruin" if status == RUINED else "stop"),
        dividends_by_asset=np.zeros(market.n_assets) if extra is None else extra.state.received[0], split=split,
    )  # fmt: skip
