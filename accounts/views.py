"""Pages of a person: sign up, log in, log out."""

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms import LogInForm, SignUpForm
from accounts.limits import wait_before_try

_TOO_MANY = "Too many tries. Wait {seconds} seconds, then try again."


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class LogIn(LoginView):
    """Session log-in. `next` is followed on this host only."""

    form_class = LogInForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wait = wait_before_try(request, "login", request.POST.get("username", ""))
        return too_many(request, self.template_name, LogInForm(request), wait) if wait else super().post(request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(signup_enabled=settings.SIGNUP_ENABLED, **kwargs)


@login_not_required
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """A new account, logged in at once. 403 when the owner of the server has switched sign-up off."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    if not settings.SIGNUP_ENABLED:
        return render(request, "accounts/signup.html", {"form": None, "signup_enabled": False}, status=403)
    form = SignUpForm(request.POST or None)
    if request.method == "POST":
        if wait := wait_before_try(request, "signup"):
            return too_many(request, "accounts/signup.html", form, wait)
        if form.is_valid() and (user := form.create()):
            login(request, user)
            return redirect(settings.LOGIN_REDIRECT_URL)
    context = {"form": form, "signup_enabled": True}
    return render(request, "accounts/signup.html", context, status=400 if form.errors else 200)


def too_many(request: HttpRequest, template: str, form: Any, seconds: int) -> HttpResponse:
    """429 with Retry-After; the page says how long to wait."""
    sentence = _TOO_MANY.format(seconds=seconds)
    context = {"form": form, "too_many": sentence, "signup_enabled": settings.SIGNUP_ENABLED}
    response = render(request, template, context, status=429)
    response["Retry-After"] = str(seconds)
    return response


log_in = LogIn.as_view()
log_out = LogoutView.as_view(http_method_names=["post"])
