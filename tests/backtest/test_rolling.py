"""Rolling figures are those of each window by itself; where nothing moves nothing is invented."""

import numpy as np
import pytest

from backtest.rolling import rolling_figures, window_bars, window_sums
from backtest.series import RELATIVE_KEYS, SERIES_KEYS, relative_figures, series_figures

P = 252.0


@pytest.mark.parametrize(("n", "window"), [(60, 10), (60, 59), (60, 60), (57, 19), (101, 13)])
def test_each_row_is_the_figure_of_its_window(n: int, window: int) -> None:
    rng = np.random.default_rng(n + window)
    returns, bench, rf = rng.normal(1e-3, 0.01, n), rng.normal(0, 0.01, n), np.full(n, 1e-5)
    found = rolling_figures(returns, rf, bench, window, P)
    assert found.shape == (n - window + 1, 3)
    for k in range(len(found)):
        part = slice(k, k + window)
        equity = np.concatenate(([1.0], np.cumprod(1 + returns[part])))
        own = dict(zip(SERIES_KEYS, series_figures(equity, returns[part], rf[part], P), strict=True))
        beside = dict(zip(RELATIVE_KEYS, relative_figures(returns[part], bench[part], rf[part], P), strict=True))
        assert found[k] == pytest.approx([own["sharpe"], own["volatility"], beside["beta"]], rel=1e-9)


def test_sums_of_windows_leave_no_residue() -> None:
    """Huge values that leave the window leave nothing behind: the sums after them are exact zeros."""
    x = np.zeros(50)
    x[3] = 1e12 / 3
    assert (window_sums(x, 7)[4:] == 0).all()


def test_a_book_in_cash_has_no_sharpe_and_no_beta() -> None:
    returns = np.concatenate((np.random.default_rng(0).normal(0, 0.01, 20), np.zeros(30)))
    found = rolling_figures(returns, np.zeros(50), returns, 10, P)
    assert np.isnan(found[20:, 0]).all() and np.isnan(found[20:, 2]).all()
    assert (found[20:, 1] == 0).all()


def test_a_constant_yield_has_no_deviation() -> None:
    found = rolling_figures(np.full(40, 1e-4 / 3), np.zeros(40), np.zeros(40), 10, P)
    assert (found[:, 1] == 0).all() and np.isnan(found[:, 0]).all()


def test_half_a_year_unless_chosen() -> None:
    assert (window_bars("auto", 252.0), window_bars("auto", 365.0), window_bars(40, 252.0)) == (126, 182, 40)
