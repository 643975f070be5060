"""Cells as numbers and texts, whole columns at once; what is neither is told with its place."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketdata.bars import Floats
from marketdata.files.column_map import DECIMALS, THOUSANDS
from marketdata.files.limits import FileRefused

Place = Callable[[int], str]
"""Index of a row → where it stands, such as `AAPL on 2020-01-02 (row 5 of prices.csv)`."""

MISSING = ("", "nan", "na", "n/a", "null", "none", "-", "#n/a", "nat")


def numbers(column: Any, *, decimal: str, thousands: str, field: str, place: Place) -> Floats:
    """(n,) float64, NaN where the cell is empty. Raises FileRefused for a cell that is no number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(pc.cast(column, pa.float64(), safe=False))
    if not pa.types.is_string(kind):
        raise FileRefused(f"The column of {field} holds {kind}; numbers are right.", f"columns.{field}")
    text = pc.utf8_trim_whitespace(column)
    empty = pc.fill_null(pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING)), True)
    point, group = DECIMALS[decimal], THOUSANDS[thousands]
    good = pc.fill_null(pc.match_substring_regex(text, _number_pattern(point, group)), False)
    wrong = np.flatnonzero(~(_bools(good) | _bools(empty)))
    if len(wrong):
        row = int(wrong[0])
        said = text[row].as_py()[:40]
        sentence = f'{place(row)} has {_a(field)} {field} of "{said}", which is no number with a decimal {decimal}.'
        raise FileRefused(sentence, f"columns.{field}")
    if group:
        text = pc.replace_substring(text, group, "")
    if point != ".":
        text = pc.replace_substring(text, point, ".")
    return _floats(pc.cast(pc.if_else(empty, pa.scalar(None, pa.string()), text), pa.float64()))


def _a(word: str) -> str:
    return "an" if word[:1].lower() in tuple("aeiou") else "a"


@cache
def _number_pattern(point: str, group: str) -> str:
    whole = rf"(\d+|\d{{1,3}}({re.escape(group)}\d{{3}})+)" if group else r"\d+"
    mark = re.escape(point)
    return rf"^[+-]?({whole}({mark}\d*)?|{mark}\d+)([eE][+-]?\d{{1,3}})?$"


def _floats(column: Any) -> Floats:
    found: Floats = np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    return found


def _bools(column: Any) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return found


def texts(column: Any, field: str) -> tuple[list[str], NDArray[np.intp]]:
    """Distinct texts in the order of their first row, and for each row which. Empty cells are empty texts."""
    found, rows = coded(column, field)
    return found.to_pylist(), rows


def coded(column: Any, field: str) -> tuple[Any, NDArray[np.intp]]:
    """As `texts`, the distinct ones as a pyarrow array of strings."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        raise FileRefused(f"The column of {field} holds {column.type}; text is right.", f"columns.{field}")
    text = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    whole = text.combine_chunks() if hasattr(text, "combine_chunks") else text
    found = whole.dictionary_encode()
    return found.dictionary, np.asarray(found.indices.to_numpy(zero_copy_only=False), dtype=np.intp)
