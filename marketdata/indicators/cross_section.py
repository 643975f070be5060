"""A symbol among the others, at the same bar: what the whole market did, and where the symbol stands in it.

`market` is the level of the equally weighted mean log return of all symbols that have one; see base.COLUMNS. A
symbol takes part from its own first return on. Ranks and spreads are over the symbols that have a value at the bar, of
the universe's members where a membership is known.
"""

import numpy as np

from marketdata.bars import Floats
from marketdata.indicators.base import Columns, Indicator, Param, lagged, log_returns
from marketdata.indicators.rolling import (
    by_return,
    by_window,
    ratio,
    row_correlation,
    row_deviation,
    row_mean,
    row_slope,
)

MARKET = frozenset({"market"})
CLOSE = frozenset({"close"})
BOTH = frozenset({"close", "market"})


def _beta(columns: Columns, n: int) -> Floats:
    return by_return(row_slope, n, log_returns(columns["close"]), log_returns(columns["market"]))


def _correlation(columns: Columns, n: int) -> Floats:
    return by_return(row_correlation, n, log_returns(columns["close"]), log_returns(columns["market"]))


def _residual_volatility(columns: Columns, n: int) -> Floats:
    def reduce(own: Floats, market: Floats) -> Floats:
        slope, mean, market_mean = row_slope(own, market), row_mean(own), row_mean(market)
        total = np.zeros_like(mean)
        for one, other in zip(own, market, strict=True):
            total += np.square(one - mean - slope * (other - market_mean))
        rest: Floats = np.sqrt(total / (n - 2))
        return rest

    return by_return(reduce, n, log_returns(columns["close"]), log_returns(columns["market"]))


def _market_return(columns: Columns, n: int) -> Floats:
    return log_returns(columns["market"], n)


def _market_volatility(columns: Columns, n: int) -> Floats:
    return by_return(row_deviation, n, log_returns(columns["market"]))


def _relative_return(columns: Columns, n: int) -> Floats:
    return log_returns(columns["close"], n) - log_returns(columns["market"], n)


def _return(columns: Columns, n: int) -> Floats:
    return log_returns(columns["close"], n)


def _momentum(columns: Columns, n: int, skip: int) -> Floats:
    return np.log(lagged(columns["close"], skip) / lagged(columns["close"], n))


def _volatility(columns: Columns, n: int) -> Floats:
    return by_return(row_deviation, n, log_returns(columns["close"]))


def _above_average(columns: Columns, n: int) -> Floats:
    """A close within rounding of its average is on it."""
    gap = columns["close"] / by_window(row_mean, n, columns["close"]) - 1
    return np.where(np.abs(gap) < 1e-12, 0.0, np.sign(gap))


def ranks(values: Floats) -> Floats:
    """Rank of each value in its row, from −1 (least) to 1 (largest), ties the mean of their places, alone 0."""
    order = np.argsort(values, axis=1, kind="stable")  # NaN last
    sorted_values = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1], dtype=np.float64), values.shape)
    new = np.ones(values.shape, dtype=np.bool_)
    new[:, 1:] = sorted_values[:, 1:] != sorted_values[:, :-1]
    first = np.maximum.accumulate(np.where(new, place, 0.0), axis=1)
    ends = np.ones(values.shape, dtype=np.bool_)
    ends[:, :-1] = new[:, 1:]
    width = values.shape[1] - 1.0
    last = np.minimum.accumulate(np.where(ends, place, width)[:, ::-1], axis=1)[:, ::-1]
    middle = np.empty(values.shape)
    np.put_along_axis(middle, order, (first + last) / 2, axis=1)
    count = np.isfinite(values).sum(axis=1)[:, None]
    return np.where(np.isfinite(values), ratio(2 * middle, np.maximum(count - 1.0, 0.0), undefined=1.0) - 1, np.nan)


def _to_all(row: Floats, values: Floats) -> Floats:
    """One number a bar (T,) for each symbol that has a value there."""
    return np.where(np.isfinite(values), row[:, None], np.nan)


def row_means(values: Floats) -> Floats:
    """The mean of each row, for every symbol that has a value."""
    known = np.isfinite(values)
    return _to_all(np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), values)


def row_spreads(values: Floats) -> Floats:
    """The standard deviation (ddof 0) of each row, for every symbol that has a value."""
    apart = np.where(np.isfinite(values), values - row_means(values), 0.0)
    count = np.maximum(np.isfinite(values).sum(axis=1), 1)
    return _to_all(np.sqrt((apart * apart).sum(axis=1) / count), values)


CROSS_SECTION = (
    Indicator("beta", "Least-squares slope of the last n log returns on the market's; 0 where the market stands still.",
              BOTH, (Param("n", 60, low=3),), lambda n: n, _beta),
    Indicator("correlation", "Correlation of the last n log returns with the market's.", BOTH, (Param("n", 60, low=3),),
              lambda n: n, _correlation),
    Indicator("residual_volatility", "√(Σe² / (n−2)) of the last n log returns after beta and mean.", BOTH,
              (Param("n", 60, low=3),), lambda n: n, _residual_volatility),
    Indicator("market_return", "ln(M[t] / M[t−n]), M the market's level.", MARKET, (Param("n", 1, low=1),), lambda n: n,
              _market_return),
    Indicator("market_volatility", "Standard deviation (ddof 1) of the market's last n log returns.", MARKET,
              (Param("n", 20),), lambda n: n, _market_volatility),
    Indicator("relative_return", "ln(C[t] / C[t−n]) − ln(M[t] / M[t−n]), M the market's level.", BOTH,
              (Param("n", 20, low=1),), lambda n: n, _relative_return),
    Indicator("return_rank", "Rank of ln(C[t] / C[t−n]) among the symbols, −1..1, ties share the mean place.", CLOSE,
              (Param("n", 20, low=1),), lambda n: n, _return, across=ranks),
    Indicator("momentum_rank", "Rank of ln(C[t−skip] / C[t−n]) among the symbols, −1..1.", CLOSE,
              (Param("n", 252), Param("skip", 21, low=0)), lambda n, _: n, _momentum, below=("skip", "n"),
              across=ranks),
    Indicator("volatility_rank", "Rank of the deviation of the last n log returns among the symbols, −1..1.", CLOSE,
              (Param("n", 60),), lambda n: n, _volatility, across=ranks),
    Indicator("breadth", "Share of the symbols whose C is above its average of n closes, less that below.", CLOSE,
              (Param("n", 50),), lambda n: n - 1, _above_average, across=row_means),
    Indicator("dispersion", "Standard deviation (ddof 0) over the symbols of ln(C[t] / C[t−n]).", CLOSE,
              (Param("n", 1, low=1),), lambda n: n, _return, across=row_spreads),
)  # fmt: skip
