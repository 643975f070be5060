"""Datasets of a person: upload, commit, list, detail, bars, delete."""

import contextlib
import json
import uuid
from collections.abc import Iterator

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import ErrorOutput
from marketdata.files import supervise
from marketdata.files.column_map import DatasetRequest
from marketdata.files.limits import MAX_BYTES
from runs_app import access, bars_view, datasets, quota, uploads
from runs_app.api.dataset_shapes import (
    BarsShape,
    CommittedShape,
    DatasetDetailShape,
    DatasetsShape,
    RedShape,
    UploadInput,
    UploadShape,
    dataset_full,
    dataset_row,
    quota_row,
    upload_row,
)
from runs_app.api.errors import FAULTY
from runs_app.api.files import tag_of
from runs_app.api.parser import FormParser, StrictJSONParser
from runs_app.api.runs import ERRORS
from runs_app.pool import in_pool
from runs_app.upload_handler import LONG_TEXT, FilesTooLarge, disk_files

UNCHANGED = OpenApiResponse(description="Nothing new since this ETag.")
BARS_PARAMETERS = [
    OpenApiParameter("symbol", str, description="One symbol; the first where it is left out."),
    OpenApiParameter("start", str, description="First day, such as 2020-01-02."),
    OpenApiParameter("end", str, description="Last day, inside."),
    OpenApiParameter(
        "max_points", int, description=f"2 to {bars_view.MAX_POINTS}, default {bars_view.DEFAULT_POINTS}."
    ),
]
SENT = {"file", "members"}


class Busy(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The server reads other people's files just now; send the request again in a moment."
    wait = 10


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The files hold more than {MAX_BYTES:,} bytes."


class DatasetList(APIView):
    """The list, and the way in: an upload becomes a dataset by its commit."""

    def get_parsers(self) -> list[BaseParser]:
        return [FormParser()] if self.request and self.request.method == "POST" else [StrictJSONParser()]

    @extend_schema(operation_id="datasets_list", responses={200: DatasetsShape, 401: ErrorOutput})
    def get(self, request: Request) -> Response:
        """Your datasets and the samples, every version that a run can name, newest of a name first; and your quota."""
        rows = [dataset_row(row, entry) for row, entry in datasets.listed(request.user)]
        return Response({"datasets": rows, "quota": quota_row(quota.held(request.user))})

    @extend_schema(
        request={"multipart/form-data": UploadInput},
        responses={201: UploadShape, 400: ErrorOutput, 401: ErrorOutput, 413: ErrorOutput, 503: ErrorOutput},
    )
    def post(self, request: Request) -> Response:
        """Takes files of prices in file and one of members in members; answers with a preview and a guessed map."""
        try:
            sent = request.FILES
        except FilesTooLarge as fault:
            raise TooLarge from fault
        except RequestDataTooBig as fault:
            raise TooLarge(LONG_TEXT) from fault
        if unknown := sorted((set(sent) | set(request.data)) - SENT - {"csrfmiddlewaretoken"}):
            raise ValidationError(
                {name[:80]: ["Unknown field; send files in file, and members in members."] for name in unknown[:20]}
            )
        with _turns():
            prices, members = disk_files(request, "file"), disk_files(request, "members")
            upload, beside = uploads.receive_all(request.user, prices, members)
        return Response(upload_row(upload, beside), status=status.HTTP_201_CREATED)


class CommitDataset(APIView):
    @extend_schema(request=DatasetRequest, responses={201: CommittedShape, 400: RedShape, **ERRORS, 503: ErrorOutput})
    def post(self, request: Request, upload_id: uuid.UUID) -> Response:
        """Makes a dataset of an upload. A red report answers 400 with its sentences, and nothing is stored."""
        upload = access.get_upload(request.user, upload_id)
        if not isinstance(request.data, dict):
            raise ValidationError({"body": ["The body must be a JSON object."]})
        asked = DatasetRequest.model_validate_json(json.dumps(request.data), strict=True)
        try:
            with _turns():
                row, report = uploads.commit(request.user, upload, asked)
        except uploads.RedReport as red:
            answer = {"detail": FAULTY, "errors": red.errors, "report": red.report}
            return Response(answer, status=status.HTTP_400_BAD_REQUEST)
        found = dataset_row(row, datasets.entry_of(row)) | {"report": report}
        return Response(found, status=status.HTTP_201_CREATED, headers={"Location": found["url"]})


class DatasetDetail(APIView):
    @extend_schema(responses={200: DatasetDetailShape, **ERRORS, 503: ErrorOutput})
    def get(self, request: Request, dataset_id: uuid.UUID) -> Response:
        """One dataset: what it covers, its quality report, and your runs on it."""
        row = access.get_dataset(request.user, dataset_id)
        with _turns():
            report = uploads.quality(row)
        return Response(dataset_full(row, datasets.entry_of(row), report, datasets.used_by(row, request.user)))

    @extend_schema(responses={204: None, 400: ErrorOutput, **ERRORS})
    def delete(self, request: Request, dataset_id: uuid.UUID) -> Response:
        """Deletes one of yours that no run of yours needs; a sample stays."""
        datasets.remove(access.get_dataset(request.user, dataset_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DatasetBars(APIView):
    @extend_schema(
        parameters=BARS_PARAMETERS,
        responses={200: BarsShape, 304: UNCHANGED, 400: ErrorOutput, **ERRORS},
    )
    def get(self, request: Request, dataset_id: uuid.UUID) -> Response:
        """Bars of one symbol by column; null is no value, and more than max_points are joined evenly."""
        row = access.get_dataset(request.user, dataset_id)
        entry = datasets.entry_of(row)
        asked = bars_view.asked(entry, request.query_params.dict())
        etag = tag_of(request, row.version)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if request.headers.get("If-None-Match", "") == etag:
            return Response(status=304, headers=headers)
        return Response(in_pool(bars_view.columns, datasets.catalog().store, entry, asked), headers=headers)


@contextlib.contextmanager
def _turns() -> Iterator[None]:
    """A busy supervisor as 503 with Retry-After."""
    try:
        yield
    except supervise.Busy as busy:
        raise Busy from busy
