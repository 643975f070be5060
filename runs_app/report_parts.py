"""The tables behind a verdict as the report page shows them: the rows of `report.html`, read back from the artifacts.

Each file is read once, up to a bound; what is missing, torn or of another shape is shown as absent.
"""

import csv
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from runfiles import layout, report_matrix, report_rows
from runfiles.report_matrix import Matrix
from runfiles.report_tables import (
    CAPACITY,
    COSTS,
    DELAYS,
    DRAWDOWNS,
    FOLDS,
    INTERVALS,
    LEARNED,
    RANGES,
    SIDES,
    STRESS,
    SWEEP,
    SYMBOLS,
    Cell,
    Column,
    TableSpec,
    cells,
    for_seeds,
)  # fmt: skip
from runs_app.models import Run
from runs_app.report_reader import open_text, read_json

MOST_ROWS = 4000
DEEPEST_SHOWN = 10
MOST_RERUNS = 64

Rows = list[dict[str, Any]]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class PartTable:
    """A table with its rows; `text` stands instead of rows where there are none, or above them; `matrix` and
    `filled` of every strategy below them.
    """

    spec: TableSpec
    rows: list[list[Cell]]
    text: str = ""
    left_out: tuple[str, ...] = ()
    artifact: str = ""
    matrix: Matrix | None = None
    filled: Matrix | None = None

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """Those that there are."""
        return tuple(one for one in (self.matrix, self.filled) if one is not None)

    @property
    def file_key(self) -> str:
        """The artifact that holds its rows: the one of its own name, where none else is given."""
        return self.artifact or self.spec.key

    @property
    def file(self) -> str:
        """`CSV` or `JSON`, whichever the artifact is."""
        return layout.FILES[self.file_key].path.rsplit(".", 1)[-1].upper()

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.spec.columns


def part_tables(
    run: Run,
    metrics: Mapping[str, float | None],
    split: Mapping[str, Any],
    labels: Labels,
    *,
    several_seeds: bool = False,
) -> list[PartTable]:
    """What there is of the tables, in the order of `report.html`; none of a run whose report is older than they are.

    `split` of its summary; `labels` of the strategies by their keys.
    """
    found = [
        *_split(split, labels), _sweep(run, labels), _delays(run, labels), _stress(run, labels), _capacity(run, labels),
    ]  # fmt: skip
    drawdowns = csv_rows(run, "drawdowns")[:DEEPEST_SHOWN]
    found += [
        _table(DRAWDOWNS, drawdowns),
        _table(INTERVALS, report_rows.interval_rows(csv_rows(run, "intervals"), metrics)),
        _table(COSTS, report_rows.named(csv_rows(run, "costs"), "cost")),
        _table(SIDES, report_rows.named(csv_rows(run, "sides"), "side")),
        _table(SYMBOLS, report_rows.symbol_rows(csv_rows(run, "symbols"))),
    ]
    there = [table for table in found if table is not None]
    return [replace(table, spec=for_seeds(table.spec)) for table in there] if several_seeds else there


def calendar(run: Run) -> list[report_rows.Year]:
    """The heat map of months, the newest year first."""
    return report_rows.calendar(csv_rows(run, "periods"))


def csv_rows(run: Run, key: str) -> Rows:
    """Rows of a small CSV artifact, numbers as numbers; empty while it is missing or cannot be read."""
    try:
        with open_text(run, key) as stream:
            reader = itertools.islice(csv.DictReader(stream), MOST_ROWS)
            return [{name: _value(name, text) for name, text in row.items() if name is not None} for row in reader]
    except (OSError, csv.Error):
        return []


_TEXTS = frozenset({"period", "symbol"})


def _value(name: str, text: Any) -> Any:
    """A number where the text is one; a period and a symbol stay text, as a year or 0700 looks like a number."""
    try:
        return text if name in _TEXTS or not isinstance(text, str) else float(text)
    except ValueError:
        return text


def _table(spec: TableSpec, rows: Rows) -> PartTable | None:
    return PartTable(spec, cells(spec, rows)) if rows else None


def _split(split: Mapping[str, Any], labels: Labels) -> list[PartTable | None]:
    ranges, folds = report_rows.range_rows(split), report_rows.fold_rows(split, labels)
    words, learned = report_rows.split_words(split), report_rows.learned_rows(split)
    return [
        PartTable(RANGES, cells(RANGES, ranges), words, artifact="summary") if ranges else None,
        PartTable(FOLDS, cells(FOLDS, folds), artifact="summary") if folds else None,
        PartTable(LEARNED, cells(LEARNED, learned), artifact="summary") if learned else None,
    ]


def _rows(value: Any) -> list[Any]:
    return value[:MOST_RERUNS] if isinstance(value, list) else []


def _sweep(run: Run, labels: Labels) -> PartTable | None:
    found = read_json(run, "sensitivity")
    found_rows = _rows(found.get("rows"))
    rows = report_rows.rerun_rows(found_rows, labels)
    told = found.get("break_even")
    words = report_rows.break_even_words(told if isinstance(told, dict) else None)
    words = f"{words} {report_rows.cut_words(found_rows, labels, report_rows.cost_name)}".strip()
    matrix = report_matrix.by_multiplier(found_rows, labels)
    filled = report_matrix.filled_by_multiplier(found_rows, labels)
    return PartTable(SWEEP, cells(SWEEP, rows), words, matrix=matrix, filled=filled) if rows else None


def _delays(run: Run, labels: Labels) -> PartTable | None:
    found = _rows(read_json(run, "sensitivity").get("delays"))
    rows, words = report_rows.rerun_rows(found, labels), report_rows.delay_words(found, labels)
    words = f"{words} {report_rows.cut_words(found, labels, report_rows.late_name)}".strip()
    matrix, filled = report_matrix.by_delay(found, labels), report_matrix.filled_by_delay(found, labels)
    if not rows:
        return None
    return PartTable(DELAYS, cells(DELAYS, rows), words, artifact="sensitivity", matrix=matrix, filled=filled)


def _stress(run: Run, labels: Labels) -> PartTable | None:
    all_rows = _rows(read_json(run, "stress").get("rows"))
    rows, left_out = report_rows.stress_rows(all_rows, labels), report_rows.left_out(all_rows)
    matrix = report_matrix.by_window(all_rows, labels)
    return PartTable(STRESS, cells(STRESS, rows), "", tuple(left_out), matrix=matrix) if rows or left_out else None


def _capacity(run: Run, labels: Labels) -> PartTable | None:
    found = read_json(run, "capacity")
    if found.get("modelled") is False:
        return PartTable(CAPACITY, [], report_rows.not_modelled(found.get("reason")))
    found_rows = _rows(found.get("rows"))
    rows = report_rows.rerun_rows(found_rows, labels)
    matrix = report_matrix.by_multiplier(found_rows, labels)
    filled = report_matrix.filled_by_multiplier(found_rows, labels)
    words = report_rows.cut_words(found_rows, labels, report_rows.money_name)
    return PartTable(CAPACITY, cells(CAPACITY, rows), words, matrix=matrix, filled=filled) if rows else None
