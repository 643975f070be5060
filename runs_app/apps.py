from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RunsAppConfig(AppConfig):
    name = "runs_app"
    verbose_name = "Runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from runs_app.triggers import install

        post_migrate.connect(install, sender=self, dispatch_uid="runs_app.triggers")
