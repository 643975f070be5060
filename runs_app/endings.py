"""From how a job ended to how its run ended, and the one transaction that says so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from runfiles import outcome
from runs_app import datasets, moves, parents, places, quota, results
from runs_app.harvest import Harvest, Stored
from runs_app.models import Artifact, Dataset, Policy, Run

GONE = "The run was interrupted: its process is gone and left no outcome (the machine restarted, or it was killed)."
NEVER = (
    "The run could not be started: its process never came to life. Start it again; the server's log has the details."
)


@dataclass(frozen=True)
class Ending:
    """What the row will say. `started` and `ended` are None where nobody noted them."""

    state: str
    reason: str
    sentence: str
    started: datetime | None = None
    ended: datetime | None = None
    duration_s: float | None = None
    peak_rss_mb: float | None = None

    @property
    def went_well(self) -> bool:
        return self.state == Run.State.SUCCEEDED


def interrupted(run: Run, reason: str, sentence: str) -> Ending:
    """No outcome, no process: what was asked to end has ended, all else was interrupted."""
    if run.cancel_requested:
        return Ending(Run.State.CANCELLED, "cancelled", "Cancelled.")
    return Ending(Run.State.INTERRUPTED, reason, sentence)


def of_outcome(found: outcome.Outcome) -> Ending:
    """What the shim wrote, as a state."""
    state = {"ok": Run.State.SUCCEEDED, "cancelled": Run.State.CANCELLED}.get(found["end"], Run.State.FAILED)
    reason = "" if state == Run.State.SUCCEEDED else found["end"]
    return Ending(state, reason, found["sentence"], _moment(found["started"]), _moment(found["ended"]),
                  found["duration_s"], found["peak_rss_mb"])  # fmt: skip


@transaction.atomic
def write(run: Run, ending: Ending, found: Harvest) -> int | None:
    """Row, event, artifacts and policies together; the event's seq, or None when the run had ended already."""
    state, reason, sentence = ending.state, ending.reason, ending.sentence
    if ending.went_well and (fault := found.fault or _no_room(run, found.dataset)):
        state, reason, sentence = Run.State.FAILED, "error", fault
    if state == Run.State.CANCELLED and run.is_parent:
        sentence = parents.so_far(run)
    ended = ending.ended or timezone.now()
    seq = moves.move(
        run.id, (Run.State.STARTING, Run.State.RUNNING), state, reason=reason, sentence=sentence,
        ended=ended, peak_rss_mb=ending.peak_rss_mb, metrics=found.metrics, verdict=found.verdict,
        baselines=found.baselines, progress_eta=None, **_times(run, ending, ended),
    )  # fmt: skip
    if seq is None:
        return None
    dropped = results.KEY if results.is_dropped(run.kind, state) else ""
    Artifact.objects.bulk_create(Artifact(run=run, **item) for item in found.files if item["key"] != dropped)
    if dropped:
        results.drop(run.id)
    if found.dataset is not None and state == Run.State.SUCCEEDED:
        _own(run, found.dataset)
    elif found.dataset is not None:
        datasets.drop_content(found.dataset.name, found.dataset.version)
    for kept in found.policies:
        if state == Run.State.SUCCEEDED:
            Policy.objects.create(
                id=kept.id, owner_id=run.owner_id, run=run, name=run.name or run.out_tag, which=kept.which,
                sha256=kept.sha256, bytes=kept.bytes, config=run.config,
            )  # fmt: skip
        else:
            places.policy_path(kept.id).unlink(missing_ok=True)
    return seq


def _times(run: Run, ending: Ending, ended: datetime) -> dict[str, Any]:
    """A parent began with its first child; of every other run, and of a parent that only judged, the shim knows."""
    if run.is_parent and run.started is not None:
        return {"duration_s": parents.took(run, ended)}
    begun = {"started": ending.started} if ending.started else {}
    return {"duration_s": ending.duration_s, **begun}


def _no_room(run: Run, made: Stored | None) -> str:
    if made is None or not (sentence := quota.fault(run.owner, made.name, made.version)):
        return ""
    return (
        f"What was fetched is not kept as a dataset. {sentence} Then fetch again; its prices are not asked for twice."
    )


def _own(run: Run, made: Stored) -> None:
    """The owner's row of a fetched dataset. Where the same bars came again it tells of the newer fetch."""
    key: dict[str, Any] = {"owner_id": run.owner_id, "name": made.name, "version": made.version}
    said: dict[str, Any] = {"title": made.title, "details": made.details}
    if not Dataset.objects.filter(**key).update(**said):
        Dataset.objects.bulk_create([Dataset(**key, **said)], ignore_conflicts=True)
    Run.objects.filter(pk=run.id).update(dataset_version=made.version)


def _moment(text: str) -> datetime | None:
    """A time of the shim's; what is no time with a zone is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
