"""The store: each version of a dataset in a folder named by the sha256 of its content, checked at each load.

    <root>/<sha256>/bars.parquet    session, known_at, one column `field:SYMBOL` each, one `rate:NAME` each;
                                    `split:`, `dividend:` and `member:` (0 or 1) of each symbol where recorded
    <root>/<sha256>/sessions.npy    the sessions again, cheap to read for dates and splits
    <root>/<sha256>/meta.json       title, span, symbols, delistings, provenance, findings of the source

The hash is of the arrays, not of the file, so that another Parquet encoder gives the same version.
"""

import contextlib
import dataclasses
import fcntl
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from marketdata.bars import ACTIONS, FIELDS, Bars, Delisting, Floats
from runfiles.atomic import sync_folder, write_bytes, write_json

BARS, META, SESSIONS = "bars.parquet", "meta.json", "sessions.npy"
META_SCHEMA = 1
STAGING = ".put-"
Survivorship = Literal["biased", "unknown", "point_in_time"]
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class StoreError(ValueError):
    """A version that is missing or whose bytes are no longer what was stored."""


@dataclass(frozen=True)
class EntryMeta:
    """What the arrays cannot say about themselves, as whoever stored them first saw it.

    The same content is stored once, whoever it belongs to. What a person calls it, and what they know of it, is in a
    row of theirs; a run is given that in `provenance.json`. This here stands where nobody said anything else.
    `as_of`: the ISO date on which the data was what it is; `findings`: what the source saw while it laid its rows on
    the calendar, as `quality.Finding.as_dict()`; `indices`: symbols that are levels of an index and cannot be bought;
    `source_sha256`: the file or reply that the bars were made from.
    """

    id: str
    title: str
    survivorship: Survivorship
    as_of: str
    source: str
    license_note: str
    source_sha256: str = ""
    findings: tuple[Mapping[str, Any], ...] = ()
    indices: tuple[str, ...] = ()


class Store:
    """Dataset versions below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, version: str) -> Path:
        """Where a version lies. Raises StoreError for what is no sha256, so that no path can be smuggled in."""
        if not _SHA256.match(version):
            raise StoreError(f"version must be 64 hexadecimal digits, not {version!r}")
        return self.root / version

    def ids(self) -> list[str]:
        """Versions that are there whole, in alphabetical order."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if _SHA256.match(p.name) and (p / META).is_file())

    def put(self, bars: Bars, entry_meta: EntryMeta) -> str:
        """Store the bars and give their sha256. Storing the same content again, under whatever id, changes nothing;
        damage is replaced.
        """
        version = bars.content_hash()
        target = self.folder(version)
        if target.exists():
            if self._is_whole(version):
                return version
            shutil.rmtree(target)
        with self.held():
            staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.root))
            try:
                _write_version(staging, bars, entry_meta)
                staging.chmod(0o750)
                self._move(staging, target)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
            sync_folder(self.root)
        return version

    def load(self, version: str) -> Bars:
        """The bars of a version. Raises StoreError when they are missing or do not hash to `version` any more."""
        folder = self.folder(version)
        if not (folder / BARS).is_file():
            raise StoreError(f"dataset version {version[:12]} is not in the store")
        try:
            bars = _read_bars(folder / BARS, self.meta(version))
            same = bars.content_hash() == version and np.array_equal(read_sessions(folder / SESSIONS), bars.session)
        except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's faults are ValueError or OSError
            raise StoreError(f"dataset version {version[:12]} cannot be read; put it into the store again") from error
        if not same:
            raise StoreError(f"dataset version {version[:12]} is not what was stored; put it into the store again")
        return bars

    def meta(self, version: str) -> dict[str, Any]:
        """`meta.json` of a version. Raises StoreError when it is missing or is no such file."""
        try:
            value = json.loads((self.folder(version) / META).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"dataset version {version[:12]} has no readable {META}") from error
        if not isinstance(value, dict) or value.get("schema") != META_SCHEMA:
            raise StoreError(f"dataset version {version[:12]} has a {META} of another schema")
        return value

    def has(self, version: str) -> bool:
        """Whether the version is there, without reading its bars."""
        folder = self.folder(version)
        return (folder / META).is_file() and (folder / BARS).is_file()

    def size(self, version: str) -> int:
        """Bytes on disk, 0 for a version that is not there."""
        folder = self.folder(version)
        return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0

    def remove(self, version: str) -> None:
        """Take the version away: out of its place at once, then its files. Nothing happens where it is not."""
        if self.folder(version).is_dir():
            with self.held():
                self._take_away(version)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While something is on its way in or out; a sweep waits for its turn. Falls with the process."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def sweep(self, unwanted: Callable[[str, Mapping[str, Any]], bool]) -> bool:
        """Take away what a killed process left half done, and each version of whose id and `meta.json` it is said that
        it is unwanted. Whether it was done: while anything is on its way nothing is touched.
        """
        if not self.root.is_dir():
            return True
        descriptor = os.open(self.root, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in self.root.glob(f"{STAGING}*"):
                shutil.rmtree(path, ignore_errors=True)
            for version in self.ids():
                with contextlib.suppress(StoreError):  # a damaged one is told to whoever loads it
                    if unwanted(version, self.meta(version)):
                        self._take_away(version)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def _take_away(self, version: str) -> None:
        grave = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.root))
        self.folder(version).replace(grave / version)
        shutil.rmtree(grave, ignore_errors=True)
        sync_folder(self.root)

    def columns(self, version: str, symbol: str) -> dict[str, Floats]:
        """(T,) of each field and recorded action of one symbol, and `known_at` in ns; reads these columns alone.

        Raises StoreError for a version or a symbol that is not there.
        """
        import pyarrow.parquet as pq

        meta = self.meta(version)
        if symbol not in meta["symbols"]:
            raise StoreError(f"dataset version {version[:12]} has no symbol {symbol}")
        names = [*meta["fields"], *meta.get("actions", ())]
        try:
            file = pq.ParquetFile(self.folder(version) / BARS)
            table = file.read(columns=["known_at", *(f"{name}:{symbol}" for name in names)], use_threads=False)
            found = {name: _numpy(table.column(f"{name}:{symbol}"), "<f8") for name in names}
            return found | {"known_at": _numpy(table.column("known_at"), "<M8[ns]")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"dataset version {version[:12]} cannot be read; put it into the store again") from error

    def _is_whole(self, version: str) -> bool:
        try:
            self.load(version)
        except StoreError:
            return False
        return True

    def _move(self, staging: Path, target: Path) -> None:
        """Into place; whoever put the same content at the same time was first."""
        try:
            staging.replace(target)
        except OSError:
            if not (target / META).is_file():
                raise
            shutil.rmtree(staging, ignore_errors=True)


def read_sessions(path: Path) -> np.ndarray:
    """(T,) datetime64[D] out of `sessions.npy`."""
    value: np.ndarray = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return value


def _write_version(folder: Path, bars: Bars, entry_meta: EntryMeta) -> None:
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
    write_bytes(folder / BARS, buffer.getvalue())
    sessions = io.BytesIO()
    np.save(sessions, bars.session, allow_pickle=False)
    write_bytes(folder / SESSIONS, sessions.getvalue())
    write_json(folder / META, _meta(bars, entry_meta))


def _meta(bars: Bars, entry_meta: EntryMeta) -> dict[str, Any]:
    return {
        **dataclasses.asdict(entry_meta),
        "schema": META_SCHEMA,
        "stored_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "symbols": list(bars.symbols),
        "start": str(bars.session[0]),
        "end": str(bars.session[-1]),
        "n_bars": bars.n_bars,
        "fields": [name for name in FIELDS if name in bars.fields],
        "rate_columns": sorted(bars.rates),
        "actions": [name for name in ACTIONS if bars.column(name) is not None],
        "member": bars.member is not None,
        "delistings": {symbol: [str(end.last_session), end.final_return] for symbol, end in bars.delistings.items()},
        "adjustment": bars.adjustment,
        "calendar": bars.calendar,
        "interval": bars.interval,
    }


def _read_bars(path: Path, meta: Mapping[str, Any]) -> Bars:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read(use_threads=False)
    symbols = tuple(meta["symbols"])
    member, ends = meta.get("member", False), meta.get("delistings", {})

    def field(name: str) -> Floats:
        return np.stack([_numpy(table.column(f"{name}:{symbol}"), "<f8") for symbol in symbols], axis=1)

    return Bars(
        symbols=symbols,
        session=_numpy(table.column("session"), "<i4").astype("datetime64[D]"),
        known_at=_numpy(table.column("known_at"), "<M8[ns]"),
        rates={name: _numpy(table.column(f"rate:{name}"), "<f8") for name in meta["rate_columns"]},
        calendar=meta["calendar"],
        interval=meta["interval"],
        adjustment=meta["adjustment"],
        delistings={symbol: Delisting(date.fromisoformat(day), end) for symbol, (day, end) in ends.items()},
        member=np.stack([_numpy(table.column(f"member:{s}"), "i1") == 1 for s in symbols], axis=1) if member else None,
        **{name: field(name) for name in (*meta["fields"], *meta.get("actions", ()))},
    )


def _numpy(column: Any, dtype: str) -> np.ndarray[Any, Any]:
    """A column's own memory as an array: pyarrow's `to_numpy` would import pandas, a quarter second in each job."""
    block = column.combine_chunks()
    wide = np.dtype(dtype).itemsize
    if block.null_count or block.type.bit_width != 8 * wide:
        raise ValueError(f"a column of type {block.type} with {block.null_count} nulls is not ours")
    return np.frombuffer(block.buffers()[1], dtype=dtype, count=len(block), offset=block.offset * wide)
