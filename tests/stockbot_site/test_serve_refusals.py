"""`manage.py serve` says in one sentence what a person can put right before the start."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "change", "says"),
    [
        ({"port": 0}, {}, "Port 0 is no port"),
        ({"port": 65536}, {}, "Port 65536 is no port"),
        ({}, {"SSL_KEY": "/nowhere/key.pem"}, "Set both SSL_KEY and SSL_CERT"),
        ({}, {"SSL_CERT": "/nowhere/cert.pem"}, "Set both SSL_KEY and SSL_CERT"),
        ({}, {"SSL_KEY": "/nowhere/key.pem", "SSL_CERT": "/nowhere/cert.pem"}, "SSL_KEY names no file"),
        ({}, {"PRODUCTION": True, "STATIC_ROOT": Path("/nowhere")}, "manage.py collectstatic"),
    ],
)
def test_what_cannot_work_is_refused(settings: Any, options: Any, change: dict[str, Any], says: str) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match=says):
        call_command("serve", **options)


@pytest.mark.django_db
def test_a_database_that_is_not_up_to_date_is_refused() -> None:
    MigrationRecorder.Migration.objects.filter(app="runs_app").delete()
    with pytest.raises(CommandError, match=r"manage\.py migrate"):
        call_command("serve")
