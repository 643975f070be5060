"""Settings come from the environment, are refused with a sentence, and in production leave nothing open."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PRODUCTION = {
    "STOCKBOT_PRODUCTION": "1",
    "STOCKBOT_SECRET_KEY": "aB3$" + os.urandom(48).hex(),
    "STOCKBOT_JWT_KEY": "cD4$" + os.urandom(48).hex(),
    "STOCKBOT_HOSTS": "bot.example",
}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("STOCKBOT_", "SSL_", "DATABASE"))
    }
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean | environment)


@pytest.mark.slow
def test_production_passes_djangos_deployment_checks() -> None:
    found = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"STOCKBOT_SECRET_KEY": ""}, "STOCKBOT_SECRET_KEY must be set in production"),
        ({"STOCKBOT_JWT_KEY": ""}, "STOCKBOT_JWT_KEY must be set in production"),
        ({"STOCKBOT_JWT_KEY": "short"}, "at least 50 characters"),
        ({"STOCKBOT_DEBUG": "1"}, "exclude each other"),
        ({"STOCKBOT_SIGNUP": "maybe"}, "STOCKBOT_SIGNUP is 'maybe'; write 1 or 0"),
        ({"STOCKBOT_RUN_SLOTS": "0"}, "STOCKBOT_RUN_SLOTS is '0'; write a whole number from 1"),
        ({"DATABASE_URL": "postgres://x"}, "PostgreSQL is not in this version"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_by_name(change: dict[str, str], says: str) -> None:
    found = manage("check", **{**PRODUCTION, **change})
    assert found.returncode == 1 and says in found.stderr and "Traceback" not in found.stderr


@pytest.mark.slow
def test_development_makes_its_key_once_for_its_owner_alone(tmp_path: Path) -> None:
    program = "from stockbot_site import settings as s; s.BASE_DIR = s.Path({!r}); print(s.env_secret('NONE', 'key'))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", program.format(str(tmp_path))], capture_output=True, text=True, timeout=60
        )
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout and len(runs[0].stdout.strip()) >= 50, runs[0].stderr
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_sessions_and_tokens_have_keys_of_their_own() -> None:
    assert settings.SECRET_KEY != settings.JWT_KEY == settings.SIMPLE_JWT["SIGNING_KEY"]


def test_the_policy_allows_nothing_inline() -> None:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    words = {word for values in directives.values() for word in values}
    assert words <= {"'none'", "'self'", "data:"} and "data:" not in directives["script-src"]


def test_the_database_is_set_for_many_writers() -> None:
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"] and "synchronous=FULL" in options["init_command"]
