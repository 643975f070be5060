"""Answers for what goes wrong outside a view: JSON under /api, a page elsewhere, never a path or a traceback."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

_WORDS = {
    400: "Bad request.",
    403: "You may not do this.",
    404: "Not found.",
    500: "Something failed on the server.",
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
    return plain_error(request, 400) if is_api(request) else defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_error(request, 403) if is_api(request) else defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_error(request, 404) if is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return plain_error(request, 500) if is_api(request) else defaults.server_error(request)
