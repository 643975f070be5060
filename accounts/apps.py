from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The room of people: user, sign-up, log-in, tokens."""

    name = "accounts"

    def ready(self) -> None:
        from accounts import schema  # noqa: F401 - importing registers it with drf-spectacular
