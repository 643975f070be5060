"""Every strategy of a table of re-runs: a row each re-run, a column each strategy, the subject first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runfiles.report_rows import RETURN_MEANS, delay_name
from runfiles.report_tables import Cell, Column, cell

MOST_STRATEGIES = 64


@dataclass(frozen=True)
class Matrix:
    """`heads` are labels of strategies; a row has what it is of, and a cell for each head."""

    title: str
    definition: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


A_YEAR = Column("cagr", "Return of every strategy, % a year", "percent", RETURN_MEANS["cagr"], "% a year")
IN_ALL = Column("total_return", "Return of every strategy, %", "percent", RETURN_MEANS["total_return"], "%")
FILLED = Column("filled", "Filled of every strategy, % of the value ordered", "share", RETURN_MEANS["filled"], "%")


def by_multiplier(rows: Iterable[Any], labels: Mapping[str, str]) -> Matrix | None:
    """Of `rows` of sensitivity.json or capacity.json."""
    return _matrix(rows, labels, A_YEAR, _times)


def filled_by_multiplier(rows: Iterable[Any], labels: Mapping[str, str]) -> Matrix | None:
    """Of `rows` of sensitivity.json or capacity.json."""
    return _matrix(rows, labels, FILLED, _times)


def filled_by_delay(rows: Iterable[Any], labels: Mapping[str, str]) -> Matrix | None:
    """Of `delays` of sensitivity.json."""
    return _matrix(rows, labels, FILLED, lambda row: delay_name(row.get("bars")))


def by_delay(rows: Iterable[Any], labels: Mapping[str, str]) -> Matrix | None:
    """Of `delays` of sensitivity.json."""
    return _matrix(rows, labels, A_YEAR, lambda row: delay_name(row.get("bars")))


def by_window(rows: Iterable[Any], labels: Mapping[str, str]) -> Matrix | None:
    """Of `rows` of stress.json that were run."""
    return _matrix(rows, labels, IN_ALL, lambda row: str(row.get("label", "")))


_TIMES = Column("multiplier", "Times", "times", "Times what is configured")


def _times(row: Any) -> str:
    return cell(_TIMES, row.get("multiplier")).text + " ×"


def _matrix(
    rows: Iterable[Any], labels: Mapping[str, str], column: Column, name: Callable[[Any], str]
) -> Matrix | None:
    """None where there is nothing but the subject to show. The files may hold anything."""
    made = [(name(row), found) for row in rows if (found := _by_key(row))]
    keys = [key for key in made[0][1] if key in labels][:MOST_STRATEGIES] if made else []
    if len(keys) < 2:
        return None
    lines = tuple(
        (label, tuple(cell(column, found.get(key, {}).get(column.key)) for key in keys)) for label, found in made
    )
    return Matrix(column.heading, column.definition, tuple(labels[key] for key in keys), lines)


def _by_key(row: Any) -> dict[str, Any]:
    """The entries of a row by strategy; empty where the row is none."""
    strategies = row.get("strategies") if isinstance(row, dict) else None
    if not isinstance(strategies, list | tuple):
        return {}
    return {str(one.get("strategy")): one for one in strategies if isinstance(one, dict)}
