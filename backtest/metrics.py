"""The figures of one strategy over one range: pure functions of its ledger. Undefined is `None`, never 0 or infinity.

r_t = max(E_t / E_(t-1) - 1, -1) for t = 1..N, rf_t the return of the cash baseline, P bars a year. The formulas of the
series are in `backtest.series`, those of the statistics in `backtest.statistics`.
"""

import math

from backtest.series import (
    RELATIVE_KEYS,
    SERIES_KEYS,
    Floats,
    relative_figures,
    series_figures,
    simple_returns,
    weight_figures,
)
from backtest.statistics import deflated_sharpe, optional
from backtest.trades import Trades
from runfiles.metric_keys import METRICS
from simulator.ledger import Ledger
from simulator.market import Market

Metrics = dict[str, float | None]

WEIGHT_KEYS = ("exposure", "gross", "net", "hhi")
IN_BPS = 1e4
"""Basis points in one."""


def compute(
    ledger: Ledger, trades: Trades, market: Market, benchmark_returns: Floats, rf: Floats, *, trials: int = 1,
    variance: float | None = None,
) -> Metrics:  # fmt: skip
    """Every key of `runfiles.metric_keys.METRICS`, in that order.

    `benchmark_returns` and `rf` (N,) are returns of a bar over the same range. `dsr_excess` is None here: it needs the
    other strategies and is filled in by the judge.
    """
    periods = market.periods_per_year
    metrics = of_curve(ledger.equity, periods, benchmark_returns, rf, trials=trials, variance=variance)
    found: dict[str, float] = dict(zip(WEIGHT_KEYS, weight_figures(ledger.weights[1:]), strict=True))
    found |= cost_figures(ledger, periods) | trade_figures(trades)
    metrics |= {key: optional(value) for key, value in found.items()}
    return metrics | {"n_orders": len(ledger.orders), "n_trades": int(found["n_trades"])}


def of_curve(
    equity: Floats, periods: float, benchmark_returns: Floats, rf: Floats, *, trials: int = 1,
    variance: float | None = None,
) -> Metrics:  # fmt: skip
    """Every key of METRICS in that order, of `equity` (N+1,) alone: None where a figure needs weights, costs or trades.

    The other arguments are those of `compute`.
    """
    returns = simple_returns(equity)
    found: dict[str, float] = dict(zip(SERIES_KEYS, series_figures(equity, returns, rf, periods), strict=True))
    found |= dict(zip(RELATIVE_KEYS, relative_figures(returns, benchmark_returns, rf, periods), strict=True))
    metrics: Metrics = {key: optional(found[key]) if key in found else None for key in METRICS}
    return metrics | {"n_bars": len(returns), "dsr": deflated_sharpe(returns - rf, trials, variance)}


def cost_figures(ledger: Ledger, periods: float) -> dict[str, float]:
    """Turnover sum |x| p / mean(E_0..E_N) P/N (buys plus sells), and each cost in bps over the same denominator.

    Interest and rebates earned count negative. Closings by ruin are no turnover: `traded` leaves them out.
    """
    mean_equity = float(ledger.equity.mean())
    a_year = periods / ledger.n_bars / mean_equity if mean_equity > 0 else math.nan
    costs = {
        "cost_fees_bps": ledger.fees[-1],
        "cost_spread_bps": ledger.spread[-1],
        "cost_impact_bps": ledger.impact[-1],
        "cost_borrow_bps": -ledger.borrow[-1],
        "cost_interest_bps": -ledger.interest[-1],
    }
    found = {key: float(value) * a_year * IN_BPS + 0.0 for key, value in costs.items()}
    return {"turnover": float(ledger.traded.sum()) * a_year, "cost_drag_bps": sum(found.values())} | found


def trade_figures(trades: Trades) -> dict[str, float]:
    """Over closed trades: hit rate (net P&L > 0), profit factor gains/|losses| (NaN without a loss), expectancy in
    money and in bps of the value entered, holding in bars weighted by the value entered.
    """
    count = trades.n_closed
    net, value, bars = trades.pnl_net[:count], trades.entry_value[:count], trades.bars[:count]
    losses = -float(net[net < 0].sum())
    entered = float(value.sum())
    return {
        "hit_rate": float((net > 0).sum()) / count if count else math.nan,
        "profit_factor": float(net[net > 0].sum()) / losses if losses > 0 else math.nan,
        "expectancy": float(net.sum()) / count if count else math.nan,
        "expectancy_bps": float(net.sum()) / entered * IN_BPS if entered > 0 else math.nan,
        "avg_holding_bars": float((bars * value).sum()) / entered if entered > 0 else math.nan,
        "n_trades": count,
    }
