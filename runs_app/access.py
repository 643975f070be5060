"""The only way from a request to a row. Another person's object answers exactly like a missing one."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from runs_app.models import Dataset, Policy, Run, Upload


def get_run(user: Any, run_id: uuid.UUID) -> Run:
    """This person's run. Raises Http404."""
    found: Run = _one(Run.objects.owned_by(user).filter(pk=run_id), "run")
    return found


def get_policy(user: Any, policy_id: uuid.UUID) -> Policy:
    """This person's policy. Raises Http404."""
    found: Policy = _one(Policy.objects.owned_by(user).filter(pk=policy_id), "policy")
    return found


def get_dataset(user: Any, dataset_id: uuid.UUID) -> Dataset:
    """This person's dataset, or a sample. Raises Http404."""
    found: Dataset = _one(Dataset.objects.usable_by(user).filter(pk=dataset_id), "dataset")
    return found


def get_upload(user: Any, upload_id: uuid.UUID) -> Upload:
    """This person's upload, while its files are there. Raises Http404."""
    found: Upload = _one(Upload.objects.owned_by(user).filter(pk=upload_id), "upload")
    return found


def _one(found: QuerySet[Any], what: str) -> Any:
    row = found.first()
    if row is None:
        raise Http404(f"There is no such {what}.")
    return row
