"""All indicators by name, and the reading of `rsi(14)` and `rsi(14)@1w`."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import DAILY, Floats
from marketdata.expressions.grammar import GrammarError, read
from marketdata.expressions.tree import Named, written
from marketdata.indicators.actions import ACTION_INDICATORS
from marketdata.indicators.bar_shape import BAR_SHAPE
from marketdata.indicators.base import Columns, Indicator
from marketdata.indicators.cross_section import CROSS_SECTION
from marketdata.indicators.oscillators import OSCILLATORS
from marketdata.indicators.statistics import STATISTICS
from marketdata.indicators.trend import TREND
from marketdata.indicators.volatility import VOLATILITY
from marketdata.indicators.volume import VOLUME
from marketdata.timeframes import TIMEFRAMES, Periods, TimeframeError, aggregated, bars_in

INDICATORS: dict[str, Indicator] = {
    each.name: each
    for each in (
        *BAR_SHAPE, *TREND, *OSCILLATORS, *VOLATILITY, *VOLUME, *STATISTICS, *CROSS_SECTION, *ACTION_INDICATORS
    )
}  # fmt: skip

_WHOLE = re.compile(r"[0-9]{1,6}\Z")


class IndicatorError(ValueError):
    """The text names no indicator; the message is one sentence."""


@dataclass(frozen=True)
class Call:
    """An indicator with its parameters, maybe of periods of a `timeframe` that hold at most `most` bars each."""

    indicator: Indicator
    params: tuple[int, ...]
    timeframe: str = ""
    most: int = 1

    @property
    def name(self) -> str:
        """Canonical text: `rsi(14)`, also when `rsi` was asked for; two calls are the same if it is."""
        params = f"({','.join(map(str, self.params))})" if self.params else ""
        return f"{self.indicator.name}{params}{'@' if self.timeframe else ''}{self.timeframe}"

    @property
    def columns(self) -> frozenset[str]:
        """What it reads; the average price of a period is weighted by its volume."""
        return self.indicator.columns

    @property
    def calls(self) -> tuple["Call", ...]:
        """The indicators that it is made of, as an expression has them."""
        return (self,)

    @property
    def price_level(self) -> bool:
        """It depends on the level of the price."""
        return self.indicator.price_level

    @property
    def warmup(self) -> int:
        """Bars of a symbol before the first value: the index of the first finite one on clean data.

        With a timeframe, an upper bound: a first period that may be cut off and is left out, and then as many as the
        indicator asks for and one, all of them as long as can be.
        """
        bars = self.indicator.warmup(*self.params)
        return (bars + 2) * self.most - 1 if self.timeframe else bars

    def compute(self, columns: Columns) -> Floats:
        """(n,) from columns (n,) of bars, or of periods, without NaN."""
        return self.indicator.compute(columns, *self.params)

    def compute_by_period(self, columns: dict[str, Floats], periods: Periods) -> Floats:
        """(n,) from columns (n,) of bars: at each the value of the last period that is complete there, NaN before.

        A bar after the one at which its period was complete (on a day that the calendar does not know) begins another.
        """
        starts = np.flatnonzero(np.append(True, (periods.key[1:] != periods.key[:-1]) | periods.last[:-1]))
        whole = starts[1:]  # the first may have begun before the data
        values = np.full(len(starts) + 1, np.nan)
        if len(whole) > self.indicator.warmup(*self.params):
            first = int(whole[0])
            cut = {name: column[first:] for name, column in columns.items()}
            values[2:] = self.compute(aggregated(cut, whole - first))
            values[: 2 + self.indicator.warmup(*self.params)] = np.nan
        return values[_complete(starts, periods.last)]


def _complete(starts: NDArray[np.int64], last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) how many periods are complete at each bar."""
    period = np.zeros(len(last), dtype=np.int64)
    period[starts[1:]] = 1
    return np.cumsum(period) + last


def parse(text: str, interval: str = DAILY, calendar: str = "XNYS") -> Call:
    """`rsi(14)`, `rsi` (defaults), `macd(12,26,9)`, `rsi(14)@1w` of weeks, for bars of `interval` on `calendar`.

    Raises IndicatorError with one sentence.
    """
    try:
        tree = read(text)
    except GrammarError as error:
        raise IndicatorError(str(error)) from error
    if not isinstance(tree, Named):
        raise IndicatorError(f"{text} is no indicator; known are {', '.join(sorted(INDICATORS))}.")
    return call_of(tree, interval, calendar)


def call_of(named: Named, interval: str, calendar: str) -> Call:
    """The indicator that a name with its arguments means. Raises IndicatorError with one sentence."""
    text = written(named)
    if named.name not in INDICATORS:
        raise IndicatorError(f"{text} is no indicator; known are {', '.join(sorted(INDICATORS))}.")
    indicator, given = INDICATORS[named.name], [written(arg) for arg in named.args or ()]
    return Call(indicator, _params(indicator, given), *_timeframe(text, named.frame, interval, calendar))


def _timeframe(text: str, name: str, interval: str, calendar: str) -> tuple[str, int]:
    if not name:
        return "", 1
    if name not in TIMEFRAMES:
        raise IndicatorError(f"{text} asks for periods of {name}; known are {', '.join(TIMEFRAMES)}.")
    try:
        return name, bars_in(name, interval, calendar)
    except TimeframeError as error:
        raise IndicatorError(f"{text}: {error}.") from error


def _params(indicator: Indicator, given: list[str]) -> tuple[int, ...]:
    name, known = indicator.name, indicator.params
    if len(given) > len(known):
        takes = ", ".join(param.name for param in known) or "no parameter"
        raise IndicatorError(f"{name} takes {takes}; {len(given)} values were given.")
    values = [param.default for param in known]
    for index, (param, text) in enumerate(zip(known, given, strict=False)):
        if not _WHOLE.match(text) or not param.low <= int(text) <= param.high:
            bounds = f"{param.low} and {param.high}"
            raise IndicatorError(f"{name} takes a whole {param.name} between {bounds}, not {text or 'nothing'}.")
        values[index] = int(text)
    if indicator.below:
        low, high = (values[[param.name for param in known].index(each)] for each in indicator.below)
        if low >= high:
            raise IndicatorError(f"{name} needs {indicator.below[0]} below {indicator.below[1]}, not {low} and {high}.")
    return tuple(values)
