"""The columns that indicators read, of all symbols: free of splits, with the level of the market beside them."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import PRICES, Bars, Floats
from marketdata.timeframes import Periods, periods


class Panel:
    """Columns (T, A) of some bars for indicators; see `indicators.base.COLUMNS`.

    Adjusting goes forward: a price is counted in shares of the first bar by the splits recorded up to its own bar, so
    that it never depends on a later one. Against prices adjusted backward it differs by one factor a symbol, which no
    indicator sees but a price level, and that reads prices as they were. Dividends are left in: returns are price
    returns.
    """

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self._periods: dict[str, Periods] = {}
        self._columns: dict[tuple[str, bool], Floats] = {}

    @property
    def available(self) -> frozenset[str]:
        """Names of the columns that there are."""
        return available_columns(self.bars)

    def column(self, name: str, *, as_quoted: bool = False) -> Floats:
        """(T, A) of one column; `as_quoted` leaves splits in."""
        key = name, as_quoted
        if key not in self._columns:
            self._columns[key] = self._make(name, as_quoted)
        return self._columns[key]

    def own(self, names: frozenset[str], asset: int, *, as_quoted: bool = False
            ) -> tuple[NDArray[np.int64], dict[str, Floats]]:  # fmt: skip
        """Rows (n,) on which the symbol has all these columns, and the columns (n,) there."""
        taken = {name: self.column(name, as_quoted=as_quoted)[:, asset] for name in sorted(names | {"close"})}
        whole = np.ones(self.bars.n_bars, dtype=np.bool_)
        for name, values in taken.items():
            if name in names or "market" in names:
                whole &= np.isfinite(values) & (values > 0 if name in PRICES else values >= 0)
        rows = np.flatnonzero(whole)
        return rows, {name: taken[name][rows] for name in names}

    def periods(self, timeframe: str) -> Periods:
        """The period of each bar, made once."""
        if timeframe not in self._periods:
            self._periods[timeframe] = periods(self.bars, timeframe)
        return self._periods[timeframe]

    @cached_property
    def members(self) -> NDArray[np.bool_]:
        """(T, A) symbols that belong to the universe: all where no membership is known."""
        member = self.bars.member
        return np.ones(self.bars.close.shape, dtype=np.bool_) if member is None else member

    @cached_property
    def returns(self) -> Floats:
        """(T, A) log return of each symbol from its own close before, NaN where it has none or no bar."""
        close = np.where(self.bars.present, self.column("close"), np.nan)
        row = np.where(np.isfinite(close), np.arange(len(close))[:, None], -1)
        before = np.vstack((np.full((1, close.shape[1]), -1), np.maximum.accumulate(row, axis=0)[:-1]))
        earlier = np.where(before >= 0, np.take_along_axis(close, np.maximum(before, 0), axis=0), np.nan)
        returns: Floats = np.log(close / earlier)
        return returns

    @cached_property
    def market_returns(self) -> Floats:
        """(T,) equally weighted mean of the members' log returns at each bar, NaN where none has one."""
        known = np.isfinite(self.returns) & self.members
        count = known.sum(axis=1)
        total = np.where(known, self.returns, 0.0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    @cached_property
    def shares(self) -> Floats | None:
        """(T, A) shares of bar t that one share of the first bar has become; None where no splits are recorded."""
        return None if self.bars.split is None else np.cumprod(self.bars.split, axis=0, dtype=np.float64)

    def _make(self, name: str, as_quoted: bool) -> Floats:
        if name == "market":
            level = np.exp(np.cumsum(np.nan_to_num(self.market_returns)))
            return np.broadcast_to(level[:, None], self.bars.close.shape)
        column = self.bars.column(name)
        if column is None:
            raise ValueError(f"the bars lack {name}, which the features need")
        if self.shares is None or as_quoted:
            return column
        return column / self.shares if name == "volume" else column * self.shares


def available_columns(bars: Bars) -> frozenset[str]:
    """What indicators can read of these bars."""
    return bars.fields | {"market"} | ({"dividend"} if bars.dividend is not None else frozenset())
