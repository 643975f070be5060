"""1.1: bars on one master index as lists over t of lists over assets, None where absent."""

import datetime as dt
from decimal import Decimal

import numpy as np

from marketdata.bars import Bars
from tests.simulator.oracle.numbers import ONE, ZERO, dec, price

Column = list[list[Decimal | None]]


class Data:
    """What the oracle knows of `Bars`, and the two estimates of 1.3 that look back: usual volume and spread."""

    def __init__(self, bars: Bars) -> None:
        self.n_bars, self.n_assets = bars.n_bars, bars.n_assets
        self.open, self.high, self.low, self.vwap = (self._prices(bars, n) for n in ("open", "high", "low", "vwap"))
        self.close = self._prices(bars, "close")
        self.volume = [[dec(v) if np.isfinite(v) and v > 0 else ZERO for v in row] for row in bars.volume] if (
            bars.volume is not None
        ) else [[ZERO] * self.n_assets] * self.n_bars  # fmt: skip
        self.split = self._actions(bars.split, ONE)
        self.dividend = self._actions(bars.dividend, ZERO)
        self.last_bar = bars.last_bar.tolist()
        ends = [bars.delistings.get(symbol) for symbol in bars.symbols]
        self.final_return = [None if e is None or e.final_return is None else dec(e.final_return) for e in ends]
        self.member = None if bars.member is None else bars.member.tolist()
        self._pairs: dict[tuple[int, int], Decimal | None] = {}
        self.rates = {name: [dec(v) for v in row] for name, row in bars.rates.items()}
        self.session: list[dt.date] = bars.session.astype(object).tolist()
        self.periods_per_year = dec(bars.periods_per_year)
        gaps = np.diff(bars.known_at.astype(np.int64)) if bars.intraday else np.diff(bars.session.astype(np.int64))
        unit = Decimal(365 * 86_400 * 10**9) if bars.intraday else Decimal(365)
        self.years = [Decimal(int(gap)) / unit for gap in gaps]
        """1.5: δ of (t, t+1): days between sessions, or seconds between closes for intraday bars."""

    def _prices(self, bars: Bars, name: str) -> Column:
        column = bars.column(name)
        if column is None:
            return [[None] * self.n_assets] * self.n_bars
        return [[price(v) for v in row] for row in column]

    def _actions(self, column: np.ndarray | None, nothing: Decimal) -> list[list[Decimal]]:
        if column is None:
            return [[nothing] * self.n_assets] * self.n_bars
        return [[dec(v) for v in row] for row in column]

    def ended(self, t: int, a: int) -> bool:
        """1.6: ended before bar t by a recorded delisting."""
        return 0 <= self.last_bar[a] < t

    def has_bar(self, t: int, a: int) -> bool:
        """1.9 Fields: decision, mark and listing need the close."""
        return self.close[t][a] is not None and not self.ended(t, a)

    def may_hold(self, t: int, a: int) -> bool:
        """Whether the asset belongs to the universe at the close of t; True without a known membership."""
        return self.member is None or self.member[t][a]

    def reference(self, f: int, a: int, fill: str) -> Decimal | None:
        """1.3 Reference price of a fill rule in bar f, None where its fields are missing."""
        if fill == "next_open":
            return self.open[f][a]
        if fill == "next_close":
            return self.close[f][a]
        given = self.vwap[f][a]
        if given is not None:
            return given
        four = [column[f][a] for column in (self.open, self.high, self.low, self.close)]
        known = [p for p in four if p is not None]
        return sum(known, ZERO) / 4 if len(known) == 4 else None

    def usual_volume(self, f: int, a: int, window: int) -> Decimal | None:
        """1.3 A_f: mean volume of f−window..f−1 since listing, missing 0; unknown with fewer than 5 bars."""
        listed = next((k for k in range(f) if self.close[k][a] is not None), None)
        if listed is None:
            return None
        bars = range(max(f - window, listed), f)
        if len(bars) < 5:
            return None
        total = ZERO
        for k in bars:
            ratio = ONE
            for later in range(k + 1, f + 1):
                ratio *= self.split[later][a]
            total += self.volume[k][a] * ratio
        return total / len(bars)

    def high_low_spread(self, f: int, a: int) -> Decimal | None:
        """1.3 Corwin–Schultz half spread (a fraction) on the 20 pairs ending f−20..f−1; None where none is defined."""
        found = [s for e in range(max(f - 20, 1), f) if (s := self._known_pair(e, a)) is not None]
        return sum(found, ZERO) / len(found) / 2 if found else None

    def _known_pair(self, e: int, a: int) -> Decimal | None:
        if (e, a) not in self._pairs:
            self._pairs[e, a] = self._pair_spread(e, a)
        return self._pairs[e, a]

    def _pair_spread(self, e: int, a: int) -> Decimal | None:
        h0, l0, h1, l1 = self.high[e - 1][a], self.low[e - 1][a], self.high[e][a], self.low[e][a]
        if h0 is None or l0 is None or h1 is None or l1 is None:
            return None
        h0, l0 = h0 / self.split[e][a], l0 / self.split[e][a]
        beta = (h0 / l0).ln() ** 2 + (h1 / l1).ln() ** 2
        gamma = (max(h0, h1) / min(l0, l1)).ln() ** 2
        root = 3 - 2 * Decimal(2).sqrt()
        alpha = ((2 * beta).sqrt() - beta.sqrt()) / root - (gamma / root).sqrt()
        spread = 2 * (alpha.exp() - 1) / (1 + alpha.exp())
        return max(spread, ZERO)
