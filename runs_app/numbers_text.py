"""Numbers as a person reads them: three significant digits, a sign where it matters, a dash for what is undefined.

Fractions become percent here and in the pages' scripts (`static/js/format.js`), nowhere else.
"""

from dataclasses import dataclass
from typing import Any

from runfiles import figures
from runfiles.figures import SIGNED, minus, significant
from runfiles.metric_keys import MetricSpec

DASH = figures.DASH

UNIT_WORDS = {
    "fraction": "%",
    "bps": "bps",
    "ratio": "",
    "money": "money",
    "bars": "bars",
    "count": "",
    "probability": "",
}
SIGNED_MONEY = frozenset({"pnl_gross", "pnl_net"})
MONEY = SIGNED_MONEY | {"commission", "spread", "impact", "fees", "slippage"}
HALF_CENT = 0.005


@dataclass(frozen=True)
class Shown:
    """A number on a page: `text` in the cell, `full` on hover, `sign` is `gain`, `loss` or empty."""

    text: str
    full: str
    sign: str


def finite(value: Any) -> float | None:
    """The number that `value` is, or None: what was read from a file may be anything."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e300 else None  # NaN is not below it either


def metric_text(spec: MetricSpec, value: Any) -> Shown:
    """A metric in its unit; the unit itself stands in the header."""
    if (found := finite(value)) is None:
        return Shown(DASH, "undefined", "")
    number = found * 100 if spec.unit == "fraction" else found
    unit = UNIT_WORDS[spec.unit]
    sign = "" if spec.key not in SIGNED or number == 0 else ("gain" if number > 0 else "loss")
    return Shown(figures.metric(spec, found), f"{minus(repr(number))} {unit}".strip(), sign)


def table_number(column: str, number: float) -> str:
    """A number of the orders or trades: prices with four decimals, money with two, quantities with four digits."""
    if column in MONEY:
        signed = column in SIGNED_MONEY and abs(number) >= HALF_CENT
        return minus(f"{number if abs(number) >= HALF_CENT else 0.0:{'+' if signed else ''},.2f}")
    if "price" in column:
        return minus(f"{number:,.4f}")
    if number == int(number):
        return whole(number)
    return significant(number, 4 if column.startswith("qty") else 3)


def percent(fraction: Any, *, signed: bool = True) -> str:
    """A fraction in percent, without the unit."""
    found = finite(fraction)
    return DASH if found is None else significant(found * 100, signed=signed)


def digits(number: Any) -> str:
    """Three significant digits, without a unit."""
    found = finite(number)
    return DASH if found is None else significant(found)


def whole(number: Any) -> str:
    found = finite(number)
    return DASH if found is None else figures.whole(found)


def span(seconds: Any) -> str:
    """A duration: 8 s, 1:12, 2:03:04."""
    found = finite(seconds)
    if found is None or found < 0:
        return DASH
    total = round(found)
    if total < 60:
        return f"{total} s"
    hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: int) -> str:
    """Bytes: 812 B, 4.1 KiB, 2.35 MiB; in powers of 1024, as memory and disk are told."""
    number = float(count)
    for unit in ("B", "KiB", "MiB"):
        if number < 1000:
            return f"{count} B" if unit == "B" else f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} GiB"
