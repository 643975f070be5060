"""A run's socket: the owner hears everything, everybody else hears one close code and nothing more."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts import tokens
from accounts.models import ApiSession, User
from runs_app import consumers, hub, moves, seats
from runs_app.models import Run
from runs_app.payload import run_payload
from stockbot_site.asgi import application
from tests.runs_app.api.conftest import API, MakeRun

pytestmark = pytest.mark.django_db(transaction=True)
HOST = b"testserver"
Header = tuple[bytes, bytes]
SOON = 5.0


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice", password="pw")


@pytest.fixture
def run(alice: User, make_run: MakeRun) -> Run:
    return make_run(state="RUNNING")


@pytest.fixture(autouse=True)
async def _hub_ends(transactional_db: None) -> AsyncIterator[None]:
    yield
    await hub.stop()


def cookie(user: User) -> Header:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return b"cookie", f"theme=dark; {name}={client.cookies[name].value}".encode()


def bearer(user: User) -> Header:
    return b"authorization", b"Bearer " + tokens.open_session(user)["access"].encode()


def socket(run_id: Any, *headers: Header, origin: bytes | None = b"http://" + HOST) -> WebsocketCommunicator:
    given = [(b"host", HOST), *headers, *([(b"origin", origin)] if origin is not None else [])]
    return WebsocketCommunicator(application, f"{API}/runs/{run_id}/ws", headers=given)


async def close_code(one: WebsocketCommunicator) -> int:
    """The code of a socket that was accepted and closed without a word."""
    accepted, _ = await one.connect(timeout=SOON)
    assert accepted
    message = await one.receive_output(timeout=SOON)
    assert message["type"] == "websocket.close", message
    await one.disconnect()
    return int(message["code"])


async def hear(one: WebsocketCommunicator) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await one.receive_from(timeout=SOON))
    return found


@pytest.fixture(params=[cookie, bearer], ids=["cookie", "token"])
def ticket(request: Any, alice: User) -> Header:
    found: Header = request.param(alice)
    return found


async def test_it_works(run: Run, ticket: Header) -> None:
    one = socket(run.id, ticket)
    assert (await one.connect(timeout=SOON))[0]
    assert await hear(one) == await sync_to_async(run_payload)(run)
    await sync_to_async(moves.move)(run.id, ("RUNNING",), "FAILED", reason="killed", ended=run.created)
    hub.hint(run.id)
    news = await hear(one)
    assert (news["state"], news["reason"], news["seq"]) == ("FAILED", "killed", 1)
    await one.disconnect()


async def test_a_lost_hint_heals_by_itself(run: Run, ticket: Header) -> None:
    one = socket(run.id, ticket)
    await one.connect(timeout=SOON)
    await hear(one)
    await sync_to_async(Run.objects.filter(id=run.id).update)(phase="train")
    started = asyncio.get_running_loop().time()
    assert (await hear(one))["phase"] == "train"
    assert asyncio.get_running_loop().time() - started < hub.POLL_S + 1
    await one.disconnect()


async def test_a_client_with_a_token_needs_no_origin(run: Run, alice: User) -> None:
    one = socket(run.id, await sync_to_async(bearer)(alice), origin=None)
    assert (await one.connect(timeout=SOON))[0]
    assert (await hear(one))["id"] == str(run.id)
    await one.disconnect()


@pytest.mark.parametrize(
    "origin",
    [None, b"null", b"https://evil.example", b"http://testserver:8001", b"https://testserver", b"http://testserver.evil",
     b"http://[", b"\xff"],
)  # fmt: skip
async def test_a_page_of_another_origin_gets_no_handshake(run: Run, alice: User, origin: bytes | None) -> None:
    one = socket(run.id, await sync_to_async(cookie)(alice), origin=origin)
    accepted, _ = await one.connect(timeout=SOON)
    assert not accepted


async def test_a_token_does_not_excuse_a_foreign_origin(run: Run, alice: User) -> None:
    one = socket(run.id, await sync_to_async(bearer)(alice), origin=b"https://evil.example")
    assert not (await one.connect(timeout=SOON))[0]


async def test_a_host_that_is_not_ours_gets_no_handshake(run: Run, alice: User) -> None:
    headers = [(b"host", b"evil.example"), (b"origin", b"http://evil.example"), await sync_to_async(cookie)(alice)]
    one = WebsocketCommunicator(application, f"{API}/runs/{run.id}/ws", headers=headers)
    assert not (await one.connect(timeout=SOON))[0]


@pytest.mark.parametrize(
    "header",
    [(b"x", b"y"), (b"cookie", b"stockbot-session=nonsense"), (b"cookie", b'"\xff;;='), (b"authorization", b"Bearer x"),
     (b"authorization", b"Bearer "), (b"authorization", b"Basic YTpi")],
)  # fmt: skip
async def test_nobody_hears_4401(run: Run, header: Header) -> None:
    assert await close_code(socket(run.id, header)) == consumers.NOBODY


async def test_a_token_in_the_address_is_not_read(run: Run, alice: User) -> None:
    access = (await sync_to_async(tokens.open_session)(alice))["access"]
    headers = [(b"host", HOST), (b"origin", b"http://" + HOST)]
    one = WebsocketCommunicator(application, f"{API}/runs/{run.id}/ws?token={access}", headers=headers)
    assert await close_code(one) == consumers.NOBODY


@pytest.mark.parametrize("ticket_of", [cookie, bearer])
async def test_a_foreign_run_is_a_missing_run(run: Run, ticket_of: Any) -> None:
    bob = await sync_to_async(User.objects.create_user)("bob")
    ticket = await sync_to_async(ticket_of)(bob)
    assert await close_code(socket(run.id, ticket)) == consumers.NOT_FOUND
    assert await close_code(socket(uuid.uuid4(), ticket)) == consumers.NOT_FOUND
    assert await close_code(socket("no-id", ticket)) == consumers.NOT_FOUND


@pytest.mark.parametrize("ticket_of", [cookie, bearer])
async def test_who_logs_out_hears_no_more(run: Run, alice: User, ticket_of: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
    one = socket(run.id, await sync_to_async(ticket_of)(alice))
    await one.connect(timeout=SOON)
    await hear(one)
    if ticket_of is cookie:
        await sync_to_async(User.objects.filter(id=alice.id).update)(is_active=False)
    else:
        await sync_to_async(ApiSession.objects.update)(revoked_at=run.created)
    assert (await one.receive_output(timeout=SOON))["code"] == consumers.NOBODY
    await one.disconnect()


async def test_who_loses_the_run_hears_no_more(run: Run, ticket: Header, monkeypatch: Any) -> None:
    monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
    one = socket(run.id, ticket)
    await one.connect(timeout=SOON)
    await hear(one)
    bob = await sync_to_async(User.objects.create_user)("bob")
    await sync_to_async(Run.objects.filter(id=run.id).update)(owner=bob)
    assert (await one.receive_output(timeout=SOON))["code"] == consumers.NOT_FOUND
    await one.disconnect()


async def test_a_large_message_ends_the_socket(run: Run, ticket: Header) -> None:
    one = socket(run.id, ticket)
    await one.connect(timeout=SOON)
    await hear(one)
    await one.send_to(text_data="x" * (consumers.MAX_INBOUND + 1))
    assert (await one.receive_output(timeout=SOON))["code"] == consumers.TOO_BIG
    await one.disconnect()


async def test_a_flood_ends_the_socket_and_small_talk_does_not(run: Run, ticket: Header) -> None:
    one = socket(run.id, ticket)
    await one.connect(timeout=SOON)
    await hear(one)
    await one.send_to(text_data="ping")
    await one.send_to(bytes_data=b"\xff\x00")
    assert await one.receive_nothing(timeout=0.2)
    for _ in range(2 * consumers.MAX_MESSAGES):
        await one.send_to(text_data="x")
    assert (await one.receive_output(timeout=SOON))["code"] == consumers.TOO_MUCH
    await one.disconnect()


async def test_one_person_has_so_many_sockets(run: Run, ticket: Header, monkeypatch: Any) -> None:
    monkeypatch.setattr(seats, "SEATS", 2)
    open_ones = [socket(run.id, ticket) for _ in range(2)]
    for one in open_ones:
        await one.connect(timeout=SOON)
        await hear(one)
    assert await close_code(socket(run.id, ticket)) == consumers.TOO_MANY
    await open_ones.pop().disconnect()
    again = socket(run.id, ticket)
    await again.connect(timeout=SOON)
    assert (await hear(again))["id"] == str(run.id)
    await again.disconnect()
    await open_ones.pop().disconnect()
