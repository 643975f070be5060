"""Figures as people read them, the same on the site and in `report.html`.

Three significant digits, at most six decimals, a sign on returns, a dash for what is undefined.
"""

import math

from runfiles.metric_keys import MetricSpec

DASH = "—"
MINUS = "\u2212"
EARNED = frozenset({"cost_drag_bps", "cost_interest_bps"})
"""Costs that interest can bring below zero: then they were earned, and are told so."""
LEAST = 1e-6  # the last of six decimals
SIGNED = frozenset({"total_return", "cagr", "alpha", "expectancy", "expectancy_bps"})


def significant(number: float, digits: int = 3, *, signed: bool = False) -> str:
    """No exponent; from 10^(digits − 1) on all digits before the point stay."""
    if number == 0 or not math.isfinite(number):
        return "0" if number == 0 else DASH
    rounded = float(f"{abs(number):.{digits - 1}e}")  # of three digits 0.9996 becomes 1.00, not 1.000
    if rounded < LEAST:
        return f"{'<' if number > 0 else '>'} {'' if number > 0 else MINUS}0.000001"
    decimals = min(6, max(0, digits - 1 - math.floor(math.log10(rounded))))
    return minus(f"{number:{'+' if signed else ''},.{decimals}f}")


def whole(number: float) -> str:
    return minus(f"{number:,.0f}")


def metric(spec: MetricSpec, value: float | None) -> str:
    """A metric in the unit that stands in its header: a fraction in percent, a count in whole numbers."""
    if value is None:
        return DASH
    number = value * 100 if spec.unit == "fraction" else value
    if spec.unit in ("count", "bars") and math.isfinite(number) and number == int(number):
        return whole(number)
    if spec.key in EARNED and number < 0:
        return f"{significant(-number)} earned"
    return significant(number, signed=spec.key in SIGNED)


def minus(text: str) -> str:
    """A true minus sign in place of the hyphen."""
    return text.replace("-", MINUS)
