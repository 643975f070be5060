"""A training with several seeds, or a walk-forward: a parent that waits for a run of each and then judges them all.

Everything follows from the rows of the children, so that it can be looked at again at any time, after a restart of the
server too. The parent ends with its last child: all of them succeeded, then it is queued for its own job, which finds
their policies in its run directory; or one did not, then it has failed, and the sentence names which and why. What the
others left stays theirs.
"""

import uuid
from collections.abc import Sequence

from django.utils import timezone

from runs_app import judged, moves, places
from runs_app.models import Run, RunEvent

Changed = list[tuple[uuid.UUID, int]]
"""Runs that were changed, with their newest seq."""
REASONS = {Run.Kind.TRAIN: "seeds", Run.Kind.CV: "folds"}
"""In one word why a parent failed whose children did not all succeed."""
_ENDED = {"FAILED": "failed", "CANCELLED": "was cancelled", "INTERRUPTED": "was interrupted"}


def settle(run: Run) -> Changed:
    """Bring a waiting parent as far as its children are."""
    children = run.trainings
    if not children:
        return _told(run, moves.note(run.id, [], queued=timezone.now()))  # it waits for nobody
    if run.cancel_requested:
        asked = [(child.id, moves.wish_cancel(child.id)) for child in children if not child.cancel_requested]
        if found := [(child_id, seq) for child_id, seq in asked if seq is not None]:
            return found
    if any(child.is_active for child in children):
        return _told(run, _follow(run, children))
    if run.cancel_requested:
        trained = sum(child.state == Run.State.SUCCEEDED for child in children)
        sentence = f"Cancelled; {trained} of {_count(run, children)} had been trained."
        return _told(run, _end(run, Run.State.CANCELLED, "cancelled", sentence))
    if sentence := missing(children):
        return _told(run, _end(run, Run.State.FAILED, REASONS[Run.Kind(run.kind)], sentence))
    try:
        bring(run)
    except (OSError, ValueError) as error:
        sentence = f"The policies could not be brought together ({str(error).rstrip('.')}); train again."
        return _told(run, _end(run, Run.State.FAILED, "error", sentence))
    said = {"state": str(Run.State.QUEUED), "sentence": f"All {_count(run, children)} are trained."}
    known = {"queued": timezone.now(), "progress_step": None, "progress_total": None}
    return _told(run, moves.note(run.id, [(str(RunEvent.Kind.STATE), said)], **known))


def missing(children: Sequence[Run]) -> str:
    """Which children did not succeed, and why; empty where all did."""
    ended = [child for child in children if child.state != Run.State.SUCCEEDED]
    told = [f"{child.member_name} {_ENDED[child.state]}: {child.sentence}".rstrip(": ") for child in ended]
    if not ended:
        return ""
    others = len(children) - len(ended)
    kept = f" What the other{'s' if others > 1 else ''} left is kept." if others else ""
    return " ".join(text if text.endswith(".") else f"{text}." for text in told) + kept


def bring(run: Run) -> None:
    """Copy each child's policy, by the sha256 that its row holds, beside the parent's configuration; the list of them
    comes last. Raises OSError, ValueError where one is not what it was.
    """
    judged.copy_members(judged.members_of(run, run.config["evaluation"]["policy"]), places.run_folder(run.id))


def _follow(run: Run, children: Sequence[Run]) -> int | None:
    """How many have ended, and when the first began; None where the row says so already."""
    done = sum(child.is_terminal for child in children)
    began = min((child.started for child in children if child.started is not None), default=None)
    if (run.phase, run.progress_step, run.progress_total, run.started) == ("train", done, len(children), began):
        return None
    news = [(RunEvent.Kind.PHASE, {"phase": "train"})] if run.phase != "train" else []
    return moves.note(
        run.id, [(str(kind), data) for kind, data in news], phase="train", progress_step=done,
        progress_total=len(children), started=began,
    )  # fmt: skip


def _count(run: Run, children: Sequence[Run]) -> str:
    """How many, and of what."""
    return f"{len(children)} {'trainings' if run.kind == Run.Kind.CV else 'seeds'}"


def _end(run: Run, state: str, reason: str, sentence: str) -> int | None:
    return moves.move(
        run.id, (Run.State.QUEUED,), state, reason=reason, sentence=sentence, ended=timezone.now(), progress_eta=None
    )


def _told(run: Run, seq: int | None) -> Changed:
    return [] if seq is None else [(run.id, seq)]
