"""Bars as the bytes of a Parquet file, and back: one column `field:SYMBOL` each, bit for bit."""

import io
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from marketdata.bars import ACTIONS, FIELDS, Bars, Delisting, Floats


def encoded(bars: Bars) -> bytes:
    """A Parquet file of the bars; symbols, delistings and the like are not in it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"session": pa.array(bars.session), "known_at": pa.array(bars.known_at)}
    for name in (*FIELDS, *ACTIONS):
        value = bars.column(name)
        if value is not None:
            columns |= {f"{name}:{s}": pa.array(value[:, a]) for a, s in enumerate(bars.symbols)}
    if bars.member is not None:
        columns |= {f"member:{s}": pa.array(bars.member[:, a].astype(np.int8)) for a, s in enumerate(bars.symbols)}
    columns |= {f"rate:{name}": pa.array(value) for name, value in bars.rates.items()}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd", use_dictionary=False)
    return buffer.getvalue()


def decoded(path: Path, meta: Mapping[str, Any]) -> Bars:
    """The bars of such a file; `meta` holds what is not in it. Raises what pyarrow raises, KeyError, ValueError."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read(use_threads=False)
    symbols = tuple(meta["symbols"])
    member, ends = meta.get("member", False), meta.get("delistings", {})

    def field(name: str) -> Floats:
        return np.stack([numpy_of(table.column(f"{name}:{symbol}"), "<f8") for symbol in symbols], axis=1)

    return Bars(
        symbols=symbols,
        session=numpy_of(table.column("session"), "<i4").astype("datetime64[D]"),
        known_at=numpy_of(table.column("known_at"), "<M8[ns]"),
        rates={name: numpy_of(table.column(f"rate:{name}"), "<f8") for name in meta["rate_columns"]},
        calendar=meta["calendar"],
        interval=meta["interval"],
        adjustment=meta["adjustment"],
        delistings={symbol: Delisting(date.fromisoformat(day), end) for symbol, (day, end) in ends.items()},
        member=np.stack([numpy_of(table.column(f"member:{s}"), "i1") == 1 for s in symbols], axis=1)
        if member
        else None,
        **{name: field(name) for name in (*meta["fields"], *meta.get("actions", ()))},
    )


def numpy_of(column: Any, dtype: str) -> np.ndarray[Any, Any]:
    """A column's own memory as an array: pyarrow's `to_numpy` would import pandas, a quarter second in each job."""
    block = column.combine_chunks()
    wide = np.dtype(dtype).itemsize
    if block.null_count or block.type.bit_width != 8 * wide:
        raise ValueError(f"a column of type {block.type} with {block.null_count} nulls is not ours")
    return np.frombuffer(block.buffers()[1], dtype=dtype, count=len(block), offset=block.offset * wide)
