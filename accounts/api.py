"""Log-in for clients, and the person's own data."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import TokenError

from accounts import tokens
from accounts.forms import EMAIL_TAKEN, SignUpForm, free_email
from accounts.limits import wait_before_try
from accounts.models import User


class LogInInput(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class SignUpInput(LogInInput):
    email = serializers.EmailField(required=False, allow_blank=True, default="")


class RefreshInput(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4096)


class ProfileOutput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "is_staff", "date_joined")
        read_only_fields = ("id", "username", "is_staff", "date_joined")


class ProfileInput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")

    def validate_email(self, value: str) -> str:
        try:
            return free_email(value, of=self.instance)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from error

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Writes what was given and no more. The address may have been taken since it was checked."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        try:
            with transaction.atomic():
                instance.save(update_fields=list(validated_data))
        except IntegrityError as error:
            raise serializers.ValidationError({"email": [EMAIL_TAKEN]}) from error
        return instance


class TokenOutput(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class ErrorOutput(serializers.Serializer[Any]):
    """The one shape of every error."""

    detail = serializers.CharField()
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


TOO_MANY = OpenApiResponse(ErrorOutput, description="Too many tries; Retry-After says how many seconds to wait.")


class PublicView(APIView):
    """A route for everybody: no session is read, so no other site can act in a visitor's name."""

    permission_classes = (AllowAny,)
    authentication_classes = ()


class Register(PublicView):
    @extend_schema(request=SignUpInput, responses={201: TokenOutput, 400: ErrorOutput, 403: ErrorOutput, 429: TOO_MANY})
    def post(self, request: Request) -> Response:
        """A new account, logged in at once."""
        if not settings.SIGNUP_ENABLED:
            return _refusal(status.HTTP_403_FORBIDDEN, "Sign-up is switched off on this server.")
        if wait := wait_before_try(_plain(request), "signup"):
            return _too_many(wait)
        form = SignUpForm(_checked(SignUpInput, request))
        user = form.create() if form.is_valid() else None
        if user is None:
            raise serializers.ValidationError(form.errors)
        return Response(tokens.open_session(user), status=status.HTTP_201_CREATED)


class LogIn(PublicView):
    @extend_schema(request=LogInInput, responses={200: TokenOutput, 400: ErrorOutput, 401: ErrorOutput, 429: TOO_MANY})
    def post(self, request: Request) -> Response:
        """An access token for `Authorization: Bearer`, and a refresh token that works once."""
        data = _checked(LogInInput, request)
        if wait := wait_before_try(_plain(request), "login", data["username"]):
            return _too_many(wait)
        user = authenticate(_plain(request), username=data["username"], password=data["password"])
        if not isinstance(user, User):
            return _refusal(status.HTTP_401_UNAUTHORIZED, "User name or password is wrong.")
        return Response(tokens.open_session(user))


class Refresh(PublicView):
    @extend_schema(request=RefreshInput, responses={200: TokenOutput, 400: ErrorOutput, 401: ErrorOutput})
    def post(self, request: Request) -> Response:
        """A new pair of tokens. A refresh token shown twice ends the whole log-in."""
        try:
            return Response(tokens.rotate(_checked(RefreshInput, request)["refresh"]))
        except TokenError as error:
            return _refusal(status.HTTP_401_UNAUTHORIZED, str(error))


class LogOut(PublicView):
    @extend_schema(request=RefreshInput, responses={204: None, 400: ErrorOutput, 401: ErrorOutput})
    def post(self, request: Request) -> Response:
        """Ends the log-in of this refresh token, its access tokens included."""
        try:
            tokens.close_session(_checked(RefreshInput, request)["refresh"])
        except TokenError as error:
            return _refusal(status.HTTP_401_UNAUTHORIZED, str(error))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Profile(APIView):
    @extend_schema(responses={200: ProfileOutput, 401: ErrorOutput})
    def get(self, request: Request) -> Response:
        """Who is logged in."""
        return Response(ProfileOutput(request.user).data)

    @extend_schema(request=ProfileInput, responses={200: ProfileOutput, 400: ErrorOutput, 401: ErrorOutput})
    def patch(self, request: Request) -> Response:
        """Changes e-mail address, first or last name; all other fields are refused."""
        form = ProfileInput(request.user, data=request.data, partial=True)
        _refuse_unknown(form, request.data)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(ProfileOutput(request.user).data)


def _checked(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    form = kind(data=request.data)
    _refuse_unknown(form, request.data)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _refuse_unknown(form: serializers.BaseSerializer[Any], data: Any) -> None:
    unknown = set(data) - set(form.fields) if isinstance(data, dict) else set()
    if unknown:
        raise serializers.ValidationError({name: ["Unknown field; remove it."] for name in shortened(unknown)})


def shortened(names: Iterable[str]) -> list[str]:
    """The first ten of the names that a client made up, in part: an answer is no echo."""
    return sorted({name[:80] for name in sorted(names)[:10]})


def _refusal(code: int, sentence: str) -> Response:
    return Response({"detail": sentence, "errors": {}}, status=code)


def _too_many(seconds: int) -> Response:
    answer = _refusal(status.HTTP_429_TOO_MANY_REQUESTS, f"Too many tries; wait {seconds} seconds.")
    answer["Retry-After"] = str(seconds)
    return answer


def _plain(request: Request) -> HttpRequest:
    plain: HttpRequest = request._request
    return plain
