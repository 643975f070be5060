from django.apps import AppConfig


class BrokersConfig(AppConfig):
    """The room of broker accounts."""

    name = "brokers"
