"""POST import: a result that was made elsewhere, as a form with its file and its configuration."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import ErrorOutput
from backtest.config import MOST_RESULT_BYTES, ImportConfig
from runfiles import strict_json
from runs_app import services
from runs_app.api.create import ANSWERS, IDEMPOTENCY, StartView
from runs_app.api.datasets import TooLarge
from runs_app.api.parser import FormParser
from runs_app.models import Run
from runs_app.upload_handler import LONG_TEXT, DiskUpload, FilesTooLarge, disk_files

SENT = {"file", "config"}
TOO_LARGE = f"The file holds more than {MOST_RESULT_BYTES:,} bytes."


class ImportInput(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV or Parquet: a column of days or times, and one of equity or returns.")
    config = serializers.CharField(required=False, help_text="An ImportConfig as JSON; empty takes every default.")


class Import(StartView):
    kind = Run.Kind.IMPORT
    config_model = ImportConfig
    service = staticmethod(services.start_import)
    parser_classes = (FormParser,)

    @extend_schema(
        request={"multipart/form-data": ImportInput},
        responses=ANSWERS | {413: ErrorOutput},
        parameters=[IDEMPOTENCY],
    )
    def post(self, request: Request) -> Response:
        """Queues the judgement of a result that was made elsewhere, beside our baselines on its days."""
        try:
            sent = {*request.FILES, *request.data}
        except FilesTooLarge as fault:
            raise TooLarge(TOO_LARGE) from fault
        except RequestDataTooBig as fault:
            raise TooLarge(LONG_TEXT) from fault
        if unknown := sorted(sent - SENT - {"csrfmiddlewaretoken"}):
            told = "Unknown field; send the table in file, and its configuration as JSON in config."
            raise ValidationError({name[:80]: [told] for name in unknown[:20]})
        return self.start(request)

    def body_of(self, request: Request) -> Any:
        """The JSON of the field config; none is every default."""
        text = request.data.get("config", "")
        if not isinstance(text, str):
            raise ValidationError({"config": ["Send the configuration as text, not as a file."]})
        try:
            return strict_json.read(text.encode()) if text.strip() else {}
        except strict_json.NotStrictJSON as error:
            raise ValidationError({"config": [str(error)]}) from error

    def hashes_of(self, request: Request) -> list[str]:
        return [file.sha256 for file in disk_files(request, "file")]

    def sent_with(self, request: Request) -> dict[str, Any]:
        return {"file": the_file(disk_files(request, "file"))}


def the_file(files: list[DiskUpload]) -> DiskUpload:
    """The one file of a form. Raises ValidationError, TooLarge."""
    if len(files) != 1:
        raise ValidationError({"file": [f"{len(files)} files were sent in file; one is right."]})
    if (files[0].size or 0) > MOST_RESULT_BYTES:
        raise TooLarge(TOO_LARGE)
    return files[0]
