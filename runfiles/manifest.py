"""`manifest.json`: every artifact of a run with bytes and sha256, written last; and what exists without one.

`{"v":1,"files":[{"key","kind","bytes","sha256"}]}`, in the order of the layout table. The log and the events still grow
when it is written, so they are not in it; whoever reads a run after its end hashes them then.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from runfiles import atomic, layout

VERSION = 1
MAX_BYTES = 4 * 1024 * 1024
GROWING = frozenset({"job_log", "events"})
_BLOCK = 1 << 20


class Entry(TypedDict):
    key: str
    kind: str
    bytes: int
    sha256: str


class ManifestError(ValueError):
    """The manifest is missing, is none, or a file is not what it says; the message is one sentence."""


def existing(folder: Path) -> Iterator[layout.FileSpec]:
    """The files of the layout table that are there: regular files, no links."""
    for spec in layout.FILES.values():
        if _is_regular(folder / spec.path):
            yield spec
    baselines = folder / layout.REPORT / layout.BASELINES
    for name in sorted(item.name for item in baselines.iterdir()) if baselines.is_dir() else ():
        for table in layout.REPORT_FILES:
            spec_or_none = layout.spec_for(f"{name}.{table}")
            if spec_or_none is not None and _is_regular(folder / spec_or_none.path):
                yield spec_or_none


def entry(folder: Path, spec: layout.FileSpec) -> Entry:
    """Bytes and sha256 of one file. Raises OSError where it cannot be read."""
    size, digest = 0, hashlib.sha256()
    descriptor = os.open(folder / spec.path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as stream:
        while block := stream.read(_BLOCK):
            size += len(block)
            digest.update(block)
    return Entry(key=spec.key, kind=spec.kind, bytes=size, sha256=digest.hexdigest())


def write(folder: Path) -> None:
    """Hash what the job has written and say so; call it last."""
    files = [entry(folder, spec) for spec in existing(folder) if spec.key not in GROWING | {"manifest"}]
    atomic.write_json(folder / layout.MANIFEST, {"v": VERSION, "files": files})


def read(folder: Path) -> list[Entry]:
    """What the manifest promises. Raises ManifestError."""
    try:
        with (folder / layout.MANIFEST).open("rb") as stream:
            value = json.loads(stream.read(MAX_BYTES))
    except FileNotFoundError as error:
        raise ManifestError("the job left no manifest") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError("the manifest cannot be read") from error
    files = value.get("files") if isinstance(value, dict) and value.get("v") == VERSION else None
    if not isinstance(files, list) or not all(_is_entry(item) for item in files):
        raise ManifestError("the manifest is not in the form that this version reads")
    return [Entry(key=item["key"], kind=item["kind"], bytes=item["bytes"], sha256=item["sha256"]) for item in files]


def verified(folder: Path) -> list[Entry]:
    """The manifest's entries after each file was hashed again. Raises ManifestError naming the first that differs."""
    entries = read(folder)
    for promised in entries:
        spec = layout.spec_for(promised["key"])
        if spec is None:
            raise ManifestError(f"the manifest names {promised['key']!r}, which is no artifact")
        try:
            found = entry(folder, spec)
        except OSError as error:
            raise ManifestError(f"{spec.path} is in the manifest but cannot be read") from error
        if (found["bytes"], found["sha256"]) != (promised["bytes"], promised["sha256"]):
            raise ManifestError(f"{spec.path} is not the file that the manifest names")
    return entries


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _is_entry(value: object) -> bool:
    return (isinstance(value, dict) and isinstance(value.get("key"), str) and isinstance(value.get("kind"), str)
            and isinstance(value.get("bytes"), int) and isinstance(value.get("sha256"), str))  # fmt: skip
