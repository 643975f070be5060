"""All indicators by name, and the reading of `rsi(14)` and `rsi(14)@1w`."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import DAILY, Floats
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

_CALL = re.compile(r"([a-z0-9_]+)(?:\(([^()]*)\))?(?:@([a-z0-9]+))?\Z")
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
    match = _CALL.match(text.strip())
    name = match[1] if match else text
    if match is None or name not in INDICATORS:
        raise IndicatorError(f"{text} is no indicator; known are {', '.join(sorted(INDICATORS))}.")
    indicator = INDICATORS[name]
    given = [part.strip() for part in match[2].split(",")] if match[2] and match[2].strip() else []
    return Call(indicator, _params(indicator, given), *_timeframe(text.strip(), match[3], interval, calendar))


def _timeframe(text: str, name: str | None, interval: str, calendar: str) -> tuple[str, int]:
    if name is None:
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
