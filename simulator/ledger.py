"""What one book did between two bars: the only account that metrics, trades and reports are made from."""

from dataclasses import dataclass

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
class Ledger:
    """One book from its first decision bar t0 to its last mark t1; arrays over t0..t1 are (N+1,), row 0 all cash.

    fees, spread, impact are cumulative costs (>= 0); borrow and interest are cumulative, earned (+) or paid (-).
    dividends is cumulative, received (+) or, on shorts, paid (-); `dividends_by_asset` (A,) is its end.
    `shares` (N+1, A) stand after the fills of each bar, in shares of that bar; `split` (N+1, A) are the new shares for
    an old one in each bar, None where there was no split. `bound` counts decisions that the mandate's caps changed.
    """

    t0: int
    t1: int
    equity: Array
    cash: Array
    gross_value: Array
    net_value: Array
    traded: Array
    fees: Array
    spread: Array
    impact: Array
    borrow: Array
    interest: Array
    dividends: Array
    shares: Array
    marks: Array  # (N+1, A), NaN before the first close
    orders: Orders
    bound: int
    ended: str  # "" | "ruin" | "stop"
    dividends_by_asset: Array
    split: Array | None = None

    @property
    def n_bars(self) -> int:
        return self.t1 - self.t0

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


def make_ledger(
    market: Market, t0: int, t1: int, state: State, totals: Totals, path: Path, log: OrderLog, extra: Extra | None
) -> Ledger:
    """The ledger of book 0, on the arrays of its log and path: nothing is copied, so they must not be written again."""
    count = int(log.orders[0])
    orders = Orders(**{name: column[:count] for name, column in log._asdict().items() if name != "orders"})
    status = int(state.status[0])
    split = market.bars.split
    split = None if split is None or (split[t0 + 1 : t1 + 1] == 1.0).all() else split[t0 : t1 + 1]
    return Ledger(
        t0, t1, *path[:11], shares=path.shares, marks=market.mark[t0 : t1 + 1], orders=orders,
        bound=int(totals.bound[0]), ended="" if status == LIVE else ("ruin" if status == RUINED else "stop"),
        dividends_by_asset=np.zeros(market.n_assets) if extra is None else extra.state.received[0], split=split,
    )  # fmt: skip
