"""What every test of the site stands on: media of its own, a database file of its own, no counters left over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file, not shared memory: threads then meet the same locks as on a server."""
    from django.conf import settings
    from django.db import connections

    name = str(tmp_path_factory.mktemp("db") / "test.sqlite3")
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = name
    connections["default"].settings_dict["TEST"]["NAME"] = name


@pytest.fixture(autouse=True)
def _site(settings: Any, tmp_path: Path) -> Iterator[None]:
    media = tmp_path / "media"
    settings.MEDIA_ROOT = media
    for name in ("runs", "control", "datasets", "policies"):
        setattr(settings, f"{name.upper()}_ROOT", media / name)
        (media / name).mkdir(parents=True)
    settings.TMP_ROOT = media / "tmp"
    settings.TMP_ROOT.mkdir()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SIGNUP_ENABLED = True
    caches["ratelimit"].clear()
    yield
