"""The numbers that the rules of the diagnosis look at, from a judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.registry import POLICY
from backtest.report_figures import equity_before_costs
from backtest.runner import Judged
from backtest.seed_books import medians_of
from simulator.ledger import Ledger
from simulator.state import REASONS

if TYPE_CHECKING:
    from backtest.case import Case

BEST_BARS = 5
"""Bars that `best_bars_share` adds up."""
NEAR = 1e-3
"""A weight within this part of a limit lies at it."""
NOTABLE_CUT = 0.01
"""Part of an order that must be lost for it to count as cut: a full book always lacks the money for its costs."""


@dataclass(frozen=True)
class Facts:
    """Of the subject; of several seeds the money and the orders are those of all books, all else is the seeds' median.
    Shares are fractions of the gain, None where there is none; money in the account's currency.

    `equity_moves`: largest |E_t / E_0 - 1|. `gain`, `gain_before_costs`, `costs`: money over the range, costs fees and
    slippage. `break_even`: multiple of the costs at which no excess is left, 0 where there is none without costs, None
    where it is unknown or beyond the sweep. `delay`: the shortest delay in bars, 0 where none was run; `excess_now` and
    `excess_late`: over the hardest baseline as configured and with it, None without one or the other. `guards`: sales
    that a guard forced, `calls`: that a margin call did, in bars. `cut`, `unfillable`: shares of the orders.
    `stale`: share of positions by bar that were valued without a bar.
    `at_cap`: share of bars with a position at `margin.max_position_weight`, 0 where that is no narrower than what may
    be invested in all. `spreads`: a policy's action goes through the softmax.
    `moves`: largest standard deviation of a weight over bars.
    `rho_score`: autocorrelation times the root of the bars. Excess and power are fractions a year. `trained_sharpe`: a
    year, over the `trained_years` that it was trained on, None where it was on none of these bars.
    """

    n_bars: int
    bars_a_year: float
    n_trades: float
    n_orders: float
    equity_moves: float
    gain: float
    gain_before_costs: float
    costs: float
    break_even: float | None
    delay: int
    excess_now: float | None
    excess_late: float | None
    top_symbol: str
    top_symbol_share: float | None
    top_month: str
    top_month_share: float | None
    top_trade_share: float | None
    best_bars_share: float | None
    exposure: float
    mean_gross: float
    guards: int
    calls: int
    cut: float
    unfillable: float
    stale: float
    at_cap: float
    spreads: bool
    moves: float
    rho: float | None
    rho_score: float
    trials: int
    excess: float | None
    power: float | None
    seen: int
    max_drawdown: float
    sharpe: float | None
    trained_sharpe: float | None
    trained_years: float


def facts_of(case: Case) -> Facts:
    """Facts of the subject of `case`."""
    ledger, trades, verdict = case.subject.ledger, case.subject.trades, case.verdict
    gain = float(ledger.equity[-1] - ledger.equity[0])
    before = equity_before_costs(ledger)
    symbols, months = case.parts.symbols, _months(case)
    middle = medians_of(ledger, lambda book: _of_book(case, book))
    best, month = int(np.argmax(symbols.net[:-1])), max(months, key=months.__getitem__)
    steps = np.sort(np.diff(ledger.equity))[::-1]
    rho = case.subject.metrics["rho1"]
    return Facts(
        n_bars=ledger.n_bars,
        bars_a_year=case.market.periods_per_year,
        n_trades=_closed(case.subject),
        n_orders=middle["n_orders"],
        equity_moves=middle["equity_moves"],
        gain=gain,
        gain_before_costs=float(before[-1] - before[0]),
        costs=float(ledger.costs[-1]),
        break_even=_break_even(case),
        **_delayed(case),
        top_symbol=symbols.names[best],
        top_symbol_share=_share(symbols.net[best], gain) if case.market.n_assets > 1 else None,
        top_month=month,
        top_month_share=_share(months[month], gain) if len(months) > 1 else None,
        top_trade_share=_share(trades.pnl_net.max(), gain) if len(trades) > 1 else None,
        best_bars_share=_share(float(steps[:BEST_BARS].sum()), gain),
        exposure=middle["exposure"],
        mean_gross=middle["mean_gross"],
        guards=_bars_of(case, "max_drawdown", "daily_loss", "stop"),
        calls=_bars_of(case, "margin"),
        cut=_cut_orders(case),
        unfillable=_part_of(case, "untradable", "no_volume"),
        stale=middle["stale"],
        at_cap=middle["at_cap"],
        spreads=case.subject.key == POLICY and case.config.episode.mapping_mode == "simplex_cash",
        moves=middle["moves"],
        rho=rho,
        rho_score=0.0 if rho is None else float(abs(rho) * np.sqrt(ledger.n_bars)),
        trials=verdict.trials,
        excess=verdict.excess_per_year,
        power=verdict.power,
        seen=verdict.seen,
        max_drawdown=middle["max_drawdown"],
        sharpe=case.subject.metrics["sharpe"],
        trained_sharpe=None if case.trained is None else case.trained.sharpe,
        trained_years=0.0 if case.trained is None else case.trained.n_bars / case.market.periods_per_year,
    )


def _of_book(case: Case, book: Ledger) -> dict[str, float]:
    """What needs one account: of several seeds each has its own."""
    held = book.shares[1:] != 0
    has_bar = case.market.has_bar[book.t0 + 1 : book.t1 + 1]
    return {
        "n_orders": len(book.orders),
        "equity_moves": float(np.abs(book.equity / book.equity[0] - 1.0).max()),
        "exposure": float(held.any(axis=1).mean()),
        "mean_gross": float(book.gross[1:].mean()),
        "stale": float((held & ~has_bar).sum() / max(int(held.sum()), 1)),
        "at_cap": _at_cap(case, book),
        "moves": float(book.weights[1:].std(axis=0).max()),
        "max_drawdown": float(book.drawdown.min()),
    }


def _closed(subject: Judged) -> float:
    """Closed trades."""
    each = [one["n_trades"] or 0.0 for one in subject.by_seed]
    return float(np.median(each)) if each else subject.trades.n_closed


def _share(part: float, gain: float) -> float | None:
    return float(part) / gain if gain > 0 else None


def _delayed(case: Case) -> dict[str, Any]:
    """`delay`, `excess_now`, `excess_late`."""
    rows = case.evidence.delays
    if len(rows) < 2:
        return {"delay": 0, "excess_now": None, "excess_late": None}
    return {"delay": rows[1].bars, "excess_now": rows[0].excess_per_year, "excess_late": rows[1].excess_per_year}


def _at_cap(case: Case, book: Ledger) -> float:
    """Share of the closes at which a weight lies at the limit of one position. A limit that is as wide as all that may
    be invested cuts nothing: one asset that holds everything lies there by choice.
    """
    margin, episode = case.config.margin, case.config.episode
    limit, most = margin.max_position_weight, margin.max_gross_leverage
    if not (case.subject.key == POLICY and episode.mapping_mode == "tanh_leverage"):  # which fills the gross limit
        most = min(most, episode.invest_max)
    if limit >= most * (1 - NEAR):
        return 0.0
    return float((np.abs(book.weights[1:]) >= limit * (1 - NEAR)).any(axis=1).mean())


def _months(case: Case) -> dict[str, float]:
    """Money made in each month of the range."""
    ledger = case.subject.ledger
    months = case.market.bars.session[ledger.t0 + 1 : ledger.t1 + 1].astype("datetime64[M]")
    starts = np.flatnonzero(np.append(True, months[1:] != months[:-1]))
    made = np.add.reduceat(np.diff(ledger.equity), starts)
    return {str(name): float(money) for name, money in zip(months[starts], made, strict=True)}


def _break_even(case: Case) -> float | None:
    found = case.evidence.sweep.break_even
    if found is None:
        return None
    return 0.0 if found.status == "none" else found.multiplier if found.status == "found" else None


def _has_reason(case: Case, *reasons: str) -> np.ndarray:
    return np.isin(case.subject.ledger.orders.reason, [REASONS.index(reason) for reason in reasons])


def _bars_of(case: Case, *reasons: str) -> int:
    """Bars in which an order with one of these reasons was decided."""
    return len(set(case.subject.ledger.orders.decided[_has_reason(case, *reasons)].tolist()))


def _cut_orders(case: Case) -> float:
    """Share of the orders that lost a notable part of their size to the cap or to funding."""
    orders = case.subject.ledger.orders
    found = _has_reason(case, "participation", "funding")
    lost = np.abs(orders.qty_filled) < (1 - NOTABLE_CUT) * np.abs(orders.qty_target)
    return float((found & lost).mean()) if len(found) else 0.0


def _part_of(case: Case, *reasons: str) -> float:
    found = _has_reason(case, *reasons)
    return float(found.mean()) if len(found) else 0.0
