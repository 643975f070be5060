"""`manage.py serve` as an operator runs it: refused with a sentence, or up, healthy, and down again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.stockbot_site.tiny import free_port
from tests.waiting import until

pytestmark = pytest.mark.slow


def environment(folder: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STOCKBOT_", "SSL_", "PORT"))}
    return clean | {"STOCKBOT_DB": str(folder / "db.sqlite3"), "STOCKBOT_MEDIA": str(folder / "media")}


def manage(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, env=environment(folder) | more, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert manage(folder, "migrate", "--verbosity", "0").returncode == 0
    return folder


@pytest.fixture(scope="module")
def site(migrated: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment(migrated), stdout=subprocess.PIPE, text=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:

        def ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return client.get("/readyz").status_code == 200
            return False

        until(ready, within_s=20, what="readiness")
        yield client
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said == f"StockBot serves http://127.0.0.1:{port}/\n"


def test_it_is_alive_and_fit(site: httpx.Client) -> None:
    assert site.get("/healthz").json() == {"status": "ok"}
    checks = {"database": True, "media": True, "reconciler": True}
    assert site.get("/readyz").json() == {"status": "ok", "checks": checks}


def test_a_client_registers_starts_nothing_bad_and_hears_of_nothing(site: httpx.Client) -> None:
    pair = site.post("/api/auth/register", json={"username": "ann", "password": "a long enough pass"}).json()
    headers = {"Authorization": f"Bearer {pair['access']}"}
    assert site.get("/api/users/profile", headers=headers).json()["username"] == "ann"
    answer = site.post("/api/stockbot/backtest", json={"policy": "equal", "fees": {"taker_bps": -1}}, headers=headers)
    assert answer.status_code == 400 and "fees.taker_bps" in answer.json()["errors"]
    assert site.get("/api/stockbot/runs", headers=headers).json() == {"results": [], "next": None}
    address = str(site.base_url).replace("http", "ws") + "/api/stockbot/runs/00000000-0000-0000-0000-000000000000/ws"
    with connect(address, additional_headers=headers, proxy=None) as one:
        with contextlib.suppress(Exception):
            one.recv(timeout=5)
        assert one.close_code == 4404


def test_a_body_over_the_limit_is_refused(site: httpx.Client) -> None:
    answer = site.post("/api/stockbot/train", content=b"x" * (2 * 1024 * 1024 + 1))
    assert answer.status_code == 413 and answer.json().keys() == {"detail", "errors"}


def test_an_imported_result_may_be_larger_than_other_bodies(site: httpx.Client) -> None:
    """The server lets it through, and what it says of its rows is the job's matter."""
    pair = site.post("/api/auth/register", json={"username": "bea", "password": "a long enough pass"}).json()
    headers = {"Authorization": f"Bearer {pair['access']}"}
    table = b"date,equity\n" + b"2019-01-02,100\n" * (3 * 1024 * 1024 // 15)
    answer = site.post("/api/stockbot/import", files={"file": table}, headers=headers)
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {"dataset.id"}  # no sample is stored here


def test_many_equal_headers_are_no_burden(site: httpx.Client) -> None:
    answer = site.get("/healthz", headers=[("X-A", "1")] * 400)
    assert answer.status_code in (200, 400, 431) and answer.elapsed.total_seconds() < 1


def test_the_server_names_no_product(site: httpx.Client) -> None:
    assert "server" not in site.get("/healthz").headers


@pytest.mark.parametrize(
    "path", ["/healthz%00", "/%0d%0aX:1", "/healthz?a=%00", "/runs/%1b", "/api/stockbot/runs?state=%0a"]
)
def test_a_control_byte_is_refused(site: httpx.Client, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 400
    if path.startswith("/api/"):
        assert json.loads(answer.content) == {"detail": "The address holds a control character.", "errors": {}}


def test_a_port_in_use_is_one_sentence(site: httpx.Client, migrated: Path) -> None:
    found = manage(migrated, "serve", "--port", str(site.base_url.port))
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert str(site.base_url.port) in found.stderr and len(found.stderr.strip().splitlines()) == 1, found.stderr
