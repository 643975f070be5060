"""A curve as the subject of a judgement: its equity is known, and all else of its account is NaN, never 0."""

import math

import numpy as np

from backtest.config import ImportConfig
from backtest.foreign.align import Curve
from backtest.imported import SPEC
from backtest.metrics import of_curve
from backtest.runner import Judged, returns_of
from backtest.series import Floats
from backtest.trades import Trades
from simulator.ledger import Events, Ledger, Orders
from simulator.market import Market


def judged_curve(curve: Curve, config: ImportConfig, market: Market, benchmark: Floats, rf: Floats) -> Judged:
    """The subject with the figures that a curve has; `benchmark` and `rf` (N,) are returns over its bars."""
    ledger, chosen = ledger_of(curve, market), config.evaluation
    metrics = of_curve(
        ledger.equity, market.periods_per_year, benchmark, rf, trials=chosen.trials, variance=chosen.trials_variance
    )
    return Judged(SPEC, ledger, _no_trades(), metrics, returns_of(ledger))


def ledger_of(curve: Curve, market: Market) -> Ledger:
    """An account of which nothing but equity is known: no order, and NaN for money, shares and costs."""
    rows, size = len(curve.equity), market.n_assets
    unknown = np.full(rows, math.nan)
    wide = np.broadcast_to(math.nan, (rows, size))  # one number, whatever the market's size
    events = Events(np.arange(rows), unknown, unknown, unknown, unknown, unknown, wide)
    return Ledger(
        curve.span.t0, curve.span.t1, curve.equity, unknown, unknown, unknown, unknown, unknown, events, marks=wide,
        orders=_no_orders(), bound=0, ended="", dividends_by_asset=np.full(size, math.nan),
    )  # fmt: skip


def _no_orders() -> Orders:
    whole, money = np.empty(0, np.int64), np.empty(0)
    return Orders(whole, whole, whole, whole, *(money for _ in range(7)))


def _no_trades() -> Trades:
    whole, money = np.empty(0, np.int64), np.empty(0)
    return Trades(
        asset=whole, side=whole, qty=money, entry_bar=whole, entry_price=money, exit_bar=whole, exit_price=money,
        pnl_gross=money, fees=money, slippage=money, bars=whole,
    )  # fmt: skip
