"""What no request of ours ever holds, refused before anything reads it."""

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, HttpResponse

from stockbot_site.errors import plain_error

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


def refuse_control_bytes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """400 for a NUL, line end or other control byte in the path or the query: databases and files choke on them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        query = unquote_to_bytes(request.META.get("QUERY_STRING", ""))
        if _CONTROL.search(request.path.encode("utf-8", "replace")) or _CONTROL.search(query):
            return plain_error(request, 400, "The address holds a control character.")
        return get_response(request)

    return middleware
