"""Where a run lies on disk. Paths are made of ids alone; nothing that a client says is ever joined to a path."""

import uuid
from pathlib import Path

from django.conf import settings

from runs_app.models import Policy, Run


def run_folder(run_id: uuid.UUID) -> Path:
    """The run directory: what the job reads and leaves behind."""
    return Path(settings.RUNS_ROOT) / str(run_id)


def control_folder(run_id: uuid.UUID) -> Path:
    """Lock, start, cancel and exit: the shim's, never served."""
    return Path(settings.CONTROL_ROOT) / str(run_id)


def policy_file(policy: Policy) -> Path:
    return policy_path(policy.id)


def policy_path(policy_id: uuid.UUID) -> Path:
    return Path(settings.POLICIES_ROOT) / f"{policy_id}.zip"


def upload_folder(upload_id: uuid.UUID) -> Path:
    """Files of an upload, named by their numbers; never served."""
    return Path(settings.TMP_ROOT) / str(upload_id)


def make_folders(run: Run) -> tuple[Path, Path]:
    """(run directory, control folder), both new and closed to other users of the machine."""
    made = run_folder(run.id), control_folder(run.id)
    for folder in made:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o750)
    return made
