"""`manage.py demo_user`: the account that `make demo` logs in with, made once and kept."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User

DEFAULT_NAME = "demo"


class Command(BaseCommand):
    """Name and password from STOCKBOT_DEMO_USER and STOCKBOT_DEMO_PASSWORD, else `demo` and a random one, kept."""

    help = "Make the demo account, or take it up again; prints its name and password."

    def handle(self, *args: Any, **options: Any) -> None:
        name = os.environ.get("STOCKBOT_DEMO_USER", "").strip() or DEFAULT_NAME
        password = os.environ.get("STOCKBOT_DEMO_PASSWORD", "") or kept_password(settings.DEMO_PASSWORD_FILE)
        user = User.objects.filter(username=name).first() or User(username=name)
        if not user.check_password(password):
            try:
                User.username_validator(name)
                validate_password(password, user)
            except ValidationError as error:
                raise CommandError(f"The demo account cannot be made: {' '.join(error.messages)}") from error
            user.set_password(password)
            user.save()
        keep_password(settings.DEMO_PASSWORD_FILE, password)
        self.stdout.write(f"{name}\n{password}")


def kept_password(path: Path) -> str:
    try:
        return path.read_text().strip() or secrets.token_urlsafe(18)
    except FileNotFoundError:
        return secrets.token_urlsafe(18)


def keep_password(path: Path, password: str) -> None:
    """Only the owner may read the file, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(password + "\n")
