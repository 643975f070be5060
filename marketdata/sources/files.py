"""Files of the operator's as a source of a fetch: a folder of CSV or Parquet on this machine, with a column map.

`STOCKBOT_FILES` names the folder. `map.yaml` in it holds fields of `marketdata.files.column_map.ColumnMap`, and
`interval` where the bars are not daily. The folder is the operator's own; what people send through the site is read
elsewhere, by a child with limits.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from marketdata.bars import ACTIONS, DAILY, FIELDS
from marketdata.config_base import ConfigFault, sentences
from marketdata.files import layouts, reading
from marketdata.files.column_map import ColumnMap
from marketdata.files.layouts import Rows, SymbolRows
from marketdata.files.limits import FileRefused
from marketdata.files.reading import Upload
from marketdata.sources.base import Action, Asked, History, NoHistory
from runfiles import yamlio

FOLDER = "STOCKBOT_FILES"
MAP = "map.yaml"
ENDINGS = (".csv", ".txt", ".tsv", ".parquet", ".pq")


class FilesHistory:
    """Raw bars of the files in one folder, read once a fetch."""

    key = "files"
    license_note = "Files of this machine's operator; their origin is not restated."

    def history(self, asked: Asked) -> History:
        interval, rows = self._read
        if asked.interval != interval:
            raise NoHistory(f"files has bars of {interval}, not {asked.interval}.")
        if asked.symbol not in rows.symbols:
            raise NoHistory(f"files does not have {asked.symbol}.")
        each = rows.symbols[asked.symbol]
        days = each.when.astype("datetime64[D]")
        inside = (days >= np.datetime64(asked.start)) & (days <= np.datetime64(asked.end))
        if not inside.any():
            span = f"they go from {days.min()} to {days.max()}"
            raise NoHistory(f"files has no bars of {asked.symbol} from {asked.start} to {asked.end}; {span}.")
        order = np.flatnonzero(inside)[np.argsort(each.when[inside], kind="stable")]
        time = each.when[order].astype("datetime64[D]" if interval == DAILY else "datetime64[s]")
        again = np.flatnonzero(time[1:] == time[:-1])
        if len(again):
            raise NoHistory(f"files has {asked.symbol} twice on {time[again[0]]}.")
        columns = {name: each.values[name][order] for name in FIELDS if name in each.values}
        splits, dividends = (_actions(each, name) for name in ACTIONS)
        return History(time, columns, splits, dividends)

    @cached_property
    def _read(self) -> tuple[str, Rows]:
        """Interval and rows. Raises NoHistory where the folder, its map or a file is not as it must be."""
        folder = Path(os.environ.get(FOLDER, ""))
        if not os.environ.get(FOLDER) or not folder.is_dir():
            raise NoHistory(f"files is not set up: {FOLDER} must name a folder with {MAP} and files of prices.")
        try:
            columns, interval = _map_of(folder)
            found = [Upload(path, path.name) for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS]
            if not found:
                raise FileRefused(f"There is no file of prices beside {MAP}.")
            tables = reading.tables(found, encoding=columns.encoding, separator=columns.separator)
            return interval, layouts.rows_of(tables, columns, intraday=interval != DAILY)
        except (FileRefused, OSError, yamlio.ConfigFileError) as fault:
            raise NoHistory(f"files cannot be read: {str(fault).rstrip('.')}.") from fault


def _map_of(folder: Path) -> tuple[ColumnMap, str]:
    said: dict[str, Any] = yamlio.load((folder / MAP).read_text(encoding="utf-8"))
    interval = str(said.pop("interval", DAILY))
    try:
        columns = ColumnMap.model_validate(said)
    except ValidationError as fault:
        raise FileRefused(f"{MAP}, {ConfigFault(sentences(fault)).first}") from fault
    if columns.time_marks == "end" or columns.adjusted_close:
        raise FileRefused(f"{MAP}: a fetch takes raw prices, and times that are the start of their bar")
    return columns, interval


def _actions(rows: SymbolRows, name: str) -> tuple[Action, ...]:
    values = rows.values.get(name)
    if values is None:
        return ()
    some = np.flatnonzero(np.isfinite(values) & (values > 0) & ~((values == 1) if name == "split" else False))
    return tuple((rows.when[at].astype("datetime64[D]").item(), float(values[at])) for at in some)
