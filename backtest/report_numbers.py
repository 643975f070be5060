"""Numbers of `report.html`, by the rules of `runfiles.figures`."""

from runfiles import figures
from runfiles.metric_keys import METRICS

UNITS = {"fraction": "%", "bps": "bps", "money": "money", "bars": "bars"}
A_YEAR = frozenset({"cagr", "volatility", "alpha", "turnover"})


def percent(value: float | None, *, sign: bool = True) -> str:
    """A fraction in percent, without the unit."""
    return figures.DASH if value is None else figures.significant(value * 100, signed=sign)


def metric_text(key: str, value: float | None) -> str:
    """A metric in the unit of its header."""
    return figures.metric(METRICS[key], value)


def exact(value: float | None) -> str:
    """All digits, for the title of a cell."""
    return "undefined" if value is None else repr(float(value))


def unit_text(key: str) -> str:
    """The unit under a metric's name; a year where the figure is one of a year."""
    unit = UNITS.get(METRICS[key].unit, "")
    if key in A_YEAR or key.endswith("_drag_bps") or key.startswith("cost_"):
        return f"{unit} a year".strip()
    return unit
