"""The subject against each baseline, from `excesses` of `summary.json`, as the report page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runfiles.figures import significant
from runs_app.numbers_text import DASH, Shown, finite, percent

SHARE = "%"
"""Unit of a share of a whole, which has no sign."""
# key, heading, unit, what it means; those with a unit are fractions
COLUMNS = (
    ("excess_per_year", "Excess", "% a year", "Growth above the baseline's"),
    ("low", "Low", "% a year", "Lower limit of its 95 % interval"),
    ("high", "High", "% a year", "Upper limit of its 95 % interval"),
    ("p", "p", "", "Share of resampled paths at or below zero"),
    ("equal_risk_excess", "At equal risk", "% a year", "The baseline scaled to the subject's volatility"),
    ("equal_risk_low", "Low", "% a year", "Lower limit at equal risk"),
    ("equal_risk_high", "High", "% a year", "Upper limit at equal risk"),
    ("dsr", "DSR", "", "Deflated Sharpe of the excess growth of a bar"),
    ("filled", "Baseline filled", SHARE, "Share of the value that the baseline ordered which found a fill"),
)


@dataclass(frozen=True)
class ExcessRow:
    """`cells` are in the order of COLUMNS."""

    label: str
    cells: tuple[Shown, ...]


def excess_rows(summary: dict[str, Any], labels: Mapping[str, str]) -> list[ExcessRow]:
    """A row for each baseline that counts; a summary may hold anything, what is no row is passed over."""
    return [ExcessRow(labels.get(one["baseline"], one["baseline"]), tuple(_cells(one))) for one in _known(summary)]


def shown_only(summary: dict[str, Any], keys: list[str]) -> frozenset[str]:
    """Those of the baselines `keys` that the verdict does not count; none where the summary does not tell."""
    if not isinstance(summary.get("excesses"), list):
        return frozenset()
    return frozenset(keys) - {one["baseline"] for one in _known(summary)}


def _known(summary: dict[str, Any]) -> list[dict[str, Any]]:
    rows = summary.get("excesses")
    found = rows if isinstance(rows, list) else []
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("baseline"), str)]


def _cells(one: dict[str, Any]) -> list[Shown]:
    return [_shown(one.get(key), unit) for key, _, unit, _ in COLUMNS]


def _shown(value: Any, unit: str) -> Shown:
    number = finite(value)
    if number is None:
        return Shown(DASH, "undefined", "")
    if unit == SHARE:
        return Shown(significant(number * 100), repr(number), "")
    sign = "" if not unit or number == 0 else ("gain" if number > 0 else "loss")
    return Shown(percent(number) if unit else significant(number), repr(number), sign)
