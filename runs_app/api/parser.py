"""Bodies of requests: strict JSON (runfiles.strict_json), and forms with files."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from runfiles import strict_json
from runs_app.upload_handler import NO_FORM


class StrictJSONParser(BaseParser):
    """DRF's parser of `application/json` bodies."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read()
        if not raw.strip():
            return {}
        try:
            return strict_json.read(raw)
        except strict_json.NotStrictJSON as error:
            raise ParseError(str(error)) from error


class FormParser(MultiPartParser):
    """DRF's parser of forms with files, with a sentence of ours for one that is none."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            raise ParseError(NO_FORM) from error
