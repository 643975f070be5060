"""CSV from arrays without a detour: Arrow columns made straight from numpy's memory, written by Arrow.

`pyarrow.array` would load pandas (half a second of a one-second job) only to see whether it was given a pandas object.
"""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

_OPTIONS = pacsv.WriteOptions(include_header=False, quoting_style="none")


def csv_bytes(columns: Mapping[str, pa.Array]) -> bytes:
    """A header line and the rows; missing is empty. No text may hold a comma, a quote or a line end."""
    sink = io.BytesIO()
    sink.write((",".join(columns) + "\n").encode())
    table = pa.Table.from_arrays(list(columns.values()), names=[str(i) for i in range(len(columns))])
    pacsv.write_csv(table, sink, _OPTIONS)
    return sink.getvalue()


def floats(values: NDArray[np.float64]) -> pa.Array:
    """(n,) float64; NaN is missing."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    return pa.Array.from_buffers(pa.float64(), len(array), [_validity(~np.isnan(array)), pa.py_buffer(array)])


def whole(values: NDArray[np.int64]) -> pa.Array:
    """(n,) int64."""
    array = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(array), [None, pa.py_buffer(array)])


def texts(values: Sequence[str]) -> pa.Array:
    """(n,) words."""
    parts = [value.encode() for value in values]
    offsets = np.zeros(len(parts) + 1, np.int32)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return pa.Array.from_buffers(pa.string(), len(parts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(parts))])


def words(values: pa.Array, index: NDArray[np.int64]) -> pa.Array:
    """(n,) the word of each index into `values`, as a dictionary, which the writer lays flat; a negative index is
    missing.
    """
    array = np.ascontiguousarray(np.maximum(index, 0), dtype=np.int64)
    picked = pa.Array.from_buffers(pa.int64(), len(array), [_validity(index >= 0), pa.py_buffer(array)])
    return pa.DictionaryArray.from_arrays(picked, values)


def _validity(present: NDArray[np.bool_]) -> pa.Buffer | None:
    """Arrow's bitmap, None where nothing is missing."""
    return None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
