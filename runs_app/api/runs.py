"""Lists and single runs."""

import base64
import binascii
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput, shortened
from runs_app import access, queueing, services
from runs_app.api.shapes import RunDetailShape, RunPageShape, RunPatch, run_full, run_row
from runs_app.models import Run, RunQuerySet

PAGE, MOST = 50, 200
ERRORS: dict[int, Any] = {401: ErrorOutput, 404: ErrorOutput}
SHOWN = [str(state) for state in Run.SHOWN]
FILTERS = {"state", "kind", "parent", "limit", "after"}


class RunList(APIView):
    @extend_schema(
        operation_id="runs_list",
        parameters=[
            OpenApiParameter("state", str, many=True, enum=SHOWN),
            OpenApiParameter("kind", str, many=True, enum=Run.Kind.values),
            OpenApiParameter("parent", uuid.UUID, description="A training whose seeds are listed, which else are not."),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("after", str, description="Where the page before ended; take it from `next`."),
        ],
        responses={200: RunPageShape, 400: ErrorOutput, 401: ErrorOutput},
    )
    def get(self, request: Request) -> Response:
        """Your runs, newest first. The runs of a training's seeds stand under it: ask for them by `parent`."""
        _refuse_unknown(request)
        limit = _limit(request)
        runs = _after(_filtered(Run.objects.owned_by(request.user), request), request.query_params.get("after", ""))
        page = list(runs.order_by("-created", "-id")[: limit + 1])
        more = len(page) > limit
        positions = queueing.positions()
        rows = [run_row(run, positions) for run in page[:limit]]
        return Response({"results": rows, "next": _next(request, page[limit - 1]) if more else None})


class RunDetail(APIView):
    @extend_schema(responses={200: RunDetailShape, **ERRORS})
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """One run in full."""
        return Response(run_full(access.get_run(request.user, run_id)))

    @extend_schema(request=RunPatch, responses={200: RunDetailShape, 400: ErrorOutput, **ERRORS})
    def patch(self, request: Request, run_id: uuid.UUID) -> Response:
        """Changes the name; every other field is refused."""
        run = access.get_run(request.user, run_id)
        if not isinstance(request.data, dict):
            raise ValidationError({"body": ["The body must be a JSON object."]})
        if unknown := shortened(set(request.data) - {"name"}):
            raise ValidationError({field: ["This field cannot be changed; only name can."] for field in unknown})
        form = RunPatch(data=request.data)
        form.is_valid(raise_exception=True)
        run.name = form.validated_data["name"]
        run.save(update_fields=["name"])
        return Response(run_full(run))


class CancelRun(APIView):
    @extend_schema(request=None, responses={202: RunDetailShape, **ERRORS})
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Asks the run to stop. A run that has ended stays as it is."""
        run = access.get_run(request.user, run_id)
        services.cancel_run(run=run)
        run.refresh_from_db()
        return Response(run_full(run), status=status.HTTP_202_ACCEPTED)


def _refuse_unknown(request: Request) -> None:
    unknown = shortened(set(request.query_params) - FILTERS - {"format"})
    if unknown:
        raise ValidationError({name: [f"Unknown filter; use {', '.join(sorted(FILTERS))}."] for name in unknown})


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise ValidationError({"limit": [f"Must be a whole number from 1 to {MOST}."]})
    return int(text)


def _filtered(runs: RunQuerySet, request: Request) -> RunQuerySet:
    parent = _parent(request)
    runs = runs.filter(Q(parent=parent) | Q(taken_by=parent)).distinct() if parent else runs.filter(parent=None)
    if states := _chosen(request, "state", SHOWN):
        runs = runs.shown_as(states)
    if kinds := _chosen(request, "kind", Run.Kind.values):
        runs = runs.filter(kind__in=kinds)
    return runs


def _parent(request: Request) -> uuid.UUID | None:
    """None asks for what has none."""
    if not (text := request.query_params.get("parent", "")):
        return None
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ValidationError({"parent": ["Must be the id of a run."]}) from error


def _chosen(request: Request, name: str, choices: Sequence[str]) -> list[str]:
    """Values of a repeatable parameter. Raises ValidationError for one that is no choice."""
    wanted: list[str] = request.query_params.getlist(name)
    if any(word not in choices for word in wanted):
        raise ValidationError({name: [f"Must be one of {', '.join(choices)}."]})
    return wanted


def _after(runs: QuerySet[Run], cursor: str) -> QuerySet[Run]:
    """Rows that come after the cursor's row: keyset, so that new runs do not shift the pages."""
    if not cursor:
        return runs
    try:
        moment, _, run_id = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition(" ")
        created, last = datetime.fromisoformat(moment), uuid.UUID(run_id)
        if created.tzinfo is None:
            raise ValueError("a moment without a zone")
        created = created.astimezone(UTC)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise ValidationError({"after": ["Is no place in the list; take it from `next`."]}) from error
    return runs.filter(Q(created__lt=created) | Q(created=created, id__lt=last))


def _next(request: Request, last: Run) -> str:
    query = [(name, value) for name, values in request.query_params.lists() for value in values if name != "after"]
    cursor = base64.urlsafe_b64encode(f"{last.created.isoformat()} {last.id}".encode()).decode()
    return f"{request.path}?{urlencode([*query, ('after', cursor)])}"
