"""tb/tags, tb/scalars, tb/scalars-batch: 304 by the files' signature before anything is parsed."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput
from runfiles import layout
from runs_app import access, places, tensorboard
from runs_app.api.files import tag_of
from runs_app.api.runs import ERRORS
from runs_app.api.shapes import BatchShape, SeriesShape, TagsShape
from runs_app.models import Run
from runs_app.pool import in_pool

DEFAULT_POINTS = 2000
MAX_TAGS = 200
POINTS = OpenApiParameter("max_points", int, description=f"2 to {tensorboard.MAX_POINTS}, default {DEFAULT_POINTS}.")
UNCHANGED = OpenApiResponse(description="Nothing new since this ETag.")


class CurveView(APIView):
    """A question about a run's event files, answered from the cache of parsed files."""

    def answer(self, request: Request, run: Run, ask: Callable[[Path], Any]) -> Response:
        folder = places.run_folder(run.id) / layout.TENSORBOARD
        etag = tag_of(request, [tuple(row[1:]) for row in tensorboard.signature(folder)])
        if request.headers.get("If-None-Match", "") == etag:
            return Response(status=304, headers={"ETag": etag, "Cache-Control": "private, no-cache"})
        return Response(in_pool(ask, folder), headers={"ETag": etag, "Cache-Control": "private, no-cache"})


class Tags(CurveView):
    @extend_schema(responses={200: TagsShape, 304: UNCHANGED, **ERRORS})
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Names of the curves."""
        return self.answer(request, access.get_run(request.user, run_id), tensorboard.tags)


class Scalars(CurveView):
    @extend_schema(
        parameters=[OpenApiParameter("tag", str, required=True), POINTS],
        responses={200: SeriesShape, 304: UNCHANGED, 400: ErrorOutput, **ERRORS},
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """One curve by column."""
        run = access.get_run(request.user, run_id)
        tag, points = request.query_params.get("tag", ""), _points(request)
        if not tag:
            raise ValidationError({"tag": ["Name one curve."]})

        def ask(folder: Path) -> Any:
            found = tensorboard.series(folder, [tag], points)
            if tag not in found:
                raise NotFound
            return found[tag]

        return self.answer(request, run, ask)


class ScalarsBatch(CurveView):
    @extend_schema(
        parameters=[
            OpenApiParameter("tag", str, many=True, description="A curve; repeat it. Good for names with commas."),
            OpenApiParameter("tags", str, description="Curves, divided by commas."),
            POINTS,
        ],
        responses={200: BatchShape, 304: UNCHANGED, 400: ErrorOutput, **ERRORS},
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Several curves by column; a name that has no curve yet is left out."""
        run = access.get_run(request.user, run_id)
        wanted = [*request.query_params.getlist("tag"), *request.query_params.get("tags", "").split(",")]
        wanted = [tag for tag in wanted if tag]
        if not 1 <= len(wanted) <= MAX_TAGS:
            raise ValidationError({"tag": [f"Name 1 to {MAX_TAGS} curves."]})
        points = _points(request)
        return self.answer(request, run, lambda folder: {"series": tensorboard.series(folder, wanted, points)})


def _points(request: Request) -> int:
    text = request.query_params.get("max_points", str(DEFAULT_POINTS))
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 2 <= int(text) <= tensorboard.MAX_POINTS):
        raise ValidationError({"max_points": [f"Must be a whole number from 2 to {tensorboard.MAX_POINTS}."]})
    return int(text)
