"""Tables in one of three layouts as rows of each symbol. Runs in the child only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np

from marketdata.bars import Days, Floats
from marketdata.files import cells, times
from marketdata.files.column_map import VALUES, ColumnMap
from marketdata.files.limits import MAX_SYMBOLS, FileRefused
from marketdata.files.tables import Table

SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9^.=\-]{0,15}\Z", re.ASCII)
"""A symbol that no spreadsheet takes for a formula: none begins with =, - or @."""
RATE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")


@dataclass(frozen=True)
class SymbolRows:
    """Rows of one symbol in the order of the file. `when` (n,): days, or instants in UTC for shorter bars."""

    when: Days
    values: dict[str, Floats]


@dataclass(frozen=True)
class Rows:
    """`rates`: name → (times, values), each time once."""

    symbols: dict[str, SymbolRows]
    rates: dict[str, tuple[Days, Floats]] = field(default_factory=dict)


def rows_of(tables: Sequence[Table], columns: ColumnMap, *, intraday: bool) -> Rows:
    """Raises FileRefused with one sentence naming symbol, date and field, or the row."""
    if columns.layout == "per_symbol":
        return _per_symbol(tables, columns, intraday)
    if len(tables) > 1:
        sentence = f"The layout {columns.layout} is one file, and {len(tables)} were sent; use per_symbol."
        raise FileRefused(sentence, "columns.layout")
    return (_long if columns.layout == "long" else _wide)(tables[0], columns, intraday)


def symbol_of(label: str) -> str:
    """The symbol that a file is named by: `AAPL.csv`, `BRK.B.parquet`."""
    name = PurePath(label).name
    for ending in (".csv", ".txt", ".tsv", ".parquet", ".pq"):
        name = name[: -len(ending)] if name.lower().endswith(ending) else name
    return name


def checked_symbol(text: str, where: str, field_name: str = "columns.symbol") -> str:
    if not SYMBOL.match(text):
        said = f'"{text[:40]}"' if text else "empty"
        sentence = f"The symbol in {where} is {said}; a symbol is up to 16 letters, digits, ^ . = or -, such as AAPL."
        raise FileRefused(sentence, field_name)
    return text


def _long(table: Table, columns: ColumnMap, intraday: bool) -> Rows:
    names, rows = cells.texts(table.column(str(columns.symbol), "symbol"), "symbol")
    for place, name in enumerate(names):
        checked_symbol(name, table.row(int(np.argmax(rows == place))) if not SYMBOL.match(name) else "")
    _check_symbols(len(names))
    when = _times(table, columns, intraday)

    def place_of(row: int) -> str:
        return f"{names[rows[row]]} on {_shown(when[row])} ({table.row(row)})"

    values = _values(table, columns, place_of)
    order = np.argsort(rows, kind="stable")
    pieces = np.split(order, np.flatnonzero(np.diff(rows[order])) + 1)
    found = {
        names[rows[piece[0]]]: SymbolRows(when[piece], {name: column[piece] for name, column in values.items()})
        for piece in pieces
    }
    return Rows({name: found[name] for name in names}, _rates([table], columns, [when]))


def _wide(table: Table, columns: ColumnMap, intraday: bool) -> Rows:
    when = _times(table, columns, intraday)
    apart = {columns.date, *columns.rates}
    names = [name for name in table.columns if name not in apart]
    _check_symbols(len(names))
    if not names:
        raise FileRefused(f"{table.label} has no column of a symbol beside {columns.date}.", "columns.layout")
    found = {}
    for name in names:
        symbol = checked_symbol(name, f"the header of {table.label}", "columns.layout")

        def place_of(row: int, symbol: str = symbol) -> str:
            return f"{symbol} on {_shown(when[row])} ({table.row(row)})"

        found[symbol] = SymbolRows(when, {"close": _numbers(table, name, columns, "close", place_of)})
    return Rows(found, _rates([table], columns, [when]))


def _per_symbol(tables: Sequence[Table], columns: ColumnMap, intraday: bool) -> Rows:
    _check_symbols(len(tables))
    found: dict[str, SymbolRows] = {}
    whens = []
    for table in tables:
        symbol = checked_symbol(symbol_of(table.label), f"the name of {table.label}", "file")
        if symbol in found:
            raise FileRefused(f"Two files are named by the symbol {symbol}.")
        when = _times(table, columns, intraday)
        whens.append(when)

        def place_of(row: int, symbol: str = symbol, table: Table = table, when: Days = when) -> str:
            return f"{symbol} on {_shown(when[row])} ({table.row(row)})"

        found[symbol] = SymbolRows(when, _values(table, columns, place_of))
    held = {tuple(sorted(each.values)) for each in found.values()}
    if len(held) > 1:
        raise FileRefused("The files do not all have the same columns.")
    return Rows(found, _rates(tables, columns, whens))


def _times(table: Table, columns: ColumnMap, intraday: bool) -> Days:
    column = table.column(columns.date, "date")
    if intraday:
        return times.instants(column, columns.date_format, columns.timezone, table.row)
    return times.days(column, columns.date_format, table.row)


def _values(table: Table, columns: ColumnMap, place: cells.Place) -> dict[str, Floats]:
    named = {name: getattr(columns, name) for name in VALUES}
    return {name: _numbers(table, column, columns, name, place) for name, column in named.items() if column is not None}


def _numbers(table: Table, column: str, columns: ColumnMap, name: str, place: cells.Place) -> Floats:
    cell = table.column(column, name)
    return cells.numbers(cell, decimal=columns.decimal, thousands=columns.thousands, field=name, place=place)


def _rates(tables: Sequence[Table], columns: ColumnMap, whens: Sequence[Days]) -> dict[str, tuple[Days, Floats]]:
    return {rate_name(column): _rate(tables, column, columns, whens) for column in columns.rates}


def rate_name(column: str) -> str:
    """`rate:Bill 3m` → `bill_3m`."""
    name = re.sub(r"[^a-z0-9]+", "_", column.lower().removeprefix("rate:")).strip("_")
    if not RATE_NAME.match(name):
        raise FileRefused(
            f"The column {column} gives no name of a rate; call it rate:bill or the like.", "columns.rates"
        )
    return name


def _rate(tables: Sequence[Table], column: str, columns: ColumnMap, whens: Sequence[Days]) -> tuple[Days, Floats]:
    times, values = [], []
    for table, when in zip(tables, whens, strict=True):

        def place(row: int, table: Table = table, when: Days = when) -> str:
            return f"The rate column {column} on {_shown(when[row])} ({table.row(row)})"

        cell = table.column(column, "rates")
        found = cells.numbers(cell, decimal=columns.decimal, thousands=columns.thousands, field="rates", place=place)
        wrong = np.flatnonzero(~np.isnan(found) & ~(np.abs(found) <= 1))
        if len(wrong):
            said = f"{place(int(wrong[0]))} is {found[wrong[0]]:g}"
            raise FileRefused(f"{said}; rates are fractions a year, 0.05 for 5 %.", "columns.rates")
        held = ~np.isnan(found)
        times.append(when[held])
        values.append(found[held])
    all_times, all_values = np.concatenate(times), np.concatenate(values)
    once, first, place_ = np.unique(all_times, return_index=True, return_inverse=True)
    other = np.flatnonzero(all_values[first][place_] != all_values)
    if len(other):
        said = f"The rate column {column} has two values on {_shown(all_times[other[0]])}"
        raise FileRefused(f"{said}; a rate is the same for all symbols.", "columns.rates")
    return once, all_values[first]


def _check_symbols(count: int) -> None:
    if count > MAX_SYMBOLS:
        raise FileRefused(f"The files hold {count:,} symbols; at most {MAX_SYMBOLS:,} are taken.")


def _shown(when: Any) -> str:
    text = str(when)
    return text if len(text) == 10 else text[:16].replace("T", " ")


def held_fields(rows: Mapping[str, SymbolRows]) -> list[str]:
    return list(next(iter(rows.values())).values)
