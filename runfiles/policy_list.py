"""`members.json` of a run directory: which policies are judged together as one subject, each with its sha256.

`{"v":1,"folds":[{"fold","day","bar"}],"policies":[{"fold","seed","sha256"}]}`: of several seeds `folds` is empty and
each `fold` null; of a walk-forward there is a policy for each fold and seed. The files lie at `layout.member_policy`.
Whoever puts them there writes the list last: with it, all are there.
"""

import datetime as dt
import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from runfiles import atomic, layout, strict_json
from runfiles.hashes import sha256_of

VERSION = 1
MOST_SEEDS = 16
MOST_FOLDS = 100


@dataclass(frozen=True)
class Start:
    """Where a fold, counted from 1, begins: its first decision, at the bar that is number `bar` (from 0) of `day`."""

    fold: int
    day: dt.date
    bar: int


@dataclass(frozen=True)
class Listed:
    """A policy of the list; `fold` is None outside a walk-forward."""

    fold: int | None
    seed: int
    sha256: str

    @property
    def path(self) -> str:
        """Of its file, below the run directory."""
        return layout.member_policy(self.seed, self.fold)


@dataclass(frozen=True)
class PolicyList:
    """Fold by fold, and in each the seeds in the same order."""

    policies: tuple[Listed, ...]
    folds: tuple[Start, ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        """Each once, in their order."""
        return tuple(dict.fromkeys(one.seed for one in self.policies))

    def content(self) -> bytes:
        folds = [{**asdict(one), "day": one.day.isoformat()} for one in self.folds]
        value = {"v": VERSION, "folds": folds, "policies": [asdict(one) for one in self.policies]}
        return (json.dumps(value, indent=1) + "\n").encode()

    @property
    def sha256(self) -> str:
        """Of the list itself, which names every file's."""
        return sha256_of(self.content())

    def write(self, folder: Path) -> None:
        """Put the list there, after its files."""
        atomic.write_bytes(folder / layout.MEMBERS_LIST, self.content())

    @classmethod
    def read(cls, folder: Path, sha256: str | None = None) -> Self:
        """The list of a run directory; `sha256` of the list itself where that is known.

        Raises ValueError with one sentence for a list that is missing, another one, or not in this form.
        """
        try:
            content = (folder / layout.MEMBERS_LIST).read_bytes()
        except OSError as error:
            raise ValueError(f"{layout.MEMBERS_LIST} cannot be read in the run directory") from error
        if sha256 is not None and sha256_of(content) != sha256:
            raise ValueError(f"{layout.MEMBERS_LIST} is not the list that was given: its sha256 differs")
        value = strict_json.read(content, layout.MEMBERS_LIST)
        try:
            found = cls(tuple(map(_listed, value["policies"])), tuple(map(_start, value["folds"])))
            known = value["v"] == VERSION
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{layout.MEMBERS_LIST} is not in the form that this version reads") from error
        if not known:
            raise ValueError(f"{layout.MEMBERS_LIST} is not in the form that this version reads")
        if fault := found._fault():
            raise ValueError(f"{layout.MEMBERS_LIST} {fault}")
        return found

    def _fault(self) -> str:
        """What is wrong with it, to follow its name; empty for a list that may be judged."""
        seeds = self.seeds
        if not 1 <= len(seeds) <= MOST_SEEDS or (not self.folds and len(seeds) < 2):
            return f"must name 2 to {MOST_SEEDS} seeds, of a walk-forward 1 to {MOST_SEEDS}"
        numbers = tuple(one.fold for one in self.folds)
        if numbers != tuple(range(1, len(numbers) + 1)) or len(numbers) > MOST_FOLDS:
            return f"must name at most {MOST_FOLDS} folds, counted from 1"
        places = [(one.day, one.bar) for one in self.folds]
        if any(later <= earlier for earlier, later in pairwise(places)):
            return "must name its folds in order of time"
        wanted = [(fold, seed) for fold in (numbers or (None,)) for seed in seeds]
        if [(one.fold, one.seed) for one in self.policies] != wanted:
            return "must name a policy for each fold and seed, each once"
        return ""


def member_name(seed: int, fold: int | None = None) -> str:
    """What a person calls one of several trainings."""
    return f"Seed {seed}" if fold is None else f"Fold {fold}, seed {seed}"


def _listed(row: Any) -> Listed:
    if row["fold"] is not None:
        _require_count(row["fold"])
    _require_count(row["seed"])
    if type(row["sha256"]) is not str:
        raise TypeError("sha256 must be text")
    return Listed(**row)


def _start(row: Any) -> Start:
    _require_count(row["fold"])
    _require_count(row["bar"])
    return Start(**{**row, "day": dt.date.fromisoformat(row["day"])})


def _require_count(value: Any) -> None:
    if type(value) is not int or value < 0:
        raise TypeError("must be a whole number, at least 0")
