"""The store: each version of a dataset in a folder named by the sha256 of its content, checked at each load.

    <root>/<sha256>/bars.parquet    session, known_at, one column `field:SYMBOL` each, one `rate:NAME` each;
                                    `split:`, `dividend:` and `member:` (0 or 1) of each symbol where recorded
    <root>/<sha256>/sessions.npy    the sessions again, cheap to read for dates and splits
    <root>/<sha256>/meta.json       span, symbols, delistings of the arrays; and `entries`: what they are called, each
                                    id with its own title, provenance and findings of the source

The hash is of the arrays, not of the file, so that another Parquet encoder gives the same version. The same arrays
under two ids are stored once and are two entries; each goes by itself, and the arrays with the last one.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from marketdata.bars import ACTIONS, FIELDS, Bars, Floats
from marketdata.store_bars import decoded, encoded, numpy_of
from runfiles.atomic import sync_folder, write_bytes, write_json

BARS, META, SESSIONS = "bars.parquet", "meta.json", "sessions.npy"
META_SCHEMA, OLDER_SCHEMAS = 2, (1,)
STORED_AT = "stored_at"
STAGING = ".put-"
Survivorship = Literal["biased", "unknown", "point_in_time"]
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class StoreError(ValueError):
    """A version that is missing or whose bytes are no longer what was stored."""


@dataclass(frozen=True)
class EntryMeta:
    """What the arrays cannot say about themselves, as whoever stored them under this id sees it.

    The same content is stored once, whatever it is called. On the site, what a person calls it and what they know of
    it is in a row of theirs, and a run is given that in `provenance.json`. This here is for who has the store alone.
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
        """Store the bars as an entry of that id and give their sha256; damage is replaced.

        Arrays that are there already are not written again: they get one more entry, or other words for this id, or,
        where nothing is new, nothing.
        """
        version = bars.content_hash()
        with self.held():
            if not (self._is_whole(version) and self._tell(version, entry_meta)):
                self._write(version, bars, entry_meta)
        return version

    def load(self, version: str) -> Bars:
        """The bars of a version. Raises StoreError when they are missing or do not hash to `version` any more."""
        folder = self.folder(version)
        if not (folder / BARS).is_file():
            raise StoreError(f"dataset version {version[:12]} is not in the store")
        try:
            bars = decoded(folder / BARS, self.meta(version))
            same = bars.content_hash() == version and np.array_equal(read_sessions(folder / SESSIONS), bars.session)
        except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's faults are ValueError or OSError
            raise StoreError(f"dataset version {version[:12]} cannot be read; put it into the store again") from error
        if not same:
            raise StoreError(f"dataset version {version[:12]} is not what was stored; put it into the store again")
        return bars

    def meta(self, version: str) -> dict[str, Any]:
        """`meta.json` of a version: facts of the arrays, and `entries` by id.

        Raises StoreError when it is missing or is no such file.
        """
        try:
            value = json.loads((self.folder(version) / META).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"dataset version {version[:12]} has no readable {META}") from error
        if not isinstance(value, dict) or value.get("schema") not in (META_SCHEMA, *OLDER_SCHEMAS):
            raise StoreError(f"dataset version {version[:12]} has a {META} of another schema")
        found = _with_entries(value)
        if not isinstance(found.get("entries"), dict):
            raise StoreError(f"dataset version {version[:12]} has an incomplete {META}")
        return found

    def has(self, version: str) -> bool:
        """Whether the version is there, without reading its bars."""
        folder = self.folder(version)
        return (folder / META).is_file() and (folder / BARS).is_file()

    def size(self, version: str) -> int:
        """Bytes of the arrays on disk, 0 for a version that is not there; what they are called does not count."""
        folder = self.folder(version)
        return sum((folder / name).stat().st_size for name in (BARS, SESSIONS)) if self.has(version) else 0

    def remove(self, version: str) -> None:
        """Take the version away, whatever it is called: out of its place at once, then its files. Nothing happens where
        it is not.
        """
        if self.folder(version).is_dir():
            with self.held():
                self._take_away(version)

    def forget(self, version: str, id: str) -> bool:
        """Take this id's entry away; whether there are others. The arrays stay until `remove`."""
        with self._alone(version) as is_there:
            if not is_there:
                return False
            meta = self.meta(version)
            if meta["entries"].pop(id, None) is not None:
                write_json(self.folder(version) / META, meta)
            return bool(meta["entries"])

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

    def sweep(self, unwanted: Callable[[str, str], bool]) -> bool:
        """Take away what a killed process left half done, and each version of whose entries all are unwanted: asked of
        version and id, which is empty for a version without a name. Whether it was done: while anything is on its way
        nothing is touched.
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
                    if all(unwanted(version, id) for id in self.meta(version)["entries"] or ("",)):
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
            found = {name: numpy_of(table.column(f"{name}:{symbol}"), "<f8") for name in names}
            return found | {"known_at": numpy_of(table.column("known_at"), "<M8[ns]")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"dataset version {version[:12]} cannot be read; put it into the store again") from error

    def _is_whole(self, version: str) -> bool:
        try:
            self.load(version)
        except StoreError:
            return False
        return True

    def _write(self, version: str, bars: Bars, entry_meta: EntryMeta) -> None:
        """All of it anew. What a damaged version was called beside is kept where it can be read."""
        entries: dict[str, Any] = {}
        with contextlib.suppress(StoreError):
            entries = self.meta(version)["entries"]
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.root))
        try:
            _write_version(staging, bars, entries | _told(entry_meta))
            staging.chmod(0o750)
            self._move(staging, version, entry_meta)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        sync_folder(self.root)

    def _move(self, staging: Path, version: str, entry_meta: EntryMeta) -> None:
        """Into place: in that of a damaged one, or beside the words of who put the same content just before."""
        try:
            staging.replace(self.folder(version))
        except OSError:
            if not self.folder(version).is_dir():
                raise
            if self._is_whole(version) and self._tell(version, entry_meta):
                return
            self._take_away(version)
            staging.replace(self.folder(version))

    def _tell(self, version: str, entry_meta: EntryMeta) -> bool:
        """One more entry, or new words for one that is there; False where the version has gone meanwhile."""
        with self._alone(version) as is_there:
            if not is_there:
                return False
            meta, told = self.meta(version), _told(entry_meta)
            before = meta["entries"].get(entry_meta.id, {})
            said = told[entry_meta.id] | {name: before[name] for name in (STORED_AT,) if name in before}
            if said != before:
                meta["entries"][entry_meta.id] = said
                write_json(self.folder(version) / META, meta)
        return True

    @contextlib.contextmanager
    def _alone(self, version: str) -> Iterator[bool]:
        """While an entry of the version is changed: one at a time, or the words of one would overwrite another's.

        False where there is no such version, or not in its place any more.
        """
        try:
            descriptor = os.open(self.folder(version), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield False
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield self.has(version) and os.path.samestat(os.fstat(descriptor), self.folder(version).stat())
        finally:
            os.close(descriptor)


def read_sessions(path: Path) -> np.ndarray:
    """(T,) datetime64[D] out of `sessions.npy`."""
    value: np.ndarray = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return value


def _write_version(folder: Path, bars: Bars, entries: Mapping[str, Any]) -> None:
    write_bytes(folder / BARS, encoded(bars))
    sessions = io.BytesIO()
    np.save(sessions, bars.session, allow_pickle=False)
    write_bytes(folder / SESSIONS, sessions.getvalue())
    write_json(folder / META, _facts(bars) | {"entries": entries})


def _facts(bars: Bars) -> dict[str, Any]:
    """What is so of the arrays, whatever they are called."""
    return {
        "schema": META_SCHEMA,
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


def _told(entry_meta: EntryMeta) -> dict[str, dict[str, Any]]:
    """An entry by its id, as `meta.json` gives it back."""
    said: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(entry_meta)))
    return {said.pop("id"): said | {STORED_AT: datetime.now(UTC).isoformat(timespec="microseconds")}}


def _with_entries(value: dict[str, Any]) -> dict[str, Any]:
    """What an older version wrote knows one id, whose words stand among the facts."""
    if value["schema"] == META_SCHEMA:
        return value
    names = {each.name for each in dataclasses.fields(EntryMeta)} - {"id"} | {STORED_AT}
    told = {name: value[name] for name in sorted(names) if name in value}
    facts = {name: fact for name, fact in value.items() if name not in {*names, "id"}}
    return facts | {"schema": META_SCHEMA, "entries": {str(value.get("id")): told}}
