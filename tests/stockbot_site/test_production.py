"""The site as others reach it: over TLS, with cookies and headers that browsers hold on to."""

import contextlib
import datetime as dt
import os
import secrets
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from tests.stockbot_site.tiny import free_port
from tests.waiting import until

pytestmark = pytest.mark.slow


def certificate(folder: Path) -> tuple[Path, Path]:
    """(key, certificate) of localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    places = folder / "key.pem", folder / "cert.pem"
    encoding = serialization.Encoding.PEM
    places[0].write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    places[1].write_bytes(made.public_bytes(encoding))
    return places


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the site's own files: production writes its collected files beside them."""
    found = tmp_path_factory.mktemp("production")
    for name in ("accounts", "backtest", "brokers", "marketdata", "rl", "runfiles", "runs_app", "simulator",
                 "static", "stockbot_site", "templates"):  # fmt: skip
        shutil.copytree(Path(settings.BASE_DIR) / name, found / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(settings.BASE_DIR) / "manage.py", found)
    return found


@pytest.fixture(scope="module")
def environment(folder: Path) -> dict[str, str]:
    key, made = certificate(folder)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STOCKBOT_", "SSL_", "PORT"))}
    return clean | {
        "STOCKBOT_PRODUCTION": "1", "STOCKBOT_HOSTS": "localhost", "SSL_KEY": str(key), "SSL_CERT": str(made),
        "STOCKBOT_SECRET_KEY": secrets.token_urlsafe(64), "STOCKBOT_JWT_KEY": secrets.token_urlsafe(64),
    }  # fmt: skip


def manage(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=90)


@pytest.fixture(scope="module")
def site(folder: Path, environment: dict[str, str]) -> Iterator[httpx.Client]:
    assert manage(folder, environment, "migrate", "--verbosity", "0").returncode == 0
    refused = manage(folder, environment, "serve", "--port", str(free_port()))
    assert refused.returncode == 1 and "collectstatic" in refused.stderr
    collected = manage(folder, environment, "collectstatic", "--noinput")
    assert collected.returncode == 0, collected.stderr
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    trust = ssl.create_default_context(cafile=environment["SSL_CERT"])
    with httpx.Client(base_url=f"https://localhost:{port}", verify=trust, timeout=20, trust_env=False) as client:

        def ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return client.get("/readyz").status_code == 200
            return False

        until(ready, within_s=30, what="readiness")
        yield client
    process.terminate()
    assert process.communicate(timeout=20)[0].startswith("StockBot serves https://")
    assert process.returncode == 0


@pytest.fixture(autouse=True)
def _a_stranger(site: httpx.Client) -> None:
    site.cookies.clear()


def test_browsers_are_told_to_stay_on_tls(site: httpx.Client) -> None:
    headers = site.get("/accounts/login").headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")


def test_cookies_are_bound_to_this_host_and_to_tls(site: httpx.Client) -> None:
    page = site.get("/accounts/signup")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    given = {"username": "ann", "password": "a long enough pass", "csrfmiddlewaretoken": token}
    answer = site.post("/accounts/signup", data=given, headers={"Referer": str(page.url)})
    assert answer.status_code == 302
    set_cookies = answer.headers.get_list("set-cookie")
    assert {one.split("=")[0] for one in set_cookies} == {"__Host-session", "__Host-csrf"}
    for one in set_cookies:
        assert all(word in one for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/")) and "Domain" not in one


def test_a_form_of_another_site_is_refused(site: httpx.Client) -> None:
    page = site.get("/accounts/login")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    given = {"username": "ann", "password": "a long enough pass", "csrfmiddlewaretoken": token}
    for headers in ({"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}, {}):
        assert site.post("/accounts/login", data=given, headers=headers).status_code == 403


def test_static_files_have_names_that_never_change_their_content(site: httpx.Client) -> None:
    page = site.get("/accounts/login").text
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = site.get(style)
    assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]


def test_a_name_that_is_not_ours_is_refused(site: httpx.Client) -> None:
    assert site.get("/accounts/login", headers={"Host": "evil.example"}).status_code == 400


def test_an_error_shows_nothing_of_the_inside(site: httpx.Client, folder: Path) -> None:
    for path in ("/no/such/page", "/api/no/such/page", "/static/../settings.py", "/runs/%ff"):
        answer = site.get(path)
        assert answer.status_code in (400, 404)
        assert str(folder) not in answer.text and "Traceback" not in answer.text and "urlpatterns" not in answer.text
