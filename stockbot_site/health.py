"""Is the process alive, and is it fit to work."""

import os

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.utils import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from runs_app import reconciler

STALE_S = 10.0  # a reconciler that has not looked without a fault for this long is stuck


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, media folder and reconciler; 503 when one of them is not well."""
    age = reconciler.age()
    checks = {
        "database": _database(),
        "media": os.access(settings.MEDIA_ROOT, os.W_OK),
        "reconciler": age is not None and age < STALE_S,
    }
    fit = all(checks.values())
    return JsonResponse({"status": "ok" if fit else "unfit", "checks": checks}, status=200 if fit else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
