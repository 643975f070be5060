"""One shape for every error: `{"detail": sentence, "errors": {field: [sentence]}}`."""

from typing import Any

from pydantic import ValidationError as ConfigError
from rest_framework.exceptions import ErrorDetail, UnsupportedMediaType, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from marketdata.config_base import ConfigFault, sentences

FAULTY = "Some fields need another value."


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, then our shape. What DRF does not know stays an error 500 without a word of its inside."""
    if isinstance(exception, ConfigError):
        return field_errors(sentences(exception))
    if isinstance(exception, ConfigFault):
        return field_errors(exception.errors)
    answer = drf_handler(exception, context)
    if answer is None:
        return None
    if isinstance(exception, ValidationError):
        answer.data = {"detail": FAULTY, "errors": _by_field(exception.detail)}
    elif isinstance(exception, UnsupportedMediaType):
        taken = " or ".join(parser.media_type for parser in context["view"].get_parsers())
        answer.data = {"detail": f"Send the body as {taken}, and say so in its Content-Type.", "errors": {}}
    else:
        answer.data = {"detail": _first(answer.data), "errors": {}}
    return answer


def field_errors(errors: dict[str, list[str]]) -> Response:
    return Response({"detail": FAULTY, "errors": errors}, status=400)


def _first(data: Any) -> str:
    detail = data.get("detail", "") if isinstance(data, dict) else data
    return str(detail)


def _by_field(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Nested DRF details as dotted names."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            found |= _by_field(value, f"{name}.{key}" if name else str(key))
        return found
    items = detail if isinstance(detail, list) else [detail]
    return {name or "body": [_sentence(item) for item in items]}


def _sentence(item: Any) -> str:
    if isinstance(item, ErrorDetail) and item.code == "required":
        return "This field is required."
    return str(item)
