"""Training curves out of a run's TensorBoard files, read in the pool and kept for the next question.

The signature (inode, size and time of each file) is taken without opening anything: it makes the ETag, and a client
that has seen it gets 304 before a byte is parsed.
"""

import logging
import math
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

log = logging.getLogger(__name__)

Signature = tuple[tuple[str, int, int, int], ...]

KEPT_RUNS = 32
MAX_FILES = 64
MAX_POINTS = 20_000


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
class Curves:
    """Scalars of one run by tag, as (step, wall, value) in the order of steps."""

    signature: Signature = ()
    readers: dict[str, Any] = field(default_factory=dict)
    scalars: dict[str, list[tuple[int, float, float]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def signature(folder: Path) -> Signature:
    """Path, inode, size and time in ns of each event file below `folder`: regular files, no link followed."""
    found: list[tuple[str, int, int, int]] = []
    places = [folder]
    while places:
        for entry in _entries(places.pop()):
            if entry.is_dir(follow_symlinks=False):
                places.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False) and "tfevents" in entry.name:
                status = entry.stat(follow_symlinks=False)
                found.append((entry.path, status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(sorted(found)[:MAX_FILES])


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


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
            _read(found, now)
    return found


def _read(found: Curves, now: Signature) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # 0.25 s: not at start

    names = [f"{path}:{inode}" for path, inode, _, _ in now]
    for name, (path, _, _, _) in zip(names, now, strict=True):
        reader = found.readers.get(name)
        if reader is None:
            reader = found.readers[name] = EventAccumulator(path, size_guidance={"scalars": 0})
        _reload(reader, path)
    found.readers = {name: found.readers[name] for name in names}
    found.scalars = _merged(list(found.readers.values()))
    found.signature = now


def _reload(reader: Any, path: str) -> None:
    """What is whole is kept; a torn or foreign record ends this file's news and nothing else."""
    try:
        reader.Reload()
    except Exception as error:
        log.warning("event file %s: %s", Path(path).name, error)


def _merged(readers: list[Any]) -> dict[str, list[tuple[int, float, float]]]:
    scalars: dict[str, list[tuple[int, float, float]]] = {}
    for reader in readers:
        for tag in reader.Tags()["scalars"]:
            points = [(int(point.step), float(point.wall_time), float(point.value)) for point in reader.Scalars(tag)]
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
