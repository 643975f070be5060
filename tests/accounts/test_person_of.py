"""Whose headers these are, as the server asks before it takes files."""

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from accounts import tokens
from accounts.models import User
from accounts.sockets import person_of


@pytest.fixture
def cookie(transactional_db: None, alice: User) -> bytes:
    client = Client()
    client.force_login(alice)
    return f"other=1; {settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


@pytest.fixture
def pair(transactional_db: None, alice: User) -> tokens.TokenPair:
    return tokens.open_session(alice)


async def test_a_session_or_a_token_names_its_person(cookie: bytes, pair: tokens.TokenPair, alice: User) -> None:
    assert await person_of({b"cookie": cookie}) == str(alice.pk)
    assert await person_of({b"authorization": b"Bearer " + pair["access"].encode()}) == str(alice.pk)


async def test_what_has_ended_names_nobody(cookie: bytes, pair: tokens.TokenPair) -> None:
    await sync_to_async(tokens.close_session)(pair["refresh"])
    assert await person_of({b"authorization": b"Bearer " + pair["access"].encode()}) is None
    await sync_to_async(User.objects.update)(is_active=False)
    assert await person_of({b"cookie": cookie}) is None


@pytest.mark.parametrize("headers", [
    {}, {b"cookie": b"a=b"}, {b"cookie": b"\xff;;=;"}, {b"cookie": b"stockbot-session=" + b"x" * 4000},
    {b"authorization": b"Bearer x"}, {b"authorization": b"Bearer \xff\x00"}, {b"authorization": b"Basic YTpi"},
])  # fmt: skip
async def test_anything_else_names_nobody(transactional_db: None, headers: dict[bytes, bytes]) -> None:
    assert await person_of(headers) is None
