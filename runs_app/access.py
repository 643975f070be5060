"""The only way from a request to a row. Another person's object answers exactly like a missing one."""

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404

from runs_app.models import Artifact, Dataset, Policy, Run


def get_run(user: Any, run_id: uuid.UUID) -> Run:
    """This person's run. Raises Http404."""
    found: Run = _one(Run.objects.owned_by(user).filter(pk=run_id), "run")
    return found


def get_policy(user: Any, policy_id: uuid.UUID) -> Policy:
    """This person's policy. Raises Http404."""
    found: Policy = _one(Policy.objects.owned_by(user).filter(pk=policy_id), "policy")
    return found


def get_artifact(user: Any, run_id: uuid.UUID, key: str) -> Artifact:
    """An artifact of this person's run by its key. Raises Http404."""
    found: Artifact = _one(Artifact.objects.owned_by(user).filter(run=run_id, key=key).select_related("run"), "file")
    return found


def datasets_for(user: Any) -> QuerySet[Dataset]:
    """This person's datasets and the samples."""
    return Dataset.objects.filter(Q(owner=user) | Q(owner=None))


def _one(found: QuerySet[Any], what: str) -> Any:
    row = found.first()
    if row is None:
        raise Http404(f"There is no such {what}.")
    return row
