"""Whether two runs left the same, and if not, where they part: what they were fed, what was learned, the first bar,
and then file by file. Compared are bytes, by sha256; a file is read only to say where it differs.
"""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.reproduce import may_differ
from rl.reproduce.first_bar import Cell, first_bar, first_cell, told
from rl.reproduce.kinds import Kind
from runfiles import layout, manifest
from runfiles.bundle import Bundle

_MOST_TOLD = 12


@dataclass(frozen=True)
class Found:
    """`compared` files; `parts`: where they part, the first first, none where they are identical."""

    compared: int
    differing: tuple[str, ...]
    parts: tuple[str, ...]


def compare(bundle: Bundle, folder: Path, kind: Kind) -> Found:
    """The bundle against the run directory of its second run."""
    theirs = bundle.entries
    ours = {entry["key"]: entry for entry in manifest.read(folder)}
    left_alone = frozenset(may_differ.FILES) | frozenset(kind.given)
    keys = [key for key in _ordered(theirs, ours) if key not in left_alone]
    differing = [
        key for key in keys if key not in theirs or key not in ours or theirs[key]["sha256"] != ours[key]["sha256"]
    ]
    parts = {key: part for key in differing if (part := _part(bundle, folder, key))}
    bar = first_bar(bundle.folder / layout.REPORT, folder / layout.REPORT)
    said = [parts[key] for key in _LEARNED if key in parts]
    said += [bar.sentence()] if bar else []
    said += [part for key, part in parts.items() if key not in _LEARNED]
    return Found(len(keys), tuple(parts), tuple(said[:_MOST_TOLD]))


_LEARNED = ("dataset", "progress", "model", "best_model", "judged_models")
"""What comes before a book, in the order in which it is made."""


def _ordered(*runs: dict[str, Any]) -> Iterator[str]:
    """Every key of the runs: what comes before a book, then as the layout has them, then baselines."""
    keys = dict.fromkeys(key for run in runs for key in run)
    yield from (key for key in _LEARNED if key in keys)
    yield from (key for key in layout.FILES if key in keys and key not in _LEARNED)
    yield from sorted(key for key in keys if key not in layout.FILES)


def _part(bundle: Bundle, folder: Path, key: str) -> str:
    """Where the file of that key differs, in a sentence; empty where it does so only in what may differ."""
    spec = layout.spec_for(key)
    assert spec is not None
    one, other = bundle.path(key), folder / spec.path
    if key not in bundle.entries:
        return f"{spec.path} was left by the second run alone."
    if not other.is_file():
        return f"{spec.path} was left by the first run alone."
    if one is None:
        return f"{spec.path} has another sha256; it is not in the bundle."
    if spec.path.endswith(".csv"):
        return _table_part(key, spec.path, one, other)
    if spec.path.endswith(".json"):
        return _json_part(spec.path, one, other)
    if spec.path.endswith(".zip"):
        return _zip_part(spec.path, one, other)
    return f"{spec.path} has another sha256."


def _table_part(key: str, path: str, one: Path, other: Path) -> str:
    leave_out = frozenset(may_differ.PROGRESS) if key == "progress" else frozenset()
    cell = first_cell(one, other, leave_out)
    if cell is None:
        return "" if leave_out else f"{path} differs in its line ends, or in the order of its columns."
    both = f"{told(cell.theirs)} in the bundle, {told(cell.ours)} here"
    return f"{path} differs first in {_row(key, cell)}: {cell.column} is {both}."


def _row(key: str, cell: Cell) -> str:
    if key == "progress" and (step := cell.values.get("time/total_timesteps")):
        return f"row {cell.row}, of step {step}"
    named = next((f"{name} {value}" for name in ("time", "id", "metric", "seed", "symbol", "period")
                  if (value := cell.values.get(name))), "")  # fmt: skip
    return f"row {cell.row}" + (f" ({named})" if named else "")


def _json_part(path: str, one: Path, other: Path) -> str:
    try:
        left, right = (json.loads(file.read_text(encoding="utf-8")) for file in (one, other))
    except (ValueError, RecursionError):
        return f"{path} is no JSON in one of the two."
    place, theirs, ours = _leaf(left, right, "") or ("its form", "other bytes", "other bytes")
    return f"{path} differs first at {place}: {_short(theirs)} in the bundle, {_short(ours)} here."


def _leaf(left: Any, right: Any, place: str) -> tuple[str, Any, Any] | None:
    """The first place at which two JSON values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys([*left, *right]):
            if found := _leaf(left.get(key), right.get(key), f"{place}.{key}".lstrip(".")):
                return found
        return None
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for at, (one, other) in enumerate(zip(left, right, strict=True)):
            if found := _leaf(one, other, f"{place}[{at}]"):
                return found
        return None
    return None if left == right and type(left) is type(right) else (place or "its top", left, right)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}…"


def _zip_part(path: str, one: Path, other: Path) -> str:
    try:
        left, right = (_members(file) for file in (one, other))
    except (OSError, zipfile.BadZipFile):
        return f"{path} has another sha256."
    for name in dict.fromkeys([*left, *right]):
        if left.get(name) != right.get(name):
            return f"{path} differs first in its member {name}."
    return f"{path} has another sha256, and the same members."


def _members(path: Path) -> dict[str, tuple[int, int]]:
    """Bytes and checksum of each member, from the directory alone: nothing is unpacked."""
    with zipfile.ZipFile(path) as archive:
        return {member.filename: (member.file_size, member.CRC) for member in archive.infolist()}
