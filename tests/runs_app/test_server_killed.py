"""`kill -9` of the server: its runs go on and end, and the next server knows of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from runs_app import places
from runs_app.models import Run
from tests.runs_app.yard import Yard
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def servers() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for server in started:
        _kill(server)


def _serve(servers: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "STOCKBOT_DB": str(connection.settings_dict["NAME"]),
        "STOCKBOT_MEDIA": str(settings.MEDIA_ROOT),
        "STOCKBOT_RUN_SLOTS": "4",
        "DJANGO_SETTINGS_MODULE": "stockbot_site.settings",
    }
    command = [sys.executable, "-m", "tests.runs_app.small_server"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    servers.append(server)
    assert server.stdout is not None and server.stdout.readline() == b"serves\n"
    return server


def _kill(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()
    if server.stdout is not None:
        server.stdout.close()


def _is(run: Run, state: str) -> bool:
    run.refresh_from_db()
    return run.state == state


def test_runs_go_on_and_the_next_server_shows_their_end(yard: Yard, servers: list[Any]) -> None:
    first = _serve(servers)
    long, short = yard.add(name="--seconds 4 --events 3"), yard.add(name="--seconds 1.5 --report", kind="train")
    until(lambda: _is(long, "RUNNING") and _is(short, "RUNNING"), within_s=20)
    _kill(first)
    exits = places.control_folder(short.id) / "exit.json"
    until(exits.exists, what="the end of the short run without a server")
    assert _is(short, "RUNNING") and _is(long, "RUNNING")
    _serve(servers)
    until(lambda: _is(short, "SUCCEEDED"), within_s=5)
    assert short.metrics["sharpe"] == 1.5
    until(lambda: _is(long, "SUCCEEDED"), within_s=20)
    for run in (long, short):
        assert run.attempts == 1
        states = [event.data["state"] for event in run.events.filter(kind="state")]
        assert states == ["STARTING", "RUNNING", "SUCCEEDED"]


def test_of_two_servers_one_looks_after_the_runs(yard: Yard, servers: list[Any]) -> None:
    lock = Path(f"{connection.settings_dict['NAME']}.reconciler.lock")
    _serve(servers)
    second = [
        sys.executable,
        "-c",
        "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)",
        str(lock),
    ]
    assert subprocess.run(second, capture_output=True, check=False).returncode != 0
    run = yard.add(name="--seconds 0.2")
    until(lambda: _is(run, "SUCCEEDED"), within_s=20)
