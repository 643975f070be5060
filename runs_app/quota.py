"""How many datasets a person may have, and how many bytes of the store. The same bars under two names count once.

What others hold of the same bars is left aside: a count that fell for their sake would tell of them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Sum

from marketdata.store import Store
from runfiles import layout
from runs_app import places, results
from runs_app.models import Artifact, Dataset, Run


@dataclass(frozen=True)
class Held:
    """What a person has, and what they may have."""

    datasets: int
    bytes: int

    @property
    def datasets_allowed(self) -> int:
        return int(settings.DATASETS_PER_USER)

    @property
    def bytes_allowed(self) -> int:
        return int(settings.DATASET_BYTES_PER_USER)


def held(owner: Any) -> Held:
    """Rows, and bytes on disk of the versions that they name."""
    versions = list(Dataset.objects.owned_by(owner).values_list("version", flat=True))
    return Held(len(versions), sum(map(_bytes, set(versions))))


def full(owner: Any) -> str:
    """A sentence where nothing more can be stored, whatever it is; empty else. Asked before anything is read."""
    has = held(owner)
    if has.bytes < has.bytes_allowed:
        return _too_many(has)
    return (
        f"Your datasets hold {has.bytes:,} bytes of the store, and {has.bytes_allowed:,} are allowed: nothing more "
        "fits; delete what you no longer need."
    )


def no_room_for_result(owner: Any, bytes: int) -> str:
    """A sentence where a file to be imported is too much beside those that this person's runs hold; empty else.

    To be asked within the transaction that makes the run's row, as `fault` is. Runs that have ended say in their rows
    what they hold; only of those that have not is the file looked at.
    """
    mine = Run.objects.owned_by(owner).filter(kind=Run.Kind.IMPORT)
    judged = Artifact.objects.filter(run__in=mine, key=results.KEY).aggregate(held=Sum("bytes"))["held"] or 0
    active = mine.filter(state__in=Run.ACTIVE).values_list("id", flat=True)
    kept = judged + sum(_size(places.run_folder(run_id) / layout.RESULT) for run_id in active)
    allowed = int(settings.DATASET_BYTES_PER_USER)
    if kept + bytes <= allowed:
        return ""
    return (
        f"Your imported results hold {kept:,} bytes, this one would add {bytes:,}, and {allowed:,} are allowed. Files "
        "that could not be judged are dropped by themselves, those of reports are kept: ask whoever runs the server "
        "to allow more (STOCKBOT_DATASET_MIB_PER_USER)."
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # its run directory was removed


def fault(owner: Any, name: str, version: str) -> str:
    """A sentence where a row of this stored version would be too much; empty else.

    To be asked within the transaction that makes the row: it holds the lock of writers, so that two at once cannot both
    pass.
    """
    mine = Dataset.objects.owned_by(owner).filter(version=version)
    if mine.filter(name=name).exists():
        return ""  # told anew, not stored
    has = held(owner)
    return _too_many(has) or ("" if mine.exists() else _too_large(has, _bytes(version)))


def _too_many(has: Held) -> str:
    if has.datasets < has.datasets_allowed:
        return ""
    return (
        f"You have {has.datasets:,} datasets (each version counts), this would be one more, and "
        f"{has.datasets_allowed:,} are allowed; delete what you no longer need."
    )


def _too_large(has: Held, bytes: int) -> str:
    if has.bytes + bytes <= has.bytes_allowed:
        return ""
    return (
        f"Your datasets hold {has.bytes:,} bytes of the store, this one would add {bytes:,}, and "
        f"{has.bytes_allowed:,} are allowed; delete what you no longer need."
    )


def _bytes(version: str) -> int:
    return Store(Path(settings.DATASETS_ROOT)).size(version)
