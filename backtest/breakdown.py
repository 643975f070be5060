"""One account in parts: by month and year, by drawdown, by kind of cost, by long and short, by symbol."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtest.metrics import cost_figures
from backtest.seed_books import medians_of
from backtest.series import Floats
from backtest.trades import Trades
from simulator.ledger import Ledger
from simulator.market import Market

DEEPEST = 20
"""Drawdowns in the table."""
SIDES = ("long", "short", "cash")
CASH_ROW = "cash"
COSTS = ("fees", "spread", "impact", "borrow", "interest")

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Periods:
    """Calendar months and years of a range; `name` 2019-01 or 2019, the first and last one may be cut by the range."""

    name: tuple[str, ...]
    kind: tuple[str, ...]
    change: Floats
    bars: Ints


def periods_of(ledger: Ledger, market: Market) -> Periods:
    """Return of each month, then of each year: last equity over that before its first bar, less 1.

    A bar belongs to the month of its session. NaN once equity is gone.
    """
    day = market.bars.session[ledger.t0 + 1 : ledger.t1 + 1]
    parts = [_by(ledger, day.astype(f"datetime64[{unit}]")) for unit in ("M", "Y")]
    names, changes, bars = zip(*parts, strict=True)
    kinds = ["month"] * len(names[0]) + ["year"] * len(names[1])
    return Periods((*names[0], *names[1]), tuple(kinds), np.concatenate(changes), np.concatenate(bars))


def _by(ledger: Ledger, unit: NDArray[np.datetime64]) -> tuple[list[str], Floats, Ints]:
    last = np.append(np.flatnonzero(unit[1:] != unit[:-1]), len(unit) - 1) + 1  # rows of equity
    first = np.concatenate(([0], last[:-1]))
    before, after = ledger.equity[first], ledger.equity[last]
    change = np.divide(after, before, out=np.full(len(last), np.nan), where=before > 0) - 1.0
    return [str(one) for one in unit[last - 1]], change, last - first


@dataclass(frozen=True)
class Drawdowns:
    """K falls below a former peak, the deepest first; bars on the master index, `recovery` -1 while it lasts.

    `start` is the peak's bar, `bars` from there to the recovery or to the last mark.
    """

    depth: Floats
    start: Ints
    trough: Ints
    recovery: Ints
    bars: Ints


def drawdowns_of(ledger: Ledger) -> Drawdowns:
    """The deepest twenty; the start of the book counts as a peak, a later equal peak ends a fall."""
    fall = ledger.drawdown
    under = np.concatenate(([False], fall < 0.0, [False]))
    edges = np.flatnonzero(under[1:] != under[:-1])
    begin, end = edges[::2], edges[1::2]  # rows begin..end-1 lie below the peak
    trough = np.array([b + int(fall[b:e].argmin()) for b, e in zip(begin, end, strict=True)], np.int64)
    depth = fall[trough] if len(trough) else np.empty(0)
    order = np.lexsort((begin, depth))[:DEEPEST]
    begin, end, trough, depth = begin[order], end[order], trough[order], depth[order]
    lasts = end == len(fall)
    recovery = np.where(lasts, -1, end + ledger.t0)
    bars = np.where(lasts, len(fall) - 1, end) - (begin - 1)
    return Drawdowns(depth, begin - 1 + ledger.t0, trough + ledger.t0, recovery, bars)


def costs_of(ledger: Ledger, periods: float) -> tuple[Floats, Floats]:
    """(money (5,), bps a year over mean equity (5,)) in the order of COSTS; earned counts negative.

    Of several seeds the money is that of all books, the bps are the seeds' medians, as the metrics of the same name.
    """
    paid = np.array([ledger.fees[-1], ledger.spread[-1], ledger.impact[-1], -ledger.borrow[-1], -ledger.interest[-1]])
    found = medians_of(ledger, lambda book: cost_figures(book, periods))
    return paid + 0.0, np.array([found[f"cost_{key}_bps"] for key in COSTS])


@dataclass(frozen=True)
class Sides:
    """Profit in money over closed trades and open lots, arrays (3,) in the order of SIDES; sums to E_N - E_0.

    `trades` counts closed ones and open lots.
    """

    trades: Ints
    gross: Floats
    fees: Floats
    slippage: Floats
    dividends: Floats
    financing: Floats

    @property
    def net(self) -> Floats:
        return self.gross - self.fees - self.slippage + self.dividends + self.financing


def sides_of(ledger: Ledger, trades: Trades, market: Market) -> Sides:
    """Borrow is the shorts' financing, and what they paid in place of dividends is theirs; interest and rebates stand
    under cash.
    """
    side = (trades.side < 0).astype(np.int64)

    def by_side(values: Floats) -> Floats:
        return np.bincount(side, values, minlength=len(SIDES)).astype(np.float64)

    paid = _paid_by_shorts(ledger, market)
    financing = np.array([0.0, ledger.borrow[-1], ledger.interest[-1]])
    return Sides(
        np.bincount(side, minlength=len(SIDES)), by_side(trades.pnl_gross), by_side(trades.fees),
        by_side(trades.slippage), np.array([ledger.dividends[-1] - paid, paid, 0.0]), financing,
    )  # fmt: skip


def _paid_by_shorts(ledger: Ledger, market: Market) -> float:
    """Money, <= 0: each dividend times the shares that were short at the close before, in shares of its bar."""
    dividend = market.bars.dividend
    if dividend is None:
        return 0.0
    short = np.minimum(ledger.shares[:-1], 0.0)
    short = short if ledger.split is None else short * ledger.split[1:]
    return float((short * dividend[ledger.t0 + 1 : ledger.t1 + 1]).sum())


@dataclass(frozen=True)
class Symbols:
    """Profit in money by symbol over closed trades, open lots and dividends, arrays (A+1,) in the order of `names`,
    the last of which is `cash` and holds interest; `net` sums to E_N - E_0.

    `weight` (A+1,) is the mean of q m / E over the closes after the first decision, 0 for `cash`.
    """

    names: tuple[str, ...]
    gross: Floats
    fees: Floats
    slippage: Floats
    dividends: Floats
    financing: Floats
    weight: Floats

    @property
    def net(self) -> Floats:
        return self.gross - self.fees - self.slippage + self.dividends + self.financing


def symbols_of(ledger: Ledger, trades: Trades, market: Market, borrow_fee: float) -> Symbols:
    """`borrow_fee` as a fraction a year: a symbol's financing is what its short position paid for the loan."""
    size = market.n_assets

    def by_symbol(values: Floats) -> Floats:
        return np.append(np.bincount(trades.asset, values, minlength=size), 0.0)

    return Symbols(
        (*market.symbols, CASH_ROW), by_symbol(trades.pnl_gross), by_symbol(trades.fees), by_symbol(trades.slippage),
        np.append(ledger.dividends_by_asset, 0.0),
        np.append(borrow_by_symbol(ledger, market, borrow_fee), ledger.interest[-1]),
        np.append(ledger.weights[1:].mean(axis=0), 0.0),
    )  # fmt: skip


def borrow_by_symbol(ledger: Ledger, market: Market, borrow_fee: float) -> Floats:
    """(A,) money, <= 0: what short positions paid for the loan, on the value at each close but the last."""
    if borrow_fee == 0:
        return np.zeros(market.n_assets)
    short = np.maximum(-ledger.values[:-1], 0.0)
    paid: Floats = market.arrays.year_fraction[ledger.t0 : ledger.t1] @ short
    return -borrow_fee * paid
