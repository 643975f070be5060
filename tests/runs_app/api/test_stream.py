"""Server-sent events: each event of a run once and in order, over any number of cuts, to its owner alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiSession, User
from runs_app import hub, moves, seats
from runs_app.api import stream
from runs_app.models import Run
from runs_app.payload import run_payload
from tests.runs_app.api.conftest import API, MakeRun

pytestmark = pytest.mark.django_db(transaction=True)
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


class Listener:
    """What a browser's EventSource does: reads messages and remembers the last id."""

    def __init__(self, headers: dict[str, str], run: Run) -> None:
        self.headers, self.address = headers, f"{API}/runs/{run.id}/stream"
        self.last_id = ""

    async def open(self) -> Any:
        headers = self.headers | ({"Last-Event-ID": self.last_id} if self.last_id else {})
        self.answer = await AsyncClient().get(self.address, headers=headers | {"Accept": "text/event-stream"})
        self.lines = aiter(self.answer) if self.answer.status_code == 200 else None
        return self.answer

    async def message(self) -> tuple[str, Any]:
        raw = await asyncio.wait_for(anext(self.lines), SOON)
        fields = dict(line.split(": ", 1) for line in raw.decode().rstrip("\n").split("\n"))
        if "id" in fields:
            self.last_id = fields["id"]
        return fields.get("event", ""), json.loads(fields["data"]) if "data" in fields else None

    async def cut(self) -> None:
        await self.lines.aclose()


@pytest.fixture
async def listener(alice: User, run: Run) -> Listener:
    pair = await sync_to_async(tokens.open_session)(alice)
    return Listener({"Authorization": f"Bearer {pair['access']}"}, run)


def note(run: Run, *sentences: str) -> None:
    moves.note(run.id, [("warning", {"sentence": sentence}) for sentence in sentences])
    hub.hint(run.id)


async def test_it_works(listener: Listener, run: Run) -> None:
    answer = await listener.open()
    assert answer["Content-Type"] == "text/event-stream" and answer["Cache-Control"] == "no-store"
    assert await listener.message() == ("run", await sync_to_async(run_payload)(run))
    await sync_to_async(note)(run, "first", "second")
    assert await listener.message() == ("news", {"seq": 1, "kind": "warning", "data": {"sentence": "first"}})
    assert await listener.message() == ("news", {"seq": 2, "kind": "warning", "data": {"sentence": "second"}})
    kind, payload = await listener.message()
    assert (kind, payload["seq"], listener.last_id) == ("run", 2, "2")
    await listener.cut()


async def test_over_cuts_nothing_is_lost_and_nothing_comes_twice(listener: Listener, run: Run) -> None:
    heard: list[str] = []
    for cut in range(5):
        await listener.open()
        await sync_to_async(note)(run, f"{cut}a", f"{cut}b")
        kind, data = "", {}
        while kind != "news" or data["data"]["sentence"] != f"{cut}a":
            kind, data = await listener.message()
            heard += [data["data"]["sentence"]] if kind == "news" else []
        await listener.cut()  # the second one has not been heard
        await sync_to_async(note)(run, f"{cut}c")  # nor what happens while nobody listens
    expected = [f"{cut}{letter}" for cut in range(5) for letter in "abc"]
    assert heard == expected[: len(heard)] and len(heard) == 13


async def test_the_end_of_the_run_ends_the_stream(listener: Listener, run: Run) -> None:
    await listener.open()
    await listener.message()
    await sync_to_async(moves.move)(run.id, ("RUNNING",), "SUCCEEDED", ended=timezone.now())
    hub.hint(run.id)
    assert (await listener.message())[1]["data"]["state"] == "SUCCEEDED"
    assert (await listener.message())[1]["state"] == "SUCCEEDED"
    with pytest.raises(StopAsyncIteration):
        await listener.message()
    assert (await listener.open()).status_code == 204


async def test_a_quiet_line_shows_that_it_is_alive(listener: Listener, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream, "QUIET_S", 0.05)
    await listener.open()
    await listener.message()
    assert (await asyncio.wait_for(anext(listener.lines), SOON)).decode() == ": still here\n\n"
    await listener.cut()


async def test_a_text_with_line_ends_stays_one_event(listener: Listener, run: Run) -> None:
    await listener.open()
    await listener.message()
    hostile = 'a\n\nevent: run\ndata: {"state":"SUCCEEDED"}\r\n\r\n\u2028'
    await sync_to_async(note)(run, hostile)
    assert (await listener.message())[1]["data"]["sentence"] == hostile
    await listener.cut()


async def test_who_logs_out_hears_no_more(listener: Listener, run: Run, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream, "RECHECK_S", 0.05)
    await listener.open()
    await listener.message()
    await sync_to_async(ApiSession.objects.update)(revoked_at=timezone.now())
    with pytest.raises(StopAsyncIteration):
        await listener.message()


async def test_the_end_of_the_server_ends_the_stream(listener: Listener) -> None:
    await listener.open()
    await listener.message()
    await hub.stop()
    with pytest.raises(StopAsyncIteration):
        await listener.message()


async def test_seats_are_given_back(listener: Listener, monkeypatch: Any) -> None:
    monkeypatch.setattr(seats, "SEATS", 1)
    for _ in range(3):
        await listener.open()
        assert (await listener.message())[0] == "run"
        await listener.cut()
    await listener.open()
    await listener.message()
    second = Listener(listener.headers, await Run.objects.aget())
    await second.open()
    assert await second.message() == ("full", {})
    await listener.cut()


async def test_a_session_may_listen_too(alice: User, run: Run) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)
    answer = await client.get(f"{API}/runs/{run.id}/stream", headers={"Accept": "text/event-stream"})
    lines = aiter(answer)
    assert (await asyncio.wait_for(anext(lines), SOON)).startswith(b"event: run\n")
    await lines.aclose()
