"""People as an administrator sees them, and their open API log-ins."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import ApiSession, User

admin.site.register(User, UserAdmin)


@admin.register(ApiSession)
class ApiSessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "user", "created_at", "expires_at", "revoked_at")
    list_filter = ("revoked_at", "created_at")
    search_fields = ("user__username",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiSession | None = None) -> bool:
        return False

    @admin.action(description="End the selected log-ins", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiSession]) -> None:
        queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
