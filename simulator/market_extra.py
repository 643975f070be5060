"""What only the extended rules read of a market: actions, sessions, bars for limits and spread, dated fees."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Bars
from simulator.config import SimulatorConfig
from simulator.config_groups import BASIS_POINT
from simulator.regulatory import sell_fees_a_share, sell_rates

Floats = NDArray[np.float64]

SPREAD_PAIRS = 20
_ROOTS = 3.0 - 2.0 * np.sqrt(2.0)


class ExtraMarket(NamedTuple):
    """(T, A), (T,) or (A,) arrays, C-contiguous; those of a rule that is off are (1, 1) and never read.

    acts: whether any asset splits or pays at t. last_bar: last bar of a recorded delisting, T without one.
    final_return: NaN where not recorded. session: number of the session of a bar. half_spread: of bar f, fraction.
    returns: total return of t-1 to t, NaN where a close is missing. sell_rate, sell_fee: the regulators' fees on a
    sale, of its value and a share.
    """

    acts: NDArray[np.bool_]
    split: Floats
    dividend: Floats
    last_bar: NDArray[np.int64]
    final_return: Floats
    session: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    half_spread: Floats
    returns: Floats
    sell_rate: Floats
    sell_fee: Floats


def extra_market(bars: Bars, config: SimulatorConfig, cost_multiplier: float) -> ExtraMarket:
    """The extra arrays of `bars` under `config`; its half spread and fees are times `cost_multiplier`."""
    split, dividend = _of_actions(bars)
    opened, high, low = (_price(column, config) for column in (bars.open, bars.high, bars.low))
    spread = _nothing()
    if config.exec.spread_source == "high_low":
        spread = half_spreads(bars, config.exec.half_spread_bps * BASIS_POINT) * cost_multiplier
    sizing = config.sizing.kelly is not None or config.sizing.vol_target is not None
    rates, fees = np.zeros(bars.n_bars), np.zeros(bars.n_bars)
    if config.fees.regulatory_sell_fees:
        rates = sell_rates(bars.session) * cost_multiplier
        fees = sell_fees_a_share(bars.session) * cost_multiplier if bars.adjustment == "raw" else fees
    return ExtraMarket(
        _acts(bars), split, dividend, np.where(bars.last_bar >= 0, bars.last_bar, bars.n_bars), _final_returns(bars),
        _session_numbers(bars), opened, high, low, spread, total_returns(bars) if sizing else _nothing(), rates, fees,
    )  # fmt: skip


def _nothing() -> Floats:
    return np.zeros((1, 1))


def _price(column: Floats | None, config: SimulatorConfig) -> Floats:
    """A price field for limit orders, NaN where it is absent or not above 0."""
    if column is None or config.exec.order_type != "limit":
        return _nothing()
    return np.ascontiguousarray(np.where(np.isfinite(column) & (column > 0), column, np.nan))


def _acts(bars: Bars) -> NDArray[np.bool_]:
    acts = np.zeros(bars.n_bars, np.bool_)
    if bars.split is not None:
        acts |= (bars.split != 1.0).any(axis=1)
    if bars.dividend is not None:
        acts |= (bars.dividend != 0.0).any(axis=1)
    return acts


def _of_actions(bars: Bars) -> tuple[Floats, Floats]:
    if not _acts(bars).any():
        return _nothing(), _nothing()
    split = np.ones(bars.close.shape) if bars.split is None else bars.split
    return split, np.zeros(bars.close.shape) if bars.dividend is None else bars.dividend


def _final_returns(bars: Bars) -> Floats:
    ends = [bars.delistings.get(symbol) for symbol in bars.symbols]
    return np.array([np.nan if end is None or end.final_return is None else end.final_return for end in ends])


def _session_numbers(bars: Bars) -> NDArray[np.int64]:
    return np.append(0, np.cumsum(bars.session[1:] != bars.session[:-1])).astype(np.int64)


def split_growth(bars: Bars) -> Floats | None:
    """(T, A): shares that one share of before the first bar has become by bar t; None where nothing was split."""
    if bars.split is None or (bars.split == 1.0).all():
        return None
    growth: Floats = np.asarray(np.cumprod(bars.split, axis=0), dtype=np.float64)
    return growth


def total_returns(bars: Bars) -> Floats:
    """(T, A): (C + dividend)·split / C₋₁ − 1, a dividend being paid on each new share; NaN where a close is missing."""
    close: Floats = np.where(bars.present, bars.close, np.nan)
    value: Floats = np.array(close)
    if bars.dividend is not None:
        value += bars.dividend
    if bars.split is not None:
        value *= bars.split
    returns: Floats = np.full(close.shape, np.nan)
    returns[1:] = value[1:] / close[:-1] - 1.0
    return returns


def half_spreads(bars: Bars, floor: float) -> Floats:
    """(T, A): half the spread as a fraction of the price, by highs and lows of the bars before f; at least `floor`.

    Corwin and Schultz (2012), their equations 14 and 18: β sums the squared ln(H/L) of two bars, γ is the square of
    ln(H/L) of both together, α = (√(2β) − √β)/(3 − 2√2) − √(γ/(3 − 2√2)), S = 2(e^α − 1)/(1 + e^α), below 0 set to 0.
    The mean of the pairs that end f−20..f−1 and are defined, halved; split-adjusted, without overnight adjustment.
    """
    if bars.high is None or bars.low is None:
        raise ValueError("spread_source high_low needs high and low")
    pairs = _pair_spreads(bars.high, bars.low, bars.split)
    found: Floats = np.full(pairs.shape, floor)
    known = np.isfinite(pairs)
    for f in range(1, len(pairs)):
        rows = slice(max(0, f - SPREAD_PAIRS), f)
        count = known[rows].sum(axis=0)
        total = np.where(known[rows], pairs[rows], 0.0).sum(axis=0)
        found[f] = np.maximum(floor, 0.5 * np.divide(total, count, out=np.zeros(len(count)), where=count > 0))
    return found


def _pair_spreads(high: Floats, low: Floats, split: Floats | None) -> Floats:
    """(T, A): the spread of the bars t−1 and t, NaN where it is not defined."""
    good = (low > 0) & (high >= low) & np.isfinite(high)
    high = np.asarray(np.where(good, high, np.nan), dtype=np.float64)
    low = np.asarray(np.where(good, low, np.nan), dtype=np.float64)
    ratio: Floats = np.ones(high.shape) if split is None else split
    before_high, before_low = high[:-1] / ratio[1:], low[:-1] / ratio[1:]
    beta = np.log(high[1:] / low[1:]) ** 2 + np.log(before_high / before_low) ** 2
    gamma = np.log(np.maximum(high[1:], before_high) / np.minimum(low[1:], before_low)) ** 2
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / _ROOTS - np.sqrt(gamma / _ROOTS)
    spread = np.full(high.shape, np.nan)
    spread[1:] = np.maximum(2 * np.expm1(alpha) / (1 + np.exp(alpha)), 0.0)  # NaN stays NaN
    return spread
