"""What a run is called on a page when nobody named it, and the words of the mark in the top bar."""

from typing import Any

from backtest.registry import POLICY, label_of
from runs_app.models import Policy, Run


def run_title(run: Run) -> str:
    """`PPO us20 seed 0`, `PPO us20 4 folds seeds 0, 1`, `Equal weight on us20`, or the name that its owner gave."""
    if run.name:
        return run.name
    data = (run.dataset_name or run.config.get("dataset", {}).get("id", "")).rpartition("/")[2]
    if run.trains:
        return " ".join(filter(None, ("PPO", data, _folds(run), _seeds(run))))
    if run.kind == Run.Kind.DATA:
        return f"Fetch of {data}"
    if run.kind == Run.Kind.CALIBRATE:
        return f"Calibration of PPO on {data}"
    if run.kind == Run.Kind.LEAKS and "training" in run.config:
        return f"Leak check of a PPO configuration on {data}"
    title = f"{label_of(run.subject or POLICY)} on {data}"
    return f"Leak check of {title}" if run.kind == Run.Kind.LEAKS else title


def _folds(run: Run) -> str:
    if run.kind == Run.Kind.CV:
        return f"{run.config.get('split', {}).get('n_folds', '')} folds"
    return "" if run.fold is None else f"fold {run.fold}"


def _seeds(run: Run) -> str:
    return f"seed{'s' if len(run.seeds) > 1 else ''} {', '.join(map(str, run.seeds))}".rstrip()


def policy_title(policy: Policy) -> str:
    """`PPO us20 seed 0, best on validation (1f3a0c2e)`."""
    named = policy.name or (run_title(policy.run) if policy.run else "Policy")
    return f"{named}, {policy.get_which_display()} ({str(policy.id)[:8]})"


def queue_mark(user: Any) -> dict[str, str]:
    """`{"state", "words"}`: how many runs of this person work and wait; no words when none does."""
    active = Run.objects.owned_by(user).filter(state__in=Run.ACTIVE)
    states = list(active.exclude(state=Run.State.QUEUED, queued=None).values_list("state", flat=True))  # no parent
    running = states.count(Run.State.RUNNING)
    counts = ((running, "running"), (len(states) - running, "queued"))
    words = ", ".join(f"{count} {word}" for count, word in counts if count)
    return {"state": str(Run.State.RUNNING if running else Run.State.QUEUED), "words": words}
