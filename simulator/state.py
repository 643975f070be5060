"""State of N books at once and the log of one, as plain arrays that the compiled step reads and writes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LIVE, RUINED, STOPPED = 0, 1, 2

# Why an order filled as it did; `reason` of orders.csv.
FILLED, CUT_BY_CAP, CUT_BY_FUNDING, UNTRADABLE, NO_VOLUME, SHORT_REFUSED, BY_STOP, BY_RUIN, LIQUIDATED = range(9)
BY_MARGIN, BY_DRAWDOWN, BY_DAILY_LOSS, DELISTED, UNTOUCHED, REPLACED, CANCELLED, HALTED, PENDING = range(9, 18)
REASONS = (
    "filled", "participation", "funding", "untradable", "no_volume", "no_short", "stop", "ruin", "liquidate", "margin",
    "max_drawdown", "daily_loss", "delisted", "untouched", "replaced", "cancelled", "halted", "pending",
)  # fmt: skip

STRETCH = 64
"""Most bars that are valued at once where a book only waits."""


class State(NamedTuple):
    """N books of A assets. Money in account currency, weights and drawdown as fractions of equity (drawdown <= 0)."""

    t: NDArray[np.int64]  # (N,) bar whose close is the present
    status: NDArray[np.int64]  # (N,) LIVE, RUINED, STOPPED
    last_decision: NDArray[np.int64]  # (N,) bar of the last decision, -1 for none
    cash: NDArray[np.float64]  # (N,)
    equity: NDArray[np.float64]
    start_equity: NDArray[np.float64]
    peak: NDArray[np.float64]
    gross: NDArray[np.float64]  # (N,) money: sum of |q| m
    net: NDArray[np.float64]  # (N,) money: sum of q m
    drawdown: NDArray[np.float64]
    prev_equity: NDArray[np.float64]  # before the last step
    prev_drawdown: NDArray[np.float64]
    traded: NDArray[np.float64]  # (N,) money traded in the last step, buys plus sells
    shares: NDArray[np.float64]  # (N, A)
    target: NDArray[np.float64]  # (N, A) weights after the caps of the last decision
    entry: NDArray[np.float64]  # (N, A) average entry price without fees, in shares of today; 0 without a position


class Totals(NamedTuple):
    """Running sums of each book (N,), money; financing terms are what the book earned (+) or paid (-)."""

    fees: NDArray[np.float64]
    spread: NDArray[np.float64]
    impact: NDArray[np.float64]
    borrow: NDArray[np.float64]
    interest: NDArray[np.float64]
    dividends: NDArray[np.float64]
    bound: NDArray[np.int64]  # decisions that the caps changed


class Scratch(NamedTuple):
    """Working rows of one book (A,), and of its orders in a bar (legs, A): one leg, or with the extended rules one for
    forced orders and one for each decision that still has orders, oldest first.
    """

    held: NDArray[np.float64]  # weights now
    want: NDArray[np.float64]  # target weights on their way through the layers
    value: NDArray[np.float64]  # of a share, when funding is decided
    order: NDArray[np.float64]  # (legs, A) shares to trade
    size: NDArray[np.float64]  # (legs, A) what of it can trade, >= 0
    reduce: NDArray[np.float64]  # (legs, A) x-: toward zero
    grow: NDArray[np.float64]  # (legs, A) x+: the rest
    price: NDArray[np.float64]  # (legs, A)
    filled: NDArray[np.float64]  # (legs, A) shares that trade
    gross: NDArray[np.float64]  # (STRETCH,) money, of the bars in which a book only waits
    net: NDArray[np.float64]


class OrderLog(NamedTuple):
    """Orders of one logged book (capacity,), filled up to `orders[0]`; capacity 0 switches the log off."""

    orders: NDArray[np.int64]  # (1,) how many there are
    decided: NDArray[np.int64]
    filled: NDArray[np.int64]  # -1: did not fill
    asset: NDArray[np.int64]
    reason: NDArray[np.int64]
    qty_target: NDArray[np.float64]
    qty_filled: NDArray[np.float64]
    price_ref: NDArray[np.float64]
    price_fill: NDArray[np.float64]
    fee: NDArray[np.float64]
    spread: NDArray[np.float64]
    impact: NDArray[np.float64]


class Path(NamedTuple):
    """One logged book at t0..t1. The first six are its rows (N+1,); the rest is of its events (capacity,), `events[0]`
    of them: the start, and each bar in which shares changed, something traded or a dividend was paid; `at` their row.

    Money; fees, spread, impact, borrow, interest and dividends are cumulative.
    """

    equity: NDArray[np.float64]
    cash: NDArray[np.float64]
    gross: NDArray[np.float64]
    net: NDArray[np.float64]
    borrow: NDArray[np.float64]
    interest: NDArray[np.float64]
    events: NDArray[np.int64]  # (1,)
    at: NDArray[np.int64]
    traded: NDArray[np.float64]  # in the bar
    fees: NDArray[np.float64]
    spread: NDArray[np.float64]
    impact: NDArray[np.float64]
    dividends: NDArray[np.float64]
    shares: NDArray[np.float64]  # (capacity, A) after the fills of the bar


def new_state(n: int, n_assets: int) -> State:
    counts = [np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -1, np.int64)]
    return State._make(counts + [np.zeros(n) for _ in range(10)] + [np.zeros((n, n_assets)) for _ in range(3)])


def new_totals(n: int) -> Totals:
    return Totals._make([np.zeros(n) for _ in range(6)] + [np.zeros(n, np.int64)])


def new_scratch(n_assets: int, legs: int = 1) -> Scratch:
    rows, of_orders, waits = [(n_assets,)] * 3, [(legs, n_assets)] * 6, [(STRETCH,)] * 2
    return Scratch._make([np.zeros(shape) for shape in rows + of_orders + waits])


# The columns of a log and of a path lie in one block, so that a long one comes in large pages: the first touch of small
# ones took half the time of a book of 500,000 bars. Nothing is read that was not written: a path's rows are full when a
# ledger is made of it, its events and a log are read up to their count.


def new_log(capacity: int) -> OrderLog:
    block = np.empty((11, capacity))
    return OrderLog._make([np.zeros(1, np.int64), *block[:4].view(np.int64), *block[4:]])


def new_path(length: int, events: int, n_assets: int) -> Path:
    """A path of `length` rows with room for that many events, the start among them."""
    rows, block = np.empty((6, length)), np.empty((6 + n_assets) * events)
    columns, shares = block[: 6 * events].reshape(6, events), block[6 * events :].reshape(events, n_assets)
    return Path._make([*rows, np.zeros(1, np.int64), columns[0].view(np.int64), *columns[1:], shares])
