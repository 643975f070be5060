"""The first table of a report on several seeds, from `seeds` of its summary: how far they lie apart, then each of them.

What comes in may be read from a file that holds anything; what is of the wrong type is a dash.
"""

from typing import Any

from runfiles.figures import DASH, metric, significant
from runfiles.metric_keys import HEADLINE, METRICS
from runfiles.policy_list import MOST_SEEDS
from runfiles.report_tables import number_of

EXCESS, LEAST = "excess_per_year", "least_excess_per_year"
LABELS = {
    EXCESS: "Excess over the baseline of the verdict",
    LEAST: "Excess over the baseline that is hardest for each seed",
}
"""The first has the verdict as its mean; the second is what a report of each seed alone says."""
UNITS = {"fraction": "%", "bps": "bps"}
MEANS = (
    "the same training with each seed; their median and middle half say more than any one of them. Mean, median and "
    "quartiles of an excess are those of the logarithms, as the verdict's is their mean"
)


def seeds_words(value: Any) -> dict[str, Any]:
    """`heads` (median first), `rows` (each `label`, `unit`, `cells` as texts) and `range`, the ends and the median of
    the excess in words; empty where there are not several seeds.
    """
    rows, spread = (_dicts(value.get(name)) for name in ("rows", "spread")) if isinstance(value, dict) else ([], [])
    seeds = [row for row in rows if type(row.get("seed")) is int][:MOST_SEEDS]
    if len(seeds) < 2:
        return {}
    by_key = {one["key"]: one for one in spread if isinstance(one.get("key"), str)}
    heads = ["Median", "Middle half", "Mean", *(f"Seed {row['seed']}" for row in seeds)]
    excess = by_key.get(EXCESS, {})
    ends = f"each alone from {_text(EXCESS, excess.get('low'))} % to {_text(EXCESS, excess.get('high'))} %"
    return {
        "heads": heads,
        "rows": [_row(key, by_key.get(key, {}), seeds) for key in (EXCESS, LEAST, *HEADLINE) if _is_told(key, by_key)],
        "range": f"{ends}, median {_text(EXCESS, excess.get('median'))} %",
    }


def _is_told(key: str, by_key: dict[str, Any]) -> bool:
    """Reports of an earlier version have no second excess."""
    return key != LEAST or key in by_key


def _row(key: str, spread: dict[str, Any], seeds: list[dict[str, Any]]) -> dict[str, Any]:
    half = f"{_text(key, spread.get('q1'))} to {_text(key, spread.get('q3'))}"
    cells = [_text(key, spread.get("median")), half, _text(key, spread.get("mean"))]
    cells += [_text(key, row.get(key)) for row in seeds]
    if key in LABELS:
        return {"label": LABELS[key], "unit": "% a year", "cells": cells}
    return {"label": METRICS[key].label, "unit": UNITS.get(METRICS[key].unit, ""), "cells": cells}


def _text(key: str, value: Any) -> str:
    number = number_of(value)
    if number is None:
        return DASH
    return significant(number * 100, signed=True) if key in LABELS else metric(METRICS[key], number)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
