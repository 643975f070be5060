"""Training curves out of a run's TensorBoard files, read in the pool and kept for the next question.

The signature (inode, size and time of each file) is taken without opening a file: it makes the ETag, and a client that
has seen it gets 304 before a byte is parsed. Folders and files are opened descriptor by descriptor below the run's
folder, so that a link that a job puts in the place of one leads nowhere.
"""

import logging
import math
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np

from runfiles.records import records
from runs_app import artifacts

log = logging.getLogger(__name__)

Signature = tuple[tuple[str, int, int, int], ...]

KEPT_RUNS = 32
MAX_FILES = 64
MAX_POINTS = 20_000
MAX_DEPTH = 4  # folders below the run's

Scalars = dict[str, list[tuple[int, float, float]]]


class Tag(TypedDict):
    tag: str
    last_step: int
    n: int


class Series(TypedDict):
    """Columns of one tag: `step` and `wall` (seconds since 1970), `value` with null for what is not finite."""

    tag: str
    step: list[int]
    wall: list[float]
    value: list[float | None]
    n_total: int
    downsampled: bool


@dataclass
class _Reader:
    """What has been read of one file, up to the byte `offset`."""

    offset: int = 0
    scalars: Scalars = field(default_factory=dict)


@dataclass
class Curves:
    """Scalars of one run by tag, as (step, wall, value) in the order of steps."""

    signature: Signature = ()
    readers: dict[tuple[str, int], _Reader] = field(default_factory=dict)
    scalars: Scalars = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def signature(folder: Path) -> Signature:
    """Path below `folder`, inode, size and time in ns of each event file: regular files, no link followed.

    `folder` is one in a run's folder; where one of the two is a link there are no files.
    """
    try:
        run = os.open(folder.parent, artifacts.FOLDER)
    except OSError:
        return ()
    try:
        return tuple(sorted(_files(run, folder.name, ""))[:MAX_FILES])
    finally:
        os.close(run)


def _files(above: int, name: str, prefix: str, depth: int = MAX_DEPTH) -> Iterator[tuple[str, int, int, int]]:
    """Event files of the folder `name` in the open folder `above`, and of those below it."""
    try:
        here = os.open(name, artifacts.FOLDER, dir_fd=above)
    except OSError:
        return
    try:
        with os.scandir(here) as entries:
            found = list(entries)
        for entry in found:
            if entry.is_dir(follow_symlinks=False) and depth > 1:
                yield from _files(here, entry.name, f"{prefix}{entry.name}/", depth - 1)
            elif entry.is_file(follow_symlinks=False) and "tfevents" in entry.name:
                status = os.stat(entry.name, dir_fd=here, follow_symlinks=False)
                yield prefix + entry.name, status.st_ino, status.st_size, status.st_mtime_ns
    except OSError as error:
        log.warning("event files of %s: %s", name, error.strerror)
    finally:
        os.close(here)


_kept: OrderedDict[str, Curves] = OrderedDict()
_kept_lock = threading.Lock()


def curves(folder: Path) -> Curves:
    """The run's curves as the files are now; what was read before is not read again."""
    with _kept_lock:
        found = _kept.setdefault(str(folder), Curves())
        _kept.move_to_end(str(folder))
        while len(_kept) > KEPT_RUNS:
            _kept.popitem(last=False)
    with found.lock:
        now = signature(folder)
        if now != found.signature:
            _read(found, now, folder)
    return found


def _read(found: Curves, now: Signature, folder: Path) -> None:
    readers: dict[tuple[str, int], _Reader] = {}
    for path, inode, size, _ in now:
        reader = found.readers.get((path, inode), _Reader())
        if size < reader.offset:
            reader = _Reader()  # written anew
        _read_on(reader, folder, path, inode)
        readers[path, inode] = reader
    found.readers, found.scalars, found.signature = readers, _merged(list(readers.values())), now


def _read_on(reader: _Reader, folder: Path, path: str, inode: int) -> None:
    """What is whole is kept; a torn or foreign record ends this file's news and nothing else."""
    try:
        descriptor = artifacts.open_below(folder.parent, [folder.name, *path.split("/")])
    except OSError:
        return  # gone, or replaced by a link, since the look
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_ino != inode:
            return
        stream.seek(reader.offset)
        block = stream.read(status.st_size - reader.offset)
    try:
        _take_records(reader, block)
    except Exception as error:
        log.warning("event file %s: %s", path, error)


def _take_records(reader: _Reader, block: bytes) -> None:
    """Add the whole records of `block`, which begins at the reader's offset. Raises on a record that is none."""
    from tensorboard.compat.proto.event_pb2 import Event  # not at start: it takes a while

    begun = reader.offset
    for record in records(block):
        event = Event.FromString(record.content)
        for value in event.summary.value:
            if value.HasField("simple_value"):
                point = (int(event.step), float(event.wall_time), float(value.simple_value))
                reader.scalars.setdefault(value.tag, []).append(point)
        reader.offset = begun + record.end


def _merged(readers: list[_Reader]) -> Scalars:
    scalars: Scalars = {}
    for reader in readers:
        for tag, points in reader.scalars.items():
            scalars.setdefault(tag, []).extend(points)
    for points in scalars.values():
        points.sort(key=lambda point: (point[0], point[1]))
    return dict(sorted(scalars.items()))


def tags(folder: Path) -> dict[str, list[Tag]]:
    """Every scalar tag with its last step and number of points. Histograms come with a later version: none."""
    found = curves(folder).scalars
    scalars = [Tag(tag=tag, last_step=points[-1][0], n=len(points)) for tag, points in found.items()]
    return {"scalars": scalars, "histograms": []}


def series(folder: Path, wanted: list[str], max_points: int) -> dict[str, Series]:
    """The wanted tags that exist, each thinned evenly to at most `max_points` points, first and last kept."""
    found = curves(folder).scalars
    return {tag: _thinned(tag, found[tag], max_points) for tag in dict.fromkeys(wanted) if tag in found}


def _thinned(tag: str, points: list[tuple[int, float, float]], max_points: int) -> Series:
    keep = points
    if len(points) > max_points:
        places = np.unique(np.linspace(0, len(points) - 1, max_points).round().astype(int))
        keep = [points[place] for place in places]
    return Series(
        tag=tag,
        step=[point[0] for point in keep],
        wall=[point[1] for point in keep],
        value=[point[2] if math.isfinite(point[2]) else None for point in keep],
        n_total=len(points),
        downsampled=len(keep) < len(points),
    )
