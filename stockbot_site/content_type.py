"""The Content-Type of a request, looked at before Django reads it: Django takes any of Python's codecs for a charset.

`idna` or `hex` make the reading of a form fail, and a parameter in the extended notation of RFC 2231 may name a codec
of its own. Pages and clients of ours write UTF-8, so that is all that is taken.
"""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_TOKEN = r"[A-Za-z0-9!#$&+.^_`|~-]+"
_KIND = re.compile(rf"\s*(?P<kind>(?:{_TOKEN}|\*)/(?:{_TOKEN}|\*))\s*")
_PARAMETER = re.compile(rf';\s*(?P<name>{_TOKEN})=(?:"(?P<quoted>[ !#-\[\]-~]*)"|(?P<plain>[!#-:<-~]+))\s*')
_BOUNDARY = re.compile(r"[ -~]{0,199}[!-~]")
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

UNREADABLE = "The Content-Type cannot be read; write it as type/subtype; name=value, each name once."
TWICE = "The request has more than one Content-Type; send one."
NOT_UTF8 = "The Content-Type names a charset other than UTF-8; send UTF-8."
NO_BOUNDARY = "A multipart body needs a boundary of 1 to 200 printable characters in its Content-Type."


class ReadableBodies:
    """The application behind a 415 with a sentence for what it could not read."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        fault = fault_of([value for name, value in scope["headers"] if name == b"content-type"])
        if fault:
            await _refuse(scope, send, fault)
        else:
            await self._app(scope, receive, send)


def fault_of(values: list[bytes]) -> str:
    """What is wrong with the Content-Type headers of a request: a sentence, or nothing."""
    if len(values) > 1:
        return TWICE
    text = values[0].decode("latin-1") if values else ""
    if not text.strip():
        return ""
    kind = _KIND.match(text)
    found = _parameters(text[kind.end() :]) if kind else None
    if kind is None or found is None:
        return UNREADABLE
    if found.get("charset", "utf-8").lower() not in _CHARSETS:
        return NOT_UTF8
    if kind["kind"].lower().startswith("multipart/") and not _BOUNDARY.fullmatch(found.get("boundary", "")):
        return NO_BOUNDARY
    return ""


def _parameters(text: str) -> dict[str, str] | None:
    """Parameters by their name in small letters; None for text that is none, and for a name that stands twice."""
    found: dict[str, str] = {}
    text = text.rstrip("; \t")
    while text:
        match = _PARAMETER.match(text)
        if match is None or match["name"].lower() in found:
            return None
        found[match["name"].lower()] = match["plain"] if match["quoted"] is None else match["quoted"]
        text = text[match.end() :]
    return found


async def _refuse(scope: Scope, send: Any, sentence: str) -> None:
    """415 in the shape of all errors: JSON under /api, plain text elsewhere."""
    api = scope["path"].startswith("/api/")
    body = json.dumps({"detail": sentence, "errors": {}}) if api else sentence
    kind = b"application/json" if api else b"text/plain; charset=utf-8"
    headers = [(b"content-type", kind), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": 415, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
