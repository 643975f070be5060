"""The only way from a request to a row. Another person's object answers exactly like a missing one."""

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from runs_app.models import Dataset, Policy, Run, Upload


def get_run(user: Any, run_id: uuid.UUID) -> Run:
    """This person's run. Raises Http404."""
    found: Run = _one(Run.objects.owned_by(user).filter(pk=run_id), "run")
    return found


def get_run_like(user: Any, text: str, kinds: Collection[str]) -> Run:
    """This person's run of one of `kinds`, by its id as an address says it. Raises Http404."""
    found: Run = _one(Run.objects.owned_by(user).filter(pk=id_of(text), kind__in=kinds), "run")
    return found


def id_of(text: str) -> uuid.UUID:
    """Raises Http404: what is no id is of nothing."""
    try:
        return uuid.UUID(text)
    except ValueError as fault:
        raise Http404 from fault


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
