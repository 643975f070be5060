"""Whatever ends a socket, its seat is free afterwards and nothing of it runs on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from accounts.models import User
from runs_app import consumers, hub, seats
from runs_app.models import Run
from stockbot_site.asgi import application
from tests.runs_app.api.conftest import API, MakeRun
from tests.runs_app.api.test_socket import SOON, bearer

pytestmark = pytest.mark.django_db(transaction=True)


class Refused(Exception):
    """What the server's socket library raises for a code that it may not send."""


async def strict(scope: Any, receive: Any, send: Any) -> None:
    """The application behind a server that sends the close codes RFC 6455 leaves to applications: 1000 and 3000 up."""

    async def guarded(message: Any) -> None:
        if message["type"] == "websocket.close" and not (message["code"] == 1000 or 3000 <= message["code"] <= 4999):
            raise Refused(message["code"])
        await send(message)

    await application(scope, receive, guarded)


async def broken(scope: Any, receive: Any, send: Any) -> None:
    """The application behind a server that cannot send a close at all."""

    async def guarded(message: Any) -> None:
        if message["type"] == "websocket.close":
            raise Refused(message["code"])
        await send(message)

    await application(scope, receive, guarded)


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


async def opened(app: Any, run: Run, user: User) -> WebsocketCommunicator:
    headers = [(b"host", b"testserver"), await sync_to_async(bearer)(user)]
    one = WebsocketCommunicator(app, f"{API}/runs/{run.id}/ws", headers=headers)
    assert (await one.connect(timeout=SOON))[0]
    assert json.loads(await one.receive_from(timeout=SOON))["id"] == str(run.id)
    return one


async def flood(one: WebsocketCommunicator) -> None:
    for _ in range(2 * consumers.MAX_MESSAGES + 2):
        await one.send_to(text_data="x")


def nothing_left(run: Run, user: User) -> bool:
    ours = [task for task in asyncio.all_tasks() if "RunConsumer" in repr(task.get_coro()) and not task.cancelling()]
    return seats._taken[user.pk] == 0 and not hub.the_hub()._followers.get(run.id) and not ours


async def test_twelve_floods_leave_the_seats_free(run: Run, alice: User) -> None:
    for _ in range(12):
        one = await opened(strict, run, alice)
        await flood(one)
        assert await one.receive_output(timeout=SOON) == {"type": "websocket.close", "code": 4008}
        assert await one.receive_nothing(timeout=0.05)  # closed once, however much came
        await one.disconnect()
    assert nothing_left(run, alice)


async def test_a_large_message_is_told_by_a_code_that_may_be_sent(run: Run, alice: User) -> None:
    one = await opened(strict, run, alice)
    await one.send_to(text_data="x" * (consumers.MAX_INBOUND + 1))
    assert (await one.receive_output(timeout=SOON))["code"] == 4009
    await one.disconnect()
    assert nothing_left(run, alice)


async def test_a_socket_that_fails_leaves_its_seat(run: Run, alice: User) -> None:
    one = await opened(broken, run, alice)
    await flood(one)
    with pytest.raises(Refused):
        await one.wait(timeout=SOON)
    assert nothing_left(run, alice)


async def test_a_socket_that_is_cancelled_leaves_its_seat(run: Run, alice: User) -> None:
    one = await opened(strict, run, alice)
    one.future.cancel()
    await asyncio.wait([one.future], timeout=SOON)
    assert nothing_left(run, alice)


async def test_a_look_that_fails_is_taken_again(run: Run, alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(consumers, "RECHECK_S", 0.05)
    one = await opened(strict, run, alice)
    looks = iter([RuntimeError("database is locked"), RuntimeError("again"), consumers.NOBODY])

    async def fault(self: Any) -> tuple[None, int]:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return None, found

    monkeypatch.setattr(consumers.RunConsumer, "_fault", fault)
    assert (await one.receive_output(timeout=SOON))["code"] == consumers.NOBODY
    await one.disconnect()
    assert nothing_left(run, alice)
