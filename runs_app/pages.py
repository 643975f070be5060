"""Pages of runs and policies: fetch, ask a service, show. Every view fetches through `access`."""

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from marketdata.config_base import ConfigFault
from runfiles import layout, yamlio
from runfiles.events import PHASES
from runs_app import access, services
from runs_app.models import Policy, Run, RunEvent, RunQuerySet
from runs_app.report_reader import labels, read_calibration, read_json, read_leaks, read_summary
from runs_app.resume import NotResumable
from runs_app.resume_parent import can_go_on
from runs_app.titles import queue_mark

PER_PAGE = 50
EVENTS = 50
PARTS = ("outcome", "record", "trainings")
_NOT_OF: dict[str, tuple[str, ...]] = {
    Run.Kind.TRAIN: (), Run.Kind.BACKTEST: ("train", "validate"), Run.Kind.DATA: ("train", "validate", "judge"),
    Run.Kind.CALIBRATE: ("validate", "judge"),
}  # fmt: skip
"""Phases that a kind of run does not have."""


@login_required
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """All runs of this person, newest first; htmx asks for the table alone."""
    mine = Run.objects.owned_by(request.user).filter(parent=None).prefetch_related("children", "taken_over")
    page = Paginator(_filtered(mine, request).order_by("-created"), PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "page": page,
        "busy": any(run.is_active for run in page.object_list),
        "any": page.paginator.count > 0 or mine.exists(),
        "filters": {name: request.GET.get(name, "") for name in ("q", "kind", "state")},
        "states": Run.SHOWN,
        "kinds": Run.Kind,
        "query": query.urlencode(),
    }
    answer = render(request, "runs/_table.html" if _wants_fragment(request) else "runs/list.html", context)
    patch_vary_headers(answer, ("HX-Request",))
    return answer


def _wants_fragment(request: HttpRequest) -> bool:
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def _filtered(runs: RunQuerySet, request: HttpRequest) -> RunQuerySet:
    if kind := request.GET.get("kind"):
        runs = runs.filter(kind=kind)
    if state := request.GET.get("state"):
        runs = runs.shown_as(Run.ACTIVE if state == "active" else [state])  # `active`: the mark in the top bar
    for word in request.GET.get("q", "").split()[:8]:
        runs = runs.filter(_says(word))
    return runs


def _says(word: str) -> Q:
    found = Q(name__icontains=word) | Q(out_tag__icontains=word) | Q(dataset_name__icontains=word)
    found |= Q(subject__icontains=word) | Q(kind__istartswith=word)
    try:
        return found | Q(id=uuid.UUID(word))
    except ValueError:
        return found


@login_required
@require_safe
def detail(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A run while it works and after: state, phase, progress, curves, log, configuration, files."""
    run = access.get_run(request.user, run_id)
    return render(request, "runs/detail.html", _run_context(run))


@login_required
@require_safe
def detail_part(request: HttpRequest, run_id: uuid.UUID, part: str) -> HttpResponse:
    """A fragment of the run's page, asked for again whenever the run's `seq` moves."""
    run = access.get_run(request.user, run_id)
    if part not in PARTS:
        raise Http404
    return render(request, f"runs/_{part}.html", _run_context(run))


@login_required
@require_safe
def queue(request: HttpRequest) -> JsonResponse:
    """The mark in the top bar, which every open page asks for now and then."""
    return JsonResponse(queue_mark(request.user), headers={"Cache-Control": "private, no-store"})


@login_required
@require_POST
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    services.cancel_run(run=access.get_run(request.user, run_id))
    return redirect("runs:detail", run_id=run_id)


@login_required
@require_POST
def resume(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """On to the run that goes on, or the run's page again with the sentence why there is none."""
    run = access.get_run(request.user, run_id)
    try:
        return redirect("runs:detail", run_id=services.resume_training(run=run).id)
    except NotResumable as fault:
        said = str(fault)
    except ConfigFault as fault:
        said = fault.first
    return render(request, "runs/detail.html", _run_context(run) | {"not_resumed": said}, status=409)


@login_required
@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    mine = Policy.objects.owned_by(request.user).select_related("run").order_by("-created")
    page = Paginator(mine, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "runs/policies.html", {"page": page})


def _run_context(run: Run) -> dict[str, Any]:
    children = run.trainings
    files = [_file(artifact) for artifact in run.artifacts.order_by("key")]
    return {
        "run": run,
        "phases": _phases(run),
        "events": _events(run, children),
        "files": files,
        "of_baselines": any(file["baseline"] for file in files),
        "config_text": yamlio.dump(run.config),
        "dataset": read_json(run, "dataset"),
        "is_train": run.kind == Run.Kind.TRAIN,
        "has_curves": run.kind == Run.Kind.TRAIN and not run.is_parent,
        "children": children,
        "has_figures": any(child.metrics for child in children),
        "parent_id": run.id,
        "can_go_on": can_go_on(run),
        "another": _another(run),
        "gone_on": run.followed_by.filter(kind__in=Run.TRAINED).order_by("created") if run.is_terminal else [],
        "has_report": bool(run.metrics),
        "labels": labels(run, read_summary(run)) if run.metrics else {},
        "calibration": read_calibration(run) if run.kind == Run.Kind.CALIBRATE and run.is_terminal else {},
        "leaks": read_leaks(run) if run.kind == Run.Kind.LEAKS and run.is_terminal else {},
    }


_STARTED_AT: dict[str, str] = {
    Run.Kind.TRAIN: "train", Run.Kind.CV: "cv", Run.Kind.BACKTEST: "backtest", Run.Kind.DATA: "data",
    Run.Kind.IMPORT: "import", Run.Kind.CALIBRATE: "calibrate",
}  # fmt: skip


def _another(run: Run) -> str:
    """The form of this kind of run with this run's settings in it; of a child, those of the run that it is of."""
    run = run.parent or run
    page = _STARTED_AT.get(run.kind) or ("leaks" if "training" in run.config else "leaks-strategy")
    return f"{reverse(f'runs:{page}')}?like={run.id}"


def _events(run: Run, children: Sequence[Run]) -> list[tuple[RunEvent, str]]:
    """The newest, each with the name of the child whose it is; of a run that was taken over none, it is long past."""
    names = {child.id: child.member_name for child in children if child.parent_id == run.id}
    found = RunEvent.objects.filter(run__in=[run.id, *names]).exclude(kind="phase").order_by("-created", "-seq")
    if not names:
        return [(event, "") for event in found[:EVENTS]]
    told = [event for event in found[: 2 * EVENTS] if event.data.get("state") != Run.State.STARTING]
    heard = Counter(said for said, _ in {(_warned(event), event.run_id) for event in told} if said)
    newest = {_warned(event): event for event in reversed(told)}
    once = [event for event in told if not _warned(event) or newest[_warned(event)] is event]
    return [(event, "" if heard[_warned(event)] > 1 else names.get(event.run_id, "")) for event in once[:EVENTS]]


def _warned(event: RunEvent) -> str:
    """What a warning says, which every child on the same bars says too; empty of another event."""
    return str(event.data.get("sentence", "")) if event.kind == RunEvent.Kind.WARNING else ""


def _phases(run: Run) -> list[dict[str, str]]:
    """Each phase of this kind of run with `done`, `now` or empty."""
    if run.is_parent:
        names = ["train", "data", "judge", "report"]  # its children's, then its own
    else:
        names = [name for name in PHASES if name not in _NOT_OF.get(run.kind, _NOT_OF[Run.Kind.BACKTEST])]
    if run.state == Run.State.SUCCEEDED:
        return [{"name": name, "mark": "done"} for name in names]
    here = names.index(run.phase) if run.phase in names else -1
    marks = ["done" if place < here else "now" if place == here else "" for place in range(len(names))]
    return [{"name": name, "mark": mark} for name, mark in zip(names, marks, strict=True)]


def _file(artifact: Any) -> dict[str, Any]:
    spec = layout.spec_for(artifact.key)
    baseline = artifact.key.partition(".")[0] if "." in artifact.key else ""
    return {"key": artifact.key, "title": spec.title if spec else artifact.key, "bytes": artifact.bytes,
            "sha256": artifact.sha256, "baseline": baseline, "name": spec.filename if spec else ""}  # fmt: skip
