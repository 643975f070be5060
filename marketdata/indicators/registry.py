"""All indicators by name, and the reading of `rsi(14)`."""

import re
from dataclasses import dataclass

from marketdata.bars import Floats
from marketdata.indicators.bar_shape import BAR_SHAPE
from marketdata.indicators.base import Columns, Indicator
from marketdata.indicators.oscillators import OSCILLATORS
from marketdata.indicators.trend import TREND
from marketdata.indicators.volatility import VOLATILITY
from marketdata.indicators.volume import VOLUME

INDICATORS: dict[str, Indicator] = {
    each.name: each for each in (*BAR_SHAPE, *TREND, *OSCILLATORS, *VOLATILITY, *VOLUME)
}

_CALL = re.compile(r"([a-z0-9_]+)(?:\(([^()]*)\))?\Z")
_WHOLE = re.compile(r"[0-9]{1,6}\Z")


class IndicatorError(ValueError):
    """The text names no indicator; the message is one sentence."""


@dataclass(frozen=True)
class Call:
    """An indicator with its parameters."""

    indicator: Indicator
    params: tuple[int, ...]

    @property
    def name(self) -> str:
        """Canonical text: `rsi(14)`, also when `rsi` was asked for; two calls are the same if it is."""
        return f"{self.indicator.name}({','.join(map(str, self.params))})" if self.params else self.indicator.name

    @property
    def columns(self) -> frozenset[str]:
        return self.indicator.columns

    @property
    def warmup(self) -> int:
        """Bars of a symbol before the first value: the index of the first finite one on clean data."""
        return self.indicator.warmup(*self.params)

    def compute(self, columns: Columns) -> Floats:
        """(n,) from columns (n,) without NaN."""
        return self.indicator.compute(columns, *self.params)


def parse(text: str) -> Call:
    """`rsi(14)`, `rsi` (defaults), `macd(12,26,9)`. Raises IndicatorError with one sentence."""
    match = _CALL.match(text.strip())
    name = match[1] if match else text
    if match is None or name not in INDICATORS:
        raise IndicatorError(f"{text} is no indicator; known are {', '.join(sorted(INDICATORS))}.")
    indicator = INDICATORS[name]
    given = [part.strip() for part in match[2].split(",")] if match[2] and match[2].strip() else []
    return Call(indicator, _params(indicator, given))


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
