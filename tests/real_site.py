"""The real site in a process of its own: a fresh database and media folder, the samples, a free port."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
CHROME_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """`environment` is that of the server, for further commands on the same database and media."""

    url: str
    folder: Path
    environment: dict[str, str]

    def python(self, *arguments: str) -> str:
        """Runs Python with the site's environment; its output."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)[:80]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout

    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")


def prepared(folder: Path) -> Site:
    """A site with its database and samples, not yet served."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STOCKBOT_", "DJANGO_"))}
    environment = kept | {
        "STOCKBOT_MEDIA": str(folder / "media"),
        "STOCKBOT_DB": str(folder / "db.sqlite3"),
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "stockbot_site.settings",
    }
    site = Site(f"http://127.0.0.1:{free_port()}", folder, environment)
    (folder / "media").mkdir()
    site.python("scripts/vendor.py")
    site.python("manage.py", "migrate", "--verbosity", "0")
    site.python("-m", "marketdata.setup_samples", str(folder / "media" / "datasets"))
    return site


def start_server(site: Site) -> "subprocess.Popen[bytes]":
    """The server as a process that answers; ending it is the caller's."""
    with (site.folder / "server.log").open("ab") as log:
        command = [sys.executable, "manage.py", "serve", "--port", site.url.rsplit(":", 1)[1]]
        server = subprocess.Popen(command, cwd=ROOT, env=site.environment, stdout=log, stderr=log)
    until(lambda: _answers(site, server), within_s=60, what="the server's answer")
    return server


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """A site that answers; it is stopped at the end, and its runs with it."""
    site = prepared(folder)
    server = start_server(site)
    try:
        yield site
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(site: Site, server: "subprocess.Popen[bytes]") -> bool:
    if server.poll() is not None:
        raise RuntimeError(f"the server ended with {server.returncode}:\n{site.log()[-2000:]}")
    try:
        with urllib.request.urlopen(f"{site.url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def chrome() -> str:
    """Path of the machine's Chromium or Chrome. Raises RuntimeError with one sentence."""
    found = subprocess.run(["sh", "scripts/find_browser.sh"], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        raise RuntimeError("no Chromium or Chrome was found; `make test` installs one, or set CHROMIUM to its path")
    return found.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
