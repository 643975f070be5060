"""`manage.py serve`: the site on one port, over TLS when SSL_KEY and SSL_CERT are set."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """Checks what would make every page fail, then serves until SIGTERM or Ctrl-C."""

    help = "Serve the site (pages, API, sockets) and run the reconciler of runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default 127.0.0.1).")
        parser.add_argument("--port", type=int, default=settings.PORT, help="Port (default 8000).")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        _refuse_unfit(port)
        from stockbot_site.server import StockBotServer  # isort:skip - before all else that may import Twisted
        from accounts.sockets import person_of
        from stockbot_site import asgi, lifecycle
        from stockbot_site.large_bodies import Uploads
        from stockbot_site.urls import UPLOAD_PATHS

        server = StockBotServer(
            asgi.application,
            endpoints=[endpoint(host, port)],
            on_start=lifecycle.start,
            on_drain=lifecycle.drain,
            on_stop=lifecycle.stop,
            body_limit=settings.BODY_LIMIT,
            uploads=Uploads(frozenset(path.encode() for path in UPLOAD_PATHS), settings.UPLOAD_LIMIT, person_of),
            ready_callable=lambda: self._say(host, port),
        )
        server.run()
        if server.failure:
            raise CommandError(server.failure)

    def _say(self, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(f"StockBot serves {'https' if settings.SSL_CERT else 'http'}://{shown}:{port}/")
        self.stdout.flush()


def endpoint(host: str, port: int) -> str:
    """Twisted's description of where to listen."""
    from twisted.internet.endpoints import quoteStringArgument as quoted

    kind = "ssl" if settings.SSL_CERT else "tcp6" if ":" in host else "tcp"
    parts = [kind, str(port), f"interface={quoted(host)}", "backlog=1024"]
    if settings.SSL_CERT:
        parts += [f"privateKey={quoted(settings.SSL_KEY)}", f"certKey={quoted(settings.SSL_CERT)}"]
        parts += [f"extraCertChain={quoted(settings.SSL_CA)}"] if settings.SSL_CA else []
    return ":".join(parts)


def _refuse_unfit(port: int) -> None:
    """One sentence each for what a person can put right before the start. Raises CommandError."""
    if not 1 <= port <= 65535:
        raise CommandError(f"Port {port} is no port; give one from 1 to 65535.")
    if bool(settings.SSL_KEY) != bool(settings.SSL_CERT):
        raise CommandError("Set both SSL_KEY and SSL_CERT, or neither.")
    for name in ("SSL_KEY", "SSL_CERT", "SSL_CA"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            raise CommandError(f"{name} names no file: {path}")
    if settings.PRODUCTION and not Path(str(settings.STATIC_ROOT), "staticfiles.json").is_file():
        raise CommandError("The static files are not collected; run: python manage.py collectstatic --noinput")
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not up to date; run: python manage.py migrate")
    for folder in (
        settings.RUNS_ROOT,
        settings.CONTROL_ROOT,
        settings.DATASETS_ROOT,
        settings.POLICIES_ROOT,
        settings.TMP_ROOT,
    ):
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    tempfile.tempdir = str(settings.TMP_ROOT)  # bodies on their way wait where the sweep at start finds them
    connection.close()
