"""A refresh token works once; shown twice it ends the whole log-in, and nothing of it works afterwards."""

import threading
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from accounts import tokens
from accounts.models import ApiSession, User
from tests.accounts.conftest import PASSWORD


def post(client: Client, route: str, **given: Any) -> Any:
    return client.post(f"/api/auth/{route}", given, content_type="application/json")


def profile(client: Client, token: str) -> int:
    return client.get("/api/users/profile", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def pair(alice: User, client: Client) -> dict[str, str]:
    found: dict[str, str] = post(client, "login", username="alice", password=PASSWORD).json()
    return found


def test_it_works(pair: dict[str, str], client: Client) -> None:
    assert profile(client, pair["access"]) == 200
    fresh = post(client, "refresh", refresh=pair["refresh"]).json()
    assert fresh["refresh"] != pair["refresh"]
    assert profile(client, fresh["access"]) == 200
    assert post(client, "refresh", refresh=fresh["refresh"]).status_code == 200


def test_a_second_use_ends_the_session(pair: dict[str, str], client: Client) -> None:
    fresh = post(client, "refresh", refresh=pair["refresh"]).json()
    stolen = post(client, "refresh", refresh=pair["refresh"])
    assert stolen.status_code == 401 and "used before" in stolen.json()["detail"]
    assert post(client, "refresh", refresh=fresh["refresh"]).status_code == 401
    assert profile(client, fresh["access"]) == 401
    assert ApiSession.objects.get().revoked_at is not None


def test_other_log_ins_go_on(pair: dict[str, str], client: Client) -> None:
    other = post(client, "login", username="alice", password=PASSWORD).json()
    post(client, "refresh", refresh=pair["refresh"])
    post(client, "refresh", refresh=pair["refresh"])
    assert profile(client, other["access"]) == 200
    assert post(client, "refresh", refresh=other["refresh"]).status_code == 200


def test_log_out_ends_both_tokens(pair: dict[str, str], client: Client) -> None:
    assert post(client, "logout", refresh=pair["refresh"]).status_code == 204
    assert post(client, "refresh", refresh=pair["refresh"]).status_code == 401
    assert profile(client, pair["access"]) == 401


def test_a_changed_password_ends_every_token(alice: User, pair: dict[str, str], client: Client) -> None:
    alice.set_password("another long pass-phrase")
    alice.save()
    assert profile(client, pair["access"]) == 401
    assert post(client, "refresh", refresh=pair["refresh"]).status_code == 401


def test_the_two_kinds_are_not_exchanged(pair: dict[str, str], client: Client) -> None:
    assert profile(client, pair["refresh"]) == 401
    assert post(client, "refresh", refresh=pair["access"]).status_code == 401


@pytest.mark.parametrize(
    ("key", "algorithm", "change"),
    [
        ("", "none", {}),
        ("secret", "HS256", {}),
        ("secret_key", "HS256", {}),  # Django's own key signs sessions, not tokens
        ("jwt", "HS512", {}),
        ("jwt", "HS256", {"exp": 1}),
        ("jwt", "HS256", {"nbf": 4_000_000_000}),
        ("jwt", "HS256", {"aud": "another"}),
        ("jwt", "HS256", {"iss": "another"}),
        ("jwt", "HS256", {"session": "no id"}),
        ("jwt", "HS256", {"token_type": "sliding"}),
    ],
)
def test_a_forged_token_is_refused(pair: dict[str, str], client: Client, key: str, algorithm: str, change: Any) -> None:
    secret = {"jwt": settings.JWT_KEY, "secret_key": settings.SECRET_KEY}.get(key, key)
    claims = jwt.decode(pair["access"], options={"verify_signature": False})
    assert profile(client, jwt.encode(claims | change, secret, algorithm)) == 401


def test_the_forger_of_the_test_above_can_forge(pair: dict[str, str], client: Client) -> None:
    claims = jwt.decode(pair["access"], options={"verify_signature": False})
    assert profile(client, jwt.encode(claims, settings.JWT_KEY, "HS256")) == 200


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", "x" * 5000, "Bearer"])
def test_rubbish_is_no_token(db: None, client: Client, token: str) -> None:
    assert profile(client, token) == 401
    assert post(client, "refresh", refresh=token).status_code in (400, 401)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_through() -> None:
    user = User.objects.create_user("alice", password=PASSWORD)
    refresh = tokens.open_session(user)["refresh"]
    won: list[bool] = []

    def turn() -> None:
        try:
            tokens.rotate(refresh)
            won.append(True)
        except tokens.TokenError:
            won.append(False)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=turn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
