"""A new account by page and by API: one set of rules."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD

PAGE, API = "/accounts/signup", "/api/auth/register"


def test_it_works(db: None, client: Client) -> None:
    answer = client.post(PAGE, {"username": "bob", "email": "bob@example.org", "password": PASSWORD})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get(username="bob").pk)


def test_it_works_by_api(db: None, client: Client) -> None:
    answer = client.post(API, {"username": "bob", "password": PASSWORD}, content_type="application/json")
    assert answer.status_code == 201
    token = answer.json()["access"]
    profile = client.get("/api/users/profile", headers={"Authorization": f"Bearer {token}"}).json()
    assert profile["username"] == "bob" and profile["id"] == str(User.objects.get().pk)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "alice"),
        ("username", "Alice"),
        ("username", "аlice"),  # the first letter is Cyrillic
        ("username", ""),
        ("username", "x" * 151),
        ("username", "a\r\nb"),
        ("email", "ALICE@example.org"),
        ("email", "no address"),
        ("password", "short"),
        ("password", "123456789"),
        ("password", "password123"),
        ("password", "newcomer12"),
        ("password", "x" * 129),
    ],
)
def test_it_refuses_at_the_field(alice: User, client: Client, field: str, value: str) -> None:
    given: dict[str, Any] = {"username": "newcomer1", "email": "new@example.org", "password": PASSWORD, field: value}
    page = client.post(PAGE, given)
    assert page.status_code == 400 and page.context["form"].errors.keys() == {field}
    answer = client.post(API, given, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert answer.json()["errors"].keys() == {field} and answer.json()["detail"]
    assert User.objects.count() == 1


def test_unknown_fields_are_refused(db: None, client: Client) -> None:
    given = {"username": "bob", "password": PASSWORD, "is_staff": True}
    answer = client.post(API, given, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["errors"] == {"is_staff": ["Unknown field; remove it."]}
    client.post(PAGE, {**given, "is_superuser": "on"})
    assert not User.objects.filter(is_staff=True).exists() and not User.objects.filter(is_superuser=True).exists()


def test_the_owner_of_the_server_can_switch_it_off(db: None, client: Client, settings: Any) -> None:
    settings.SIGNUP_ENABLED = False
    given = {"username": "bob", "password": PASSWORD}
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, given).status_code == 403
    assert client.post(API, given, content_type="application/json").status_code == 403
    assert not User.objects.exists()
