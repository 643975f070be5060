"""Intervals of metrics: the same paths as the excesses', each metric that of the path laid out, and closed forms."""

import math

import numpy as np
import pytest

from backtest.bootstrap import DRAWS
from backtest.intervals import RANGES, metric_intervals
from backtest.metric_paths import KEYS
from backtest.metrics import compute
from backtest.registry import spec_for
from backtest.runner import Judged, returns_of
from backtest.series import SERIES_KEYS, series_figures
from backtest.trades import fifo
from simulator.config import SimulatorConfig
from simulator.market import prepare_market
from tests.backtest.books import equity_ledger
from tests.simulator.markets import make_bars

P, N = 252.0, 150


def judged(returns: np.ndarray) -> Judged:
    equity = 1000 * np.concatenate(([1.0], np.cumprod(1 + returns)))
    ledger = equity_ledger(equity)
    flat = np.zeros(len(returns))
    market = prepare_market(make_bars(equity), SimulatorConfig())
    trades = fifo(ledger)
    return Judged(spec_for("equal"), ledger, trades, compute(ledger, trades, market, flat, flat), returns_of(ledger))


def random_returns(seed: int, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(5e-4, 0.01, n)


def laid_out(n: int, seed: int, paths: int, block: float) -> np.ndarray:
    """(paths, n) indices, bar by bar, from the same stream."""
    raw = np.random.PCG64(seed).random_raw(DRAWS)
    units = (raw >> np.uint64(11)) * 2.0**-53
    rows, k = [], 0
    for _ in range(paths):
        index: list[int] = []
        while len(index) < n:
            start, left = int(units[k] * n), n - len(index)
            length = 1 if left == 1 else 1 + int(math.log(1 - units[k + 1]) / math.log(1 - 1 / block))
            index += [(start + i) % n for i in range(min(length, left))]
            k += 2
        rows.append(index)
    return np.array(rows)


def test_each_path_has_the_metrics_of_its_bars() -> None:
    """Limits and error of 100 paths against `series_figures` of each path laid out."""
    returns, rf = random_returns(0), np.full(N, 1e-5)
    own = judged(returns)
    found = metric_intervals([own], rf, periods=P, paths=100, seed=5, block=6.0)[0]
    rows = []
    for index in laid_out(N, 5, 100, 6.0):
        path = own.returns[index]
        equity = np.concatenate(([1.0], np.cumprod(1 + path)))
        rows.append(series_figures(equity, path, rf[index], P))
    table = dict(zip(SERIES_KEYS, np.array(rows).T, strict=True))
    for one in found:
        if one.key in table:
            low, high = np.quantile(table[one.key], [0.025, 0.975])
            assert (one.low, one.high) == pytest.approx((low, high), rel=1e-9), one.key
            assert one.error == pytest.approx(table[one.key].std(ddof=1), rel=1e-7), one.key


def test_strategies_side_by_side_have_the_intervals_they_have_alone() -> None:
    both = [judged(random_returns(seed)) for seed in (1, 2)]
    rf = np.zeros(N)
    together = metric_intervals(both, rf, periods=P, paths=300, seed=0, block=5.0)
    alone = [metric_intervals([one], rf, periods=P, paths=300, seed=0, block=5.0)[0] for one in both]
    assert together == alone


def test_error_of_a_sharpe_is_the_textbooks() -> None:
    """Independent normal bars: √((1 + SR²/2)/n) of a bar (Lo 2002), times √P."""
    returns = random_returns(3, 2000)
    own = judged(returns)
    found = {
        one.key: one for one in metric_intervals([own], np.zeros(2000), periods=P, paths=2000, seed=0, block=1.0)[0]
    }
    ratio = returns.mean() / returns.std(ddof=1)
    assert found["sharpe"].error == pytest.approx(math.sqrt((1 + ratio**2 / 2) / 2000 * P), rel=0.08)
    assert found["volatility"].error == pytest.approx(returns.std(ddof=1) / math.sqrt(4000) * math.sqrt(P), rel=0.08)


def test_what_hangs_on_the_order_is_called_a_range() -> None:
    found = metric_intervals([judged(random_returns(0))], np.zeros(N), periods=P, paths=100, seed=0, block=5.0)[0]
    assert tuple(one.key for one in found) == KEYS
    assert {one.key for one in found if one.kind == "range"} == RANGES == {"max_drawdown", "calmar", "ulcer"}


def test_undefined_in_a_path_has_no_limits() -> None:
    """A book that holds cash: no deviation, no Sharpe; its return is 0 whatever is drawn."""
    found = {one.key: one for one in metric_intervals(
        [judged(np.zeros(N))], np.zeros(N), periods=P, paths=100, seed=0, block=None
    )[0]}  # fmt: skip
    assert found["sharpe"].low is None and found["calmar"].error is None
    assert (found["total_return"].low, found["total_return"].high) == (0.0, 0.0)


@pytest.mark.slow
def test_a_sharpes_interval_holds_the_true_one_in_its_share_of_cases() -> None:
    draws, missed, true = 400, 0, 5e-4 / 0.01 * math.sqrt(P)
    for seed in range(draws):
        own = judged(random_returns(seed, 500))
        found = metric_intervals([own], np.zeros(500), periods=P, paths=500, seed=0, block=8.0)[0]
        one = next(one for one in found if one.key == "sharpe")
        missed += not (one.low or 0) <= true <= (one.high or 0)
    assert missed <= 0.05 * draws + 3 * math.sqrt(0.05 * 0.95 * draws)
