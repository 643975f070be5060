"""Answers for what goes wrong outside a view: JSON under /api, a page elsewhere, never a path or a traceback."""

import logging
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.template import loader

from runs_app.disk_full import disk_is_full
from runs_app.upload_handler import NO_FORM, FilesTooLarge

log = logging.getLogger(__name__)

_WORDS = {
    400: "Bad request.",
    403: "You may not do this.",
    404: "Not found.",
    413: "The body is larger than this server takes.",
    500: "Something failed on the server.",
    507: "The disk of the server is full: nothing was stored. Whoever runs it must free some; then send it again.",
}


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def plain_error(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """One sentence: `{"detail", "errors"}` under /api, plain text elsewhere."""
    sentence = sentence or _WORDS[status]
    if is_api(request):
        return JsonResponse({"detail": sentence, "errors": {}}, status=status)
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 for too much, with the reason where the client can do something about it."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return _error(request, status, _reason(exception), "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403, "", "403.html")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404, "", "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Knows nothing of the request, whose reading may be what failed. 507 where the disk is full."""
    status = 507 if disk_is_full(sys.exception()) else 500  # Django calls this while it handles the error
    if is_api(request):
        return plain_error(request, status)
    return HttpResponse(loader.render_to_string("500.html", {"full": status == 507}), status=status)


def _error(request: HttpRequest, status: int, sentence: str, template: str) -> HttpResponse:
    """Django's own handlers read the form once more for its CSRF token, and fail on what has just failed."""
    if is_api(request):
        return plain_error(request, status, sentence)
    context: dict[str, Any] = {"sentence": sentence}
    try:
        return HttpResponse(loader.render_to_string(template, context, request), status=status)
    except Exception:  # such as a database that does not answer while the page asks who is there
        log.exception("the page for an error %d could not be made", status)
        return plain_error(request, status, sentence)


def _reason(exception: Exception) -> str:
    """One sentence for what Django refuses before a view is asked; empty where the reason is nothing to act upon."""
    if isinstance(exception, TooManyFilesSent):
        return f"The form holds more than {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files; send fewer at once."
    if isinstance(exception, TooManyFieldsSent):
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return f"The form or the address holds more than {most:,} fields; send fewer."
    if isinstance(exception, FilesTooLarge):
        return str(exception)
    if isinstance(exception, RequestDataTooBig):
        return f"A form may hold {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes beside its files; send less."
    if isinstance(exception, MultiPartParserError):
        return NO_FORM
    if isinstance(exception, DisallowedHost):
        return "This server does not answer under the host name of this request; STOCKBOT_HOSTS lists those it knows."
    return ""
