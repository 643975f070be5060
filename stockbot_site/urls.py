from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from stockbot_site import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("api/auth/", include("accounts.api_urls")),
    path("api/users/", include("accounts.user_urls")),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/stockbot/", include("runs_app.api.urls")),
    path("", include("runs_app.urls")),
]

handler400 = "stockbot_site.errors.bad_request"
handler403 = "stockbot_site.errors.permission_denied"
handler404 = "stockbot_site.errors.page_not_found"
handler500 = "stockbot_site.errors.server_error"

UPLOAD_PATHS = ("/api/stockbot/datasets", "/datasets/new", "/api/stockbot/import", "/import")
"""Addresses whose POST may be as long as `UPLOAD_LIMIT`: the server knows them before Django sees the request."""
