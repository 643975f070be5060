"""Tokens of API clients: one ApiSession a log-in, a refresh token that works once, access tokens that die with it."""

import uuid
from datetime import UTC, datetime
from typing import Any, TypedDict

from django.utils import timezone
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, TokenError
from rest_framework_simplejwt.tokens import RefreshToken, Token

from accounts.models import ApiSession, User

SESSION_CLAIM = "session"


class TokenPair(TypedDict):
    access: str
    refresh: str


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>` of a session that is still open."""

    def get_user(self, validated_token: Token) -> User:
        user: User = super().get_user(validated_token)
        if not _open_sessions(validated_token).filter(user=user).exists():
            raise AuthenticationFailed("This token has been revoked.", code="token_revoked")
        return user

    def user_of(self, raw: bytes) -> User:
        """The user of a raw access token (for sockets). Raises AuthenticationFailed or InvalidToken."""
        return self.get_user(self.get_validated_token(raw))


def open_session(user: User) -> TokenPair:
    """A fresh log-in of a client."""
    refresh = RefreshToken.for_user(user)
    session = ApiSession(user=user, refresh_jti=refresh["jti"], expires_at=_expiry(refresh))
    refresh[SESSION_CLAIM] = str(session.id)
    session.save()
    return _pair(refresh)


def rotate(raw: str) -> TokenPair:
    """A new pair for a refresh token that was never used. A second use ends the whole session.

    Raises TokenError for a token that is used, expired, revoked or not ours.
    """
    old = RefreshToken(raw)
    user = _owner(old)
    new = RefreshToken.for_user(user)
    new[SESSION_CLAIM] = old.get(SESSION_CLAIM)
    turned = _open_sessions(old).filter(user=user, refresh_jti=old["jti"])
    # compare-and-set: of two clients with one token exactly one gets through
    if turned.update(refresh_jti=new["jti"], expires_at=_expiry(new)) != 1:
        _open_sessions(old).update(revoked_at=timezone.now())
        raise TokenError("This refresh token was used before; log in again.")
    return _pair(new)


def close_session(raw: str) -> None:
    """Log out: no token of the session works any more. Raises TokenError for a token that is not ours."""
    _open_sessions(RefreshToken(raw)).update(revoked_at=timezone.now())


def _pair(refresh: RefreshToken) -> TokenPair:
    return TokenPair(access=str(refresh.access_token), refresh=str(refresh))


def _expiry(refresh: RefreshToken) -> datetime:
    return datetime.fromtimestamp(refresh["exp"], tz=UTC)


def _open_sessions(token: Token) -> Any:
    try:
        session_id = uuid.UUID(str(token.get(SESSION_CLAIM)))
    except ValueError:
        return ApiSession.objects.none()
    return ApiSession.objects.filter(id=session_id, revoked_at__isnull=True)


def _owner(token: Token) -> User:
    """The active user whose password has not changed since. Raises TokenError."""
    try:
        return JWTAuthentication().get_user(token)  # type: ignore[no-any-return]
    except (AuthenticationFailed, TokenError) as error:
        raise TokenError("This token has been revoked.") from error
