"""A training with several seeds, or a walk-forward: a parent that waits for a run of each and then judges them all.

Everything follows from the rows of the children, so that it can be looked at again at any time, after a restart of the
server too. The parent ends with its last child: all of them succeeded, then it is queued for its own job, which finds
their policies in its run directory; or one did not, then it has failed, and the sentence names which and why. What the
others left stays theirs.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Prefetch
from django.utils import timezone

from runfiles.disk import is_full
from runs_app import judged, moves, places
from runs_app.harvest import cause
from runs_app.models import Run, RunEvent

log = logging.getLogger(__name__)

Changed = list[tuple[uuid.UUID, int]]
"""Runs that were changed, with their newest seq."""
PARTS = {Run.Kind.TRAIN: "seeds", Run.Kind.CV: "folds"}
"""What the children of a parent are, and in one word why it failed where they did not all succeed."""
SAVE_EVERY: Final = timedelta(seconds=1)
"""Progress alone is written no more often."""
_ENDED = {"FAILED": "failed", "CANCELLED": "was cancelled", "INTERRUPTED": "was interrupted"}
_PASSED = frozenset({"validate", "judge", "report"})
"""Phases of a child behind its training."""
_PROGRESS = ("progress_step", "progress_total", "progress_rate", "progress_eta")
_NEEDED = ("state", "parent", "cancel_requested_at", "started", "duration_s", "phase", "updated", *_PROGRESS)


def waiting() -> list[Run]:
    """Every parent that waits, with its children; three queries, however many there are, and no JSON."""
    brief = Run.objects.only(*_NEEDED)
    parents = Run.objects.all().waiting_for_children().only(*_NEEDED)
    return list(parents.prefetch_related(Prefetch("children", brief), Prefetch("taken_over", brief)))


class Parents:
    """Brings waiting parents as far as their children are. It holds copying under way, which a new one begins again."""

    def __init__(self, pool: Executor, woken: Callable[[], None]) -> None:
        self._pool = pool
        self._woken = woken
        self._brought: dict[uuid.UUID, Future[None]] = {}

    def settle(self, run: Run) -> Changed:
        """One step with one of those that `waiting` gives."""
        children = [*run.children.all(), *run.taken_over.all()]
        if not children:
            return _told(run, moves.note(run.id, [], queued=timezone.now()))  # it waits for nobody
        if run.cancel_requested:
            asked = [(child.id, moves.wish_cancel(child.id)) for child in children if not child.cancel_requested]
            if found := [(child_id, seq) for child_id, seq in asked if seq is not None]:
                return found
        if any(child.is_active for child in children):
            return _told(run, _follow(run, children))
        return _told(run, self._after_all(Run.objects.get(pk=run.id)))

    def _after_all(self, run: Run) -> int | None:
        """The last child has ended."""
        children = run.trainings
        run.started = _began(run, children)
        if run.cancel_requested:
            self._brought.pop(run.id, None)
            return _end(run, Run.State.CANCELLED, "cancelled", so_far(run))
        if sentence := missing(children):
            return _end(run, Run.State.FAILED, PARTS[Run.Kind(run.kind)], sentence)
        try:
            if not self._bring(run):
                return None
        except (OSError, ValueError) as error:
            of = f"The policies of the {PARTS[Run.Kind(run.kind)]}"
            sentence = f"{of} could not be brought together ({cause(error)}); resume this training."
            return _end(run, Run.State.FAILED, "disk" if is_full(error) else "error", sentence)
        said = {"state": str(Run.State.QUEUED), "sentence": f"All {_count(run, children)} are trained."}
        known = {"queued": timezone.now(), "started": run.started, **dict.fromkeys(_PROGRESS)}
        return moves.note(run.id, [(str(RunEvent.Kind.STATE), said)], **known)

    def _bring(self, run: Run) -> bool:
        """Whether all policies are there; they are copied and hashed in the pool. Raises OSError, ValueError."""
        work = self._brought.get(run.id)
        if work is None:
            members = judged.members_of(run, run.config["evaluation"]["policy"])
            work = self._pool.submit(judged.copy_members, members, places.run_folder(run.id))
            self._brought[run.id] = work
            work.add_done_callback(lambda _: self._woken())
        if not work.done():
            return False
        del self._brought[run.id]
        work.result()
        return True


def missing(children: Sequence[Run]) -> str:
    """Which children did not succeed, and why; empty where all did."""
    ended = [child for child in children if child.state != Run.State.SUCCEEDED]
    told = [f"{child.member_name} {_ENDED[child.state]}: {child.sentence}".rstrip(": ") for child in ended]
    if not ended:
        return ""
    others = len(children) - len(ended)
    kept = f" What the other{'s' if others > 1 else ''} left is kept." if others else ""
    return " ".join(text if text.endswith(".") else f"{text}." for text in told) + kept


def so_far(run: Run) -> str:
    """The end of a parent that was cancelled, for a person."""
    children = run.trainings
    trained = sum(child.state == Run.State.SUCCEEDED for child in children)
    return f"Cancelled; {trained} of {_count(run, children)} had been trained."


def took(run: Run, ended: datetime) -> float | None:
    """Seconds between the start of a parent's first child and its end."""
    return None if run.started is None else round((ended - run.started).total_seconds(), 3)


def _follow(run: Run, children: Sequence[Run]) -> int | None:
    """How far they are together, and when the first began; None where the row says so already."""
    known = {"phase": "train", "started": _began(run, children), **_progress(run, children)}
    changed = {name for name, value in known.items() if getattr(run, name) != value}
    if not changed or (changed <= set(_PROGRESS) and timezone.now() - run.updated < SAVE_EVERY):
        return None
    news = [(str(RunEvent.Kind.PHASE), {"phase": "train"})] if run.phase != "train" else []
    return moves.note(run.id, news, **known)


def _began(run: Run, children: Sequence[Run]) -> datetime | None:
    """Of its own children alone: what it has taken over was trained before it was there."""
    return min((child.started for child in children if child.started and child.parent_id == run.id), default=None)


def _progress(run: Run, children: Sequence[Run]) -> dict[str, Any]:
    """Steps of all children together. How many one of them has is known from the first that is seen to train."""
    totals = [child.progress_total or 0 for child in children if child.phase == "train"]
    each = max(totals, default=0) or (run.progress_total or 0) // len(children)
    if not each:
        return dict.fromkeys(_PROGRESS)
    step, total = sum(_steps(child, each) for child in children), each * len(children)
    rates = [child.progress_rate or 0.0 for child in children if child.is_active and child.phase == "train"]
    rate = sum(rates) or None
    left = _left(children, (total - step) / rate if rate else None)
    return dict(zip(_PROGRESS, (step, total, rate, left), strict=True))


def _left(children: Sequence[Run], training: float | None) -> float | None:
    """Seconds until the last child ends. While one waits for its turn the others' steps do not tell, for each is judged
    before the next begins: how long those took that have succeeded does; unknown before the first has. Without one that
    waits, what is left of `training`.
    """
    at_work = [child for child in children if child.is_active]
    waits = sum(child.started is None for child in at_work)
    if not waits:
        return training
    took = [child.duration_s for child in children if child.state == Run.State.SUCCEEDED and child.duration_s]
    if not took:
        return None
    each, now = sum(took) / len(took), timezone.now()
    begun = [max(0.0, each - (now - child.started).total_seconds()) for child in at_work if child.started]
    return (waits * each + sum(begun)) / max(1, len(begun))


def _steps(child: Run, each: int) -> int:
    if child.state == Run.State.SUCCEEDED or child.phase in _PASSED:
        return each
    return min(child.progress_step or 0, each) if child.phase == "train" else 0


def _count(run: Run, children: Sequence[Run]) -> str:
    """How many, and of what."""
    return f"{len(children)} {'trainings' if run.kind == Run.Kind.CV else 'seeds'}"


def _end(run: Run, state: str, reason: str, sentence: str) -> int | None:
    now = timezone.now()
    return moves.move(
        run.id, (Run.State.QUEUED,), state, reason=reason, sentence=sentence, started=run.started, ended=now,
        duration_s=took(run, now), progress_eta=None,
    )  # fmt: skip


def _told(run: Run, seq: int | None) -> Changed:
    return [] if seq is None else [(run.id, seq)]
