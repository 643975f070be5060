"""How a row changes: compare-and-set, and the event that tells of it, in one transaction."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runs_app.models import Run, RunEvent

News = tuple[str, dict[str, Any]]
"""Kind and data of a RunEvent."""


@transaction.atomic
def move(
    run_id: uuid.UUID, old: Collection[str], new: str, *, unless_cancelled: bool = False, **changes: Any
) -> int | None:
    """Bring a run from one of the `old` states to `new`; the event's seq, or None when the run was elsewhere by then.

    `changes` are further columns of the row. With `unless_cancelled` a run whose owner wants it cancelled stays.
    """
    found = Run.objects.filter(pk=run_id, state__in=old)
    if unless_cancelled:
        found = found.filter(cancel_requested_at=None)
    if found.update(state=new, seq=F("seq") + 1, updated=timezone.now(), **changes) != 1:
        return None
    told = {name: changes[name] for name in ("reason", "sentence") if changes.get(name)}
    return _write(run_id, [(RunEvent.Kind.STATE, {"state": str(new), **told})])


@transaction.atomic
def note(run_id: uuid.UUID, news: Sequence[News], **changes: Any) -> int | None:
    """Change columns of an active run and record the news in order; the newest seq, or None when it has ended."""
    found = Run.objects.filter(pk=run_id, state__in=Run.ACTIVE)
    if found.update(seq=F("seq") + len(news), updated=timezone.now(), **changes) != 1:
        return None
    return _write(run_id, news)


@transaction.atomic
def wish_cancel(run_id: uuid.UUID) -> int | None:
    """Leave the wish on the row, once; the event's seq, or None when it was there already or the run has ended."""
    found = Run.objects.filter(pk=run_id, state__in=Run.ACTIVE, cancel_requested_at=None)
    now = timezone.now()
    if found.update(cancel_requested_at=now, seq=F("seq") + 1, updated=now) != 1:
        return None
    return _write(run_id, [(RunEvent.Kind.CANCEL, {})])


def _write(run_id: uuid.UUID, news: Sequence[News]) -> int:
    """The row's seq was raised in this transaction, so the last of these numbers is ours alone."""
    newest: int = Run.objects.values_list("seq", flat=True).get(pk=run_id)
    first = newest - len(news) + 1
    RunEvent.objects.bulk_create(
        RunEvent(run_id=run_id, seq=first + place, kind=kind, data=data) for place, (kind, data) in enumerate(news)
    )
    return newest
