"""There is one log-in: the admin sends to it, so that its rate limit holds there too."""

import pytest
from django.test import Client

from accounts.models import User

PASSWORD = "a long enough pass-phrase"


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


def test_the_admin_takes_no_password(boss: User, client: Client) -> None:
    given = {"username": "boss", "password": PASSWORD, "next": "/admin/"}
    answers = [client.post("/admin/login/", given) for _ in range(14)]
    assert {answer.status_code for answer in answers} == {302}
    assert "_auth_user_id" not in client.session


def test_the_way_into_the_admin_is_limited_and_leads_back(boss: User, client: Client) -> None:
    sent = client.get("/admin/runs_app/run/", follow=True)
    assert sent.redirect_chain[-1][0] == "/accounts/login?next=/admin/runs_app/run/"
    given = {"username": "boss", "password": "wrong", "next": "/admin/runs_app/run/"}
    tries = [client.post("/accounts/login", given, REMOTE_ADDR="10.0.0.1").status_code for _ in range(11)]
    assert tries == [200] * 10 + [429]
    there = client.post("/accounts/login", given | {"password": PASSWORD}, REMOTE_ADDR="10.0.0.2")
    assert there["Location"] == "/admin/runs_app/run/"


@pytest.mark.parametrize("foreign", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_only_a_path_of_this_site_is_kept(boss: User, client: Client, foreign: str) -> None:
    assert client.get("/admin/login/", {"next": foreign})["Location"] == "/accounts/login?next=/admin/"


def test_who_is_no_administrator_is_refused_and_not_sent_round(db: None, client: Client) -> None:
    client.force_login(User.objects.create_user("alice", password=PASSWORD))
    assert client.get("/admin/", follow=True).status_code == 403


def test_an_administrator_is_sent_on(boss: User, client: Client) -> None:
    client.force_login(boss)
    assert client.get("/admin/login/", {"next": "/admin/runs_app/run/"})["Location"] == "/admin/runs_app/run/"
