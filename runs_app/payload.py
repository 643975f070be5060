"""The JSON of a run: the same by REST, WebSocket and SSE, built here and nowhere else."""

import uuid
from collections.abc import Mapping
from typing import Any

from runs_app import queueing
from runs_app.models import Run


def run_payload(run: Run, positions: Mapping[uuid.UUID, int] | None = None) -> dict[str, Any]:
    """Where a run stands, as a whole snapshot.

    `{"seq","id","kind","state","reason","queue_position","cancel_requested","phase","progress":{"step","total","rate",
    "eta_s"},"metrics":{},"updated"}`. `rate` in steps a second, `eta_s` in seconds; `queue_position` counts from 1, is
    0 while the job starts, else null; `metrics` are the job's latest, after the end the report's.
    `positions` saves a query for each run of a list.
    """
    return {
        "seq": run.seq,
        "id": str(run.id),
        "kind": run.kind,
        "state": run.shown_state,
        "reason": run.reason,
        "queue_position": _position(run, positions),
        "cancel_requested": run.cancel_requested,
        "phase": run.phase,
        "progress": {
            "step": run.progress_step,
            "total": run.progress_total,
            "rate": run.progress_rate,
            "eta_s": run.progress_eta,
        },
        "metrics": run.metrics if run.is_terminal and run.metrics else run.live,
        "updated": _time(run.updated),
    }


def run_detail(run: Run, positions: Mapping[uuid.UUID, int] | None = None) -> dict[str, Any]:
    """The payload and what does not change while a run is watched."""
    return run_payload(run, positions) | {
        "name": run.name,
        "out_tag": run.out_tag,
        "sentence": run.sentence,
        "config": run.config,
        "config_hash": run.config_hash,
        "dataset": {"id": run.dataset_name, "version": run.dataset_version},
        "subject": run.subject,
        "source_run": _id(run.source_run_id),
        "parent": _id(run.parent_id),
        "children": [str(child.id) for child in run.trainings],
        "taken_over": [str(run_id) for run_id in run.taken_over.values_list("id", flat=True)],
        "policy": _id(run.policy_id),
        "policies": [str(policy_id) for policy_id in run.policies.values_list("id", flat=True)],
        "created": _time(run.created),
        "started": _time(run.started),
        "ended": _time(run.ended),
        "duration_s": run.duration_s,
        "peak_rss_mb": run.peak_rss_mb,
        "verdict": run.verdict,
        "baselines": run.baselines,
        "warnings": run.warnings,
    }


def _position(run: Run, positions: Mapping[uuid.UUID, int] | None) -> int | None:
    if run.state == Run.State.STARTING:
        return 0
    if run.state != Run.State.QUEUED or run.queued is None:
        return None
    return (queueing.positions() if positions is None else positions).get(run.id)


def _time(moment: Any) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _id(value: Any) -> str | None:
    return str(value) if value else None
