"""`seeds.json` of a run directory: which policies are judged together, `{"v":1,"seeds":[{"seed","sha256"}]}`.

The files lie at `layout.seed_policy(seed)`. Whoever puts them there writes the list last: with it, all are there.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfiles import atomic, layout, strict_json
from runfiles.hashes import sha256_of

VERSION = 1
MOST_SEEDS = 16


def content_of(files: Mapping[int, str]) -> bytes:
    """The list of seed → sha256 of its file."""
    rows = [{"seed": seed, "sha256": sha256} for seed, sha256 in files.items()]
    return (json.dumps({"v": VERSION, "seeds": rows}, indent=1) + "\n").encode()


def sha256_of_list(files: Mapping[int, str]) -> str:
    """Of the list itself, which names every file's."""
    return sha256_of(content_of(files))


def write(folder: Path, files: Mapping[int, str]) -> None:
    """Put the list there, after its files."""
    atomic.write_bytes(folder / layout.SEEDS_LIST, content_of(files))


def read(folder: Path, sha256: str | None = None) -> dict[int, str]:
    """Seed → sha256, in the order of the list; `sha256` of the list itself where that is known.

    Raises ValueError with one sentence for a list that is missing, another one, or not in this form.
    """
    try:
        content = (folder / layout.SEEDS_LIST).read_bytes()
    except OSError as error:
        raise ValueError(f"{layout.SEEDS_LIST} cannot be read in the run directory") from error
    if sha256 is not None and sha256_of(content) != sha256:
        raise ValueError(f"{layout.SEEDS_LIST} is not the list that was given: its sha256 differs")
    value = strict_json.read(content, layout.SEEDS_LIST)
    rows = value.get("seeds") if isinstance(value, dict) and value.get("v") == VERSION else None
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise ValueError(f"{layout.SEEDS_LIST} is not in the form that this version reads")
    found = {row["seed"]: row["sha256"] for row in rows}
    if not 1 < len(found) == len(rows) <= MOST_SEEDS:
        raise ValueError(f"{layout.SEEDS_LIST} must name 2 to {MOST_SEEDS} seeds, each once")
    return found


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    return type(row.get("seed")) is int and row["seed"] >= 0 and type(row.get("sha256")) is str
