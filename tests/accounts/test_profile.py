"""A person's own data: three fields to change, no right to gain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.models.signals import pre_save
from django.test import Client

from accounts.models import User

URL = "/api/users/profile"


def patch(client: Client, given: Any) -> Any:
    return client.patch(URL, given, content_type="application/json")


@contextmanager
def just_before_saving(change: Callable[[], Any]) -> Iterator[None]:
    """Somebody else's change to the database between this request's reading and its writing."""

    def receiver(**_: Any) -> None:
        pre_save.disconnect(receiver, sender=User)
        change()

    pre_save.connect(receiver, sender=User)
    try:
        yield
    finally:
        pre_save.disconnect(receiver, sender=User)


def test_it_works(alice: User, client: Client) -> None:
    client.force_login(alice)
    assert client.get(URL).json()["username"] == "alice"
    assert patch(client, {"email": "a@example.org", "first_name": "Al"}).json()["email"] == "a@example.org"
    alice.refresh_from_db()
    assert (alice.email, alice.first_name) == ("a@example.org", "Al")


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "groups", "username", "id", "password", "is_active"])
def test_nothing_else_can_be_changed(alice: User, client: Client, field: str) -> None:
    client.force_login(alice)
    before = User.objects.values().get()
    answer = patch(client, {field: True, "email": "b@example.org"})
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {field}
    assert User.objects.values().get() == before


def test_another_persons_address_is_refused(alice: User, client: Client) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", "x")
    client.force_login(bob)
    answer = patch(client, {"email": "Alice@Example.org"})
    assert answer.status_code == 400 and "email" in answer.json()["errors"]


def test_nobody_has_no_profile(db: None, client: Client) -> None:
    answer = client.get(URL)
    assert answer.status_code == 401 and answer.json()["errors"] == {}


def test_a_session_needs_the_token_of_its_page(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert patch(strict, {"email": "x@example.org"}).status_code == 403
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"


def test_only_what_was_given_is_written(alice: User, client: Client) -> None:
    """An account that is closed or promoted at the same moment stays so."""
    client.force_login(alice)
    with just_before_saving(lambda: User.objects.filter(pk=alice.pk).update(is_active=False, last_name="Later")):
        assert patch(client, {"first_name": "Al"}).status_code == 200
    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name, alice.is_active) == ("Al", "Later", False)


def test_an_address_taken_a_moment_ago_is_refused_at_its_field(alice: User, client: Client) -> None:
    client.force_login(alice)
    with just_before_saving(lambda: User.objects.create_user("bob", "new@example.org", "x")):
        answer = patch(client, {"email": "New@example.org"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"email": ["This e-mail address is in use."]}
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
