"""Numbers as people read them: three significant digits, signs on returns, a dash for what is undefined."""

import math

from runfiles.metric_keys import METRICS

MINUS, UNDEFINED = "−", "—"
SIGNED = frozenset(
    {"total_return", "cagr", "alpha", "max_drawdown", "var_95", "cvar_95", "expectancy", "expectancy_bps"}
)
UNITS = {"fraction": "%", "bps": "bps", "money": "money", "bars": "bars"}
A_YEAR = frozenset({"cagr", "volatility", "alpha", "turnover"})


def three_digits(value: float, *, sign: bool = False) -> str:
    """1,234 · 12.3 · 1.23 · 0.123 · 0.0123; smaller than 0.0001 is 0."""
    if not math.isfinite(value):
        return UNDEFINED
    size = abs(value)
    digits = 0 if size >= 100 else 4 if size < 1e-3 else min(4, 2 - math.floor(math.log10(size)))
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if float(text.replace(",", "")) == 0:
        return "0"
    return text.replace("-", MINUS)


def percent(value: float | None, *, sign: bool = True) -> str:
    """A fraction in percent, without the unit."""
    return UNDEFINED if value is None else three_digits(value * 100, sign=sign)


def metric_text(key: str, value: float | None) -> str:
    """A metric in the unit of its header."""
    if value is None:
        return UNDEFINED
    unit, sign = METRICS[key].unit, key in SIGNED
    if unit == "count":
        return f"{value:,.0f}"
    return percent(value, sign=sign) if unit == "fraction" else three_digits(value, sign=sign)


def exact(value: float | None) -> str:
    """All digits, for the title of a cell."""
    return "undefined" if value is None else repr(float(value))


def unit_text(key: str) -> str:
    """The unit under a metric's name; a year where the figure is one of a year."""
    unit = UNITS.get(METRICS[key].unit, "")
    if key in A_YEAR or key.endswith("_drag_bps") or key.startswith("cost_"):
        return f"{unit} a year".strip()
    return unit
