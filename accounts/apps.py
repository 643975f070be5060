from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room of people: user, sign-up, log-in, tokens."""

    name = "accounts"
