"""What an upload looks like: its first rows, a guess of the column map, and what a build by that guess would say."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError

from marketdata.bars import INTERVAL_SECONDS
from marketdata.config_base import sentences
from marketdata.files import guess, membership, reading, times
from marketdata.files.build import build
from marketdata.files.column_map import ColumnMap, DatasetRequest
from marketdata.files.limits import FileRefused
from marketdata.files.reading import Upload
from marketdata.files.tables import Table

FIRST_ROWS = 8
SHOWN_COLUMNS = 40
MOST_NOTES = 30


def preview(files: Sequence[Upload]) -> dict[str, Any]:
    """Plain JSON values. Raises FileRefused for what cannot be read as a table at all."""
    cut = guess.dialect(files[0].path, files[0].label)
    tables = reading.tables(files, encoding=cut.encoding, separator=cut.separator)
    if membership.is_one(tables[0]):
        return _members(tables[0])
    guessed = guess.guess(tables, cut)
    table = tables[0]
    columns = list(table.columns)
    guessed_request = {**_kind(table, guessed.columns), "columns": guessed.columns}
    return {
        "kind": table.kind,
        "files": [{"name": each.label, "rows": each.n_rows} for each in tables],
        "n_rows": sum(each.n_rows for each in tables),
        "columns": columns,
        "rows": _first_rows(table, columns[:SHOWN_COLUMNS]),
        "guess": guessed_request,
        "findings": [*guessed.notes, *_trial(tables, guessed_request)][:MOST_NOTES],
    }


def _members(table: Table) -> dict[str, Any]:
    """A file of members: there is nothing to map, so that it is read whole at once."""
    held = membership.intervals(table, "ymd")
    columns = list(table.columns)[:SHOWN_COLUMNS]
    return {
        "kind": table.kind, "files": [{"name": table.label, "rows": table.n_rows}], "n_rows": table.n_rows,
        "columns": columns, "rows": _first_rows(table, columns), "guess": {}, "findings": [],
        "members": {"symbols": len(held), "intervals": sum(map(len, held.values()))},
    }  # fmt: skip


def _first_rows(table: Table, columns: Sequence[str]) -> list[list[str]]:
    held = [table.columns[name].slice(0, FIRST_ROWS).to_pylist() for name in columns]
    return [["" if cell is None else str(cell) for cell in row] for row in zip(*held, strict=True)]


def _kind(table: Table, columns: dict[str, Any]) -> dict[str, str]:
    """Calendar, interval and adjustment as the times say; adjusted prices cannot be told from raw ones."""
    found = {"calendar": "XNYS", "interval": "1d", "adjustment": "raw"}
    column = table.columns[columns["date"]]
    try:
        when = times.instants(column, columns["date_format"], "UTC", table.row).astype("datetime64[s]")
    except FileRefused:
        return found
    when = np.sort(when)
    when = when[np.r_[True, when[1:] != when[:-1]]]
    days = when.astype("datetime64[D]")
    if len(when) > 1 and bool((days[1:] == days[:-1]).any()):
        step = int(np.median(np.diff(when).astype("int64")))
        near = min(INTERVAL_SECONDS, key=lambda name: abs(INTERVAL_SECONDS[name] - step))
        found["interval"] = near
    if ((days.astype("int64") + 3) % 7 >= 5).mean() > 0.1:
        found["calendar"] = "24/7"
    return found


def _trial(tables: Sequence[Table], guessed: dict[str, Any]) -> list[str]:
    """Sentences of a build by the guess: what a person would be told were they to commit it as it stands."""
    try:
        columns = ColumnMap.model_validate(guessed["columns"])
        request = DatasetRequest.model_validate(
            {**guessed, "name": "trial", "as_of": dt.date(2000, 1, 1), "columns": columns}
        )
    except ValidationError as fault:
        return [f"{name}: {said[0]}" for name, said in sentences(fault).items()]
    try:
        report = build(tables, request).report
    except FileRefused as fault:
        return [str(fault)]
    return [finding.sentence for finding in report.findings]
