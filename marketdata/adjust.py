"""Adjustment for corporate actions, computed here from raw bars, and its reverse for prices that come split-adjusted.

With C the close, s the split (new shares for an old one from the open of a bar on) and d the dividend (cash a share,
after a split of that bar) as recorded, and u over the bars of the same symbol:

    S[t] = Π over u > t of s[u]                              the shares that one of t has become at the end
    C°[t] = C[t] / S[t],  d°[u] = d[u] / S[u]                in shares of the end
    D[t] = Π over u > t with d[u] > 0 of (1 − d°[u] / C°[p(u)])      p(u): the last bar with a close before u

`split`: prices / S, volumes · S. `total_return`: prices / S · D, volumes · S / D. So price · volume stays the money
that was traded, of which an order is a share: participation and impact are those of the raw bars. A dividend without a
close before it concerns no bar and changes nothing. Within a window these depend on its own actions alone: nothing
after its end gets into it. Ratios of prices are those of the holder who reinvests each dividend at the close before
the ex-date.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np

from marketdata.bars import PRICES, Adjustment, Bars, BarsError, Days, Floats

RECIPE = 2
"""Raised when the arithmetic above changes; stands in `dataset.json`. Under 1 volumes of `total_return` were · S."""


def adjusted(bars: Bars, adjustment: Adjustment) -> Bars:
    """Raw bars with their actions as `split` or `total_return` bars, which have none; as they are for what they are.

    Raises BarsError where the bars record no such actions, or a dividend is as large as the price before it.
    """
    if adjustment == bars.adjustment:
        return bars
    needed = ("split",) if adjustment == "split" else ("split", "dividend")
    if bars.adjustment != "raw" or adjustment == "raw" or any(bars.column(name) is None for name in needed):
        raise BarsError(f"adjustment {adjustment} needs raw bars with their splits and dividends")
    shares = later_splits(bars)
    paid = 1.0 if adjustment == "split" else later_dividends(bars, shares)
    scale = paid / shares
    columns: dict[str, Any] = {name: value * scale for name in PRICES if (value := bars.column(name)) is not None}
    if bars.volume is not None:
        columns["volume"] = bars.volume * shares / paid
    return dataclasses.replace(bars, adjustment=adjustment, split=None, dividend=None, **columns)


def later_splits(bars: Bars) -> Floats:
    """S (T, A)."""
    if bars.split is None:
        return np.ones_like(bars.close)
    return _later(bars.split)


def later_dividends(bars: Bars, shares: Floats) -> Floats:
    """D (T, A), of `shares` S."""
    factor = np.ones_like(bars.close)
    if bars.dividend is None:
        return factor
    close, dividend = bars.close / shares, bars.dividend / shares
    for t, a in np.argwhere(dividend > 0):
        before = np.flatnonzero(bars.present[:t, a])
        if not len(before):
            continue
        factor[t, a] = 1 - dividend[t, a] / close[before[-1], a]
        if factor[t, a] <= 0:
            paid, day = bars.dividend[t, a], bars.session[t]
            raise BarsError(f"dividend of {bars.symbols[a]} on {day} is {paid:g}, as much as the close before it")
    return _later(factor)


def unsplit(
    columns: dict[str, Floats], days: Days, splits: Iterable[tuple[dt.date, float]]
) -> tuple[dict[str, Floats], Floats]:
    """Split-adjusted columns (n,) as they were traded, and the factor (n,): the product of every split after the day.

    Prices · factor, volumes / factor. `days` (n,) datetime64[D]; `splits` all of them from the first of the days up to
    when the columns were made, in any order.
    """
    known = sorted((np.datetime64(day, "D"), ratio) for day, ratio in splits)
    ratios = np.array([1.0, *(ratio for _, ratio in known)])
    up_to = np.cumprod(ratios)  # [k]: of the first k splits
    passed = np.searchsorted(np.array([day for day, _ in known], "datetime64[D]"), days, side="right")
    factor = up_to[-1] / up_to[passed]
    return {name: value * factor if name in PRICES else value / factor for name, value in columns.items()}, factor


def _later(value: Floats) -> Floats:
    """Product over the rows after each."""
    product = np.cumprod(value[::-1], axis=0)[::-1]
    return np.concatenate([product[1:], np.ones((1, value.shape[1]))])
