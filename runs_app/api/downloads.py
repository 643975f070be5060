"""Artifacts, files by key, the log by offset."""

import re
import uuid
from typing import Any, BinaryIO

from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput
from runfiles import layout
from runs_app import access, artifacts
from runs_app.api.files import AsyncResponse, pieces, pieces_async, read_at, size_and_tag
from runs_app.api.runs import ERRORS
from runs_app.api.shapes import ArtifactsShape, LogShape, artifact_row
from runs_app.models import Run

INLINE = {"text/plain", "text/csv", "application/json"}
LOG_CHUNK = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


FILE_ANSWERS: dict[Any, Any] = {
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    (206, "application/octet-stream"): OpenApiTypes.BINARY,
    304: OpenApiResponse(description="Not changed."),
    416: OpenApiResponse(description="The range lies outside the file."),
    **ERRORS,
}


class Artifacts(APIView):
    @extend_schema(responses={200: ArtifactsShape, **ERRORS})
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """What the run left behind: key, kind, bytes, sha256, address."""
        run = access.get_run(request.user, run_id)
        rows = [(artifact, layout.spec_for(artifact.key)) for artifact in run.artifacts.all()]
        return Response({"artifacts": [artifact_row(artifact, spec) for artifact, spec in rows if spec]})


class RunFile(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes.")],
        responses=FILE_ANSWERS,
    )
    def get(self, request: Request, run_id: uuid.UUID, key: str) -> HttpResponseBase:
        """One file by its key. Text, CSV and JSON may be shown; all else is a download."""
        run = access.get_run(request.user, run_id)
        spec = layout.spec_for(key)
        if spec is None:
            raise Http404
        try:
            file = artifacts.open_file(run.id, key)
        except FileNotFoundError as error:
            raise Http404 from error
        size, etag = size_and_tag(file)
        unchanged = request.headers.get("If-None-Match", "") == etag
        answer = HttpResponse(status=304) if unchanged else _body(request, file, size, etag)
        if not answer.streaming:  # a stream closes what it sends
            file.close()
        return _dressed(answer, run, spec, etag)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[object, str]:
        """A file is what it is: no Accept header is too narrow for it (errors are JSON)."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type


class Log(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("offset", int, description="Byte to read from; negative counts from the end.")],
        responses={200: LogShape, 400: ErrorOutput, **ERRORS},
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The job's output from a byte on, at most 64 KiB at a time; control bytes are shown as a mark."""
        run = access.get_run(request.user, run_id)
        offset = _offset(request)
        try:
            file = artifacts.open_file(run.id, "job_log")
        except FileNotFoundError:
            return Response({"offset": 0, "next_offset": 0, "size": 0, "text": "", "ended": run.is_terminal})
        with file:
            size, _ = size_and_tag(file)
            start = min(size, offset) if offset >= 0 else max(0, size + offset)
            text, stop = log_text(read_at(file, start, LOG_CHUNK), start, at_end=run.is_terminal)
        ended = run.is_terminal and stop >= size
        return Response({"offset": start, "next_offset": stop, "size": size, "text": text, "ended": ended})


def log_text(raw: bytes, start: int, *, at_end: bool) -> tuple[str, int]:
    """Text of `raw` and the offset behind it. A character that is cut off at the end waits for its other bytes."""
    if not (at_end and len(raw) < LOG_CHUNK):
        for back in range(1, min(4, len(raw) + 1)):
            byte = raw[-back]
            if byte >= 0xC0:  # first byte of a character of 2 to 4 bytes
                raw = raw[:-back] if back < (2 + (byte >= 0xE0) + (byte >= 0xF0)) else raw
                break
            if byte < 0x80:
                break
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("\ufffd", text), start + len(raw)


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "0")
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        raise ValidationError({"offset": ["Must be a whole number of bytes."]})
    return int(text)


def _dressed(answer: HttpResponseBase, run: Run, spec: layout.FileSpec, etag: str) -> HttpResponseBase:
    """Headers that keep a file a file: nothing in it may run on this site."""
    shown = spec.media_type in INLINE
    answer["Content-Disposition"] = f'{"inline" if shown else "attachment"}; filename="{_filename(run, spec)}"'
    answer["Content-Type"] = f"{spec.media_type}; charset=utf-8" if shown else spec.media_type
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-cache"
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = etag
    return answer


def _filename(run: Run, spec: layout.FileSpec) -> str:
    """Run, then baseline where there is one, then the file's own name: downloads of two runs do not collide."""
    baseline = spec.key.partition(".")[0] if "." in spec.key else ""
    return "-".join(word for word in (str(run.id)[:8], baseline, spec.filename) if word)


def _body(request: Request, file: BinaryIO, size: int, etag: str) -> HttpResponseBase:
    """The whole file, or the one range that was asked for."""
    start, stop, status = 0, size, 200
    asked = request.headers.get("Range", "")
    if asked and request.headers.get("If-Range", etag) == etag and (found := _range(asked, size)) is not None:
        (start, stop), status = found, 206
        if start >= stop:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    on_loop = isinstance(request._request, ASGIRequest)
    options: dict[str, Any] = {"status": status, "headers": {"Content-Length": str(stop - start)}}
    answer = (
        AsyncResponse(pieces_async(file, start, stop), **options)
        if on_loop
        else StreamingHttpResponse(pieces(file, start, stop), **options)
    )
    if status == 206:
        answer["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return answer


def _range(text: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last (not after the first: outside the file); None for what is to be ignored."""
    match = _RANGE.match(text)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    return start, stop
