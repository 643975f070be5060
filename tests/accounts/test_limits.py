"""Ten tries a minute, by address and by account; nobody can lock another out."""

import pytest
from django.core.cache import caches
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD


def page(client: Client, name: str, password: str, address: str, **headers: str) -> int:
    given = {"username": name, "password": password}
    return client.post("/accounts/login", given, REMOTE_ADDR=address, headers=headers).status_code


def api(client: Client, name: str, password: str, address: str) -> int:
    given = {"username": name, "password": password}
    return client.post("/api/auth/login", given, content_type="application/json", REMOTE_ADDR=address).status_code


def test_the_eleventh_try_of_an_address_waits(alice: User, client: Client) -> None:
    assert [page(client, f"name{n}", "wrong", "10.0.0.1") for n in range(10)] == [200] * 10
    answer = client.post("/accounts/login", {"username": "alice", "password": PASSWORD}, REMOTE_ADDR="10.0.0.1")
    assert answer.status_code == 429 and 1 <= int(answer["Retry-After"]) <= 61
    assert "_auth_user_id" not in client.session
    assert "Too many tries" in answer.content.decode()


def test_page_and_api_share_the_count(alice: User, client: Client) -> None:
    assert [api(client, "alice", "wrong", "10.0.0.1") for _ in range(5)] == [401] * 5
    assert [page(client, "alice", "wrong", "10.0.0.1") for _ in range(5)] == [200] * 5
    assert api(client, "alice", PASSWORD, "10.0.0.1") == 429


def test_an_account_tried_from_many_addresses_waits_at_those_and_not_at_the_owners(alice: User, client: Client) -> None:
    for n in range(5):
        assert [api(client, "Alice", "wrong", f"10.0.1.{n}") for _ in range(2)] == [401, 401]
    assert api(client, "alice", "wrong", "10.0.1.0") == 429
    assert api(client, "alice", PASSWORD, "10.9.9.9") == 200


@pytest.mark.parametrize("claim", ["127.0.0.1", "1.2.3.{n}", "{n}.0.0.1, 10.0.0.1", "unknown"])
def test_a_forwarded_address_is_not_believed(alice: User, client: Client, claim: str) -> None:
    tries = [page(client, "x", "wrong", "10.0.0.1", **{"X-Forwarded-For": claim.format(n=n)}) for n in range(11)]
    assert tries == [200] * 10 + [429]


def test_the_counters_survive_a_flood_of_names() -> None:
    cache = caches["ratelimit"]
    cache.set("first", 1)
    for n in range(5000):
        cache.set(f"name{n}", 1)
    assert cache.get("first") == 1
