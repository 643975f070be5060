"""How often somebody may try to log in or sign up (django-ratelimit; `LOGIN_RATE`).

By address: each address has its tries. By account: when an account has seen too many, an address that has already
tried it waits, while a fresh address (the owner, elsewhere) still has its first try: nobody can lock another out.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage


def wait_before_try(request: HttpRequest, what: str, username: str = "") -> int:
    """Count this try. Returns the seconds to wait before the next one, 0 when this one may go on."""
    by_address = _usage(request, f"{what}:address", "ip")
    if by_address["should_limit"]:
        return int(by_address["time_left"]) + 1
    if not username:
        return 0
    name = username.casefold()[:150]
    by_account = _usage(request, f"{what}:account", lambda group, request: name)
    both = _usage(request, f"{what}:both", lambda group, request: f"{request.META['REMOTE_ADDR']} {name}")
    if by_account["should_limit"] and both["count"] > 1:
        return int(by_account["time_left"]) + 1
    return 0


def _usage(request: HttpRequest, group: str, key: Any) -> dict[str, Any]:
    usage: dict[str, Any] = get_usage(request, group=group, key=key, rate=settings.LOGIN_RATE, increment=True)
    return usage
