"""The log-in page: in, out, wrong, and where `next` may lead."""

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD

URL = "/accounts/login"


def test_it_works(alice: User, client: Client) -> None:
    answer = client.post(URL, {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 302 and answer["Location"] == "/"
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("ALICE", ""), ("", "")])
def test_it_refuses_without_saying_which_was_wrong(alice: User, client: Client, name: str, password: str) -> None:
    answer = client.post(URL, {"username": name, "password": password})
    assert answer.status_code == 200
    assert settings.SESSION_COOKIE_NAME not in answer.cookies
    if name and password:
        assert "User name or password is wrong." in answer.content.decode()


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "https:evil.example", "\t//x"],
)
def test_next_stays_on_this_host(alice: User, client: Client, target: str) -> None:
    answer = client.post(URL, {"username": "alice", "password": PASSWORD, "next": target})
    assert answer.status_code == 302 and answer["Location"] == "/"


def test_next_within_the_site_is_followed(alice: User, client: Client) -> None:
    answer = client.post(URL, {"username": "alice", "password": PASSWORD, "next": "/datasets"})
    assert answer["Location"] == "/datasets"


def test_log_out_takes_a_post(alice: User, client: Client) -> None:
    client.force_login(alice)
    assert client.get("/accounts/logout").status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post("/accounts/logout").status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_form_without_its_token_is_refused(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(URL, {"username": "alice", "password": PASSWORD}).status_code == 403
    strict.force_login(alice)
    assert strict.post("/accounts/logout").status_code == 403


def test_an_inactive_person_stays_out(alice: User, client: Client) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    answer = client.post(URL, {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 200 and "is wrong" in answer.content.decode()
