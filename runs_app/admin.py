"""Runs as an administrator sees them: all of them, only the name to change, cancel through the service."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest

from runs_app import services
from runs_app.models import Artifact, Policy, Run, RunEvent


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that the reconciler alone writes: shown, never added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.fields if field.name not in self.may_change]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What was changed and no more: the reconciler may have written other columns meanwhile."""
        obj.save(update_fields=form.changed_data)

    may_change: tuple[str, ...] = ()


@admin.register(Run)
class RunAdmin(ReadOnly):
    list_display = ("id", "kind", "name", "owner", "state", "reason", "phase", "created", "ended")
    list_filter = ("state", "kind", "reason", "owner", "created")
    search_fields = ("id", "name", "out_tag", "owner__username", "dataset_name")
    list_select_related = ("owner",)
    date_hierarchy = "created"
    may_change = ("name",)
    actions = ("cancel",)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Run], *where: Any, **named: Any) -> Any:
        """Only what is an id reaches the database; a text that is none would be an error of the server's."""
        given = request.POST.copy()
        given.setlist(ACTION_CHECKBOX_NAME, [text for text in given.getlist(ACTION_CHECKBOX_NAME) if _is_id(text)])
        request.POST = given  # type: ignore[assignment]
        return super().response_action(request, queryset, *where, **named)

    @admin.action(description="Cancel the selected runs", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Through the service, as the owner's own button does; runs that have ended stay as they are."""
        active = queryset.filter(state__in=Run.ACTIVE)
        for run in active:
            services.cancel_run(run=run)
        self.message_user(request, f"Asked {len(active)} runs to stop.", messages.SUCCESS)


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


@admin.register(RunEvent)
class RunEventAdmin(ReadOnly):
    list_display = ("run", "seq", "kind", "created")
    list_filter = ("kind", "created")
    search_fields = ("run__id",)


@admin.register(Artifact)
class ArtifactAdmin(ReadOnly):
    list_display = ("run", "key", "kind", "bytes", "created")
    list_filter = ("kind",)
    search_fields = ("run__id", "key")


@admin.register(Policy)
class PolicyAdmin(ReadOnly):
    list_display = ("id", "name", "owner", "which", "run", "created")
    list_filter = ("which", "owner")
    search_fields = ("id", "name", "owner__username")
    may_change = ("name",)
