"""Who opens a socket or sends files: a session cookie, or `Authorization: Bearer`. No token in an address."""

import importlib
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from rest_framework.exceptions import APIException

from accounts.models import User
from accounts.tokens import TokenAuthentication

Scope = dict[str, Any]
Who = Callable[[], Awaitable[User | None]]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class SocketLogin:
    """Puts `scope["who"]`, an async callable that gives the user *now* or None, before the consumers.

    A browser names the page's origin: it must be this host, port included (cookies know no ports). A handshake without
    an origin is a client's, and must bring its token; it is refused with 403 otherwise.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        headers = {name.lower(): value for name, value in scope.get("headers", [])}
        token = bearer(headers.get(b"authorization", b""))
        if not _host_allowed(headers) or not _origin_allowed(scope, headers, needed=token is None):
            await send({"type": "websocket.close", "code": 4403})
            return
        await self.app({**scope, "who": whoever(token, session_key(headers))}, receive, send)


def bearer(authorization: bytes) -> bytes | None:
    """The token of an Authorization header; None when the header is of another kind or missing."""
    kind, _, token = authorization.partition(b" ")
    return token.strip() if kind.lower() == b"bearer" else None


def whoever(token: bytes | None, session_key: str) -> Who:
    """An async callable that gives the user of a token, or else of a session, at the moment of the call, or None."""
    return _by_token(token) if token is not None else _by_session(session_key)


def _host_allowed(headers: dict[bytes, bytes]) -> bool:
    domain, _ = split_domain_port(headers.get(b"host", b"").decode("latin-1"))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _origin_allowed(scope: Scope, headers: dict[bytes, bytes], *, needed: bool) -> bool:
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin:
        return not needed
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    ours = f"{scheme}://{headers.get(b'host', b'').decode('latin-1')}"
    return f"{parts.scheme}://{parts.netloc}" in {ours, *settings.CSRF_TRUSTED_ORIGINS}


async def person_of(headers: dict[bytes, bytes]) -> str | None:
    """The id of the person who is logged in by these headers of a request now, or None."""
    user = await whoever(bearer(headers.get(b"authorization", b"")), session_key(headers))()
    return None if user is None else str(user.pk)


def session_key(headers: dict[bytes, bytes]) -> str:
    """The session that a request's cookies name; empty where they name none."""
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return ""
    found = cookies.get(settings.SESSION_COOKIE_NAME)
    return found.value if found else ""


def _by_session(key: str) -> Who:
    def look() -> User | None:
        if not key:
            return None
        request = HttpRequest()
        request.session = importlib.import_module(settings.SESSION_ENGINE).SessionStore(key)
        user = get_user(request)
        return user if isinstance(user, User) and user.is_active else None

    return _in_thread(look)


def _by_token(token: bytes) -> Who:
    def look() -> User | None:
        try:
            return TokenAuthentication().user_of(token)
        except APIException:
            return None

    return _in_thread(look)


def _in_thread(look: Callable[[], User | None]) -> Who:
    def fresh() -> User | None:
        close_old_connections()
        try:
            return look()
        finally:
            close_old_connections()

    return sync_to_async(fresh, thread_sensitive=False)
