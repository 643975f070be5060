"""A person, and the API sessions by which a person's clients stay logged in."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import models
from django.db.models.functions import Lower


class User(AbstractUser):
    """Names are ASCII and unique whatever the case, so that no two people look alike."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        "user name",
        max_length=150,
        unique=True,
        help_text="At most 150 letters, digits and @ . + - _",
        validators=[ASCIIUsernameValidator()],
        error_messages={"unique": "This user name is taken."},
    )
    email = models.EmailField("e-mail address", blank=True)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("username"), name="accounts_user_username_ci", violation_error_message="This user name is taken."
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="accounts_user_email_ci",
                violation_error_message="This e-mail address is in use.",
            ),
        ]


class ApiSession(models.Model):
    """One log-in of an API client. Each refresh replaces `refresh_jti`; a refresh token shown twice ends the session.

    Access tokens name their session too, so that logging out ends them at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_sessions")
    refresh_jti = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"API session {self.id}"
