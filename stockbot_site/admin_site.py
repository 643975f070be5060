"""The admin without a log-in of its own: the site's one log-in, with its rate limit, serves both."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache


class Site(AdminSite):
    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Takes no password: sends to the log-in, which sends back. 403 for a person who may not enter anyway."""
        target = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
            target = reverse("admin:index")
        if self.has_permission(request):
            return redirect(target)
        if request.user.is_authenticated:  # the log-in would send such a person straight back here
            raise PermissionDenied
        query = urlencode({REDIRECT_FIELD_NAME: target}, safe="/")
        return redirect(f"{reverse('accounts:login')}?{query}")


class Admin(AdminConfig):
    default_site = "stockbot_site.admin_site.Site"
