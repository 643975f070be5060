"""Files of imported results: kept beside their run's configuration, dropped where the run judged nothing."""

import uuid
from pathlib import Path
from typing import Final

from marketdata.config_base import ConfigFault
from runfiles import layout
from runs_app import harvest, places
from runs_app.models import Run
from runs_app.upload_handler import DiskUpload

KEY: Final = "imported_result"
"""Of the artifact."""


def keep(file: DiskUpload, run_id: uuid.UUID) -> None:
    """Copy what was sent into the run directory: whole, hashed on the way, and on the disk before there is a row.

    Raises ConfigFault where it is not what was hashed when it came.
    """
    try:
        with Path(file.path).open("rb") as source:
            harvest.write_verified(source, places.run_folder(run_id) / layout.RESULT, file.sha256)
    except ValueError as error:
        raise ConfigFault({"file": ["The file changed while it was taken; send it again."]}) from error


def is_dropped(kind: str, state: str) -> bool:
    """Whether a run that ends so leaves no file: its sha256 and the sentence stay on the row."""
    return kind == Run.Kind.IMPORT and state in Run.TERMINAL and state != Run.State.SUCCEEDED


def drop(run_id: uuid.UUID) -> None:
    (places.run_folder(run_id) / layout.RESULT).unlink(missing_ok=True)


def sweep() -> None:
    """At the start of a server: files that one before it had no time to drop."""
    ended = Run.objects.filter(kind=Run.Kind.IMPORT, state__in=Run.TERMINAL).exclude(state=Run.State.SUCCEEDED)
    for run_id in ended.values_list("id", flat=True):
        drop(run_id)
