"""One look, one text, for everybody; a slow follower keeps the newest text alone."""

import asyncio
import math
import threading
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from runs_app import hub
from runs_app.models import Run

RUN = uuid.uuid4()


@pytest.fixture
async def looks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[set[uuid.UUID]]]:
    """What the hub asked for, each time it looked; the payload's text is the number of the look."""
    asked: list[set[uuid.UUID]] = []

    def look(run_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
        asked.append(set(run_ids))
        return {run_id: str(len(asked)) for run_id in run_ids}

    monkeypatch.setattr(hub, "payload_texts", look)
    yield asked
    await hub.stop()


async def heard(follower: hub.Follower) -> str:
    async for text in follower.texts():
        return text
    return "the end"


async def test_a_hundred_followers_cost_one_look(looks: list[set[uuid.UUID]]) -> None:
    followers = [hub.the_hub().follow(RUN) for _ in range(100)]
    assert await asyncio.gather(*(heard(follower) for follower in followers)) == ["1"] * 100
    hub.hint(RUN)
    assert await asyncio.gather(*(heard(follower) for follower in followers)) == ["2"] * 100
    assert looks == [{RUN}, {RUN}]


async def test_a_late_follower_hears_what_is_known_at_once(looks: list[set[uuid.UUID]]) -> None:
    assert await heard(hub.the_hub().follow(RUN)) == "1"
    late = hub.the_hub().follow(RUN)
    assert late._text == "1"


async def test_a_slow_follower_hears_the_newest_only(looks: list[set[uuid.UUID]]) -> None:
    slow, quick = hub.the_hub().follow(RUN), hub.the_hub().follow(RUN)
    for expected in ("1", "2", "3", "4"):
        assert await heard(quick) == expected
        hub.hint(RUN)
    assert await heard(quick) == "5"
    assert await heard(slow) == "5"


async def test_a_hint_from_a_thread_is_heard_within_a_moment(looks: list[set[uuid.UUID]]) -> None:
    follower = hub.the_hub().follow(RUN)
    await heard(follower)
    began = time.monotonic()
    thread = threading.Thread(target=hub.hint, args=(RUN,))
    thread.start()
    assert await heard(follower) == "2"
    assert time.monotonic() - began < 0.5
    thread.join()


async def test_nobody_listens_nobody_looks(looks: list[set[uuid.UUID]]) -> None:
    follower = hub.the_hub().follow(RUN)
    await heard(follower)
    hub.the_hub().leave(RUN, follower)
    hub.hint(RUN)
    hub.hint(uuid.uuid4())
    await asyncio.sleep(0.1)
    assert looks == [{RUN}]


async def test_hints_for_one_run_do_not_starve_another(
    looks: list[set[uuid.UUID]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "POLL_S", 0.2)
    other = uuid.uuid4()
    quiet = hub.the_hub().follow(other)
    hub.the_hub().follow(RUN)
    await heard(quiet)
    news = asyncio.create_task(heard(quiet))
    deadline = time.monotonic() + 5
    while not news.done() and time.monotonic() < deadline:
        hub.hint(RUN)
        await asyncio.sleep(0.01)
    assert news.done()


async def test_a_look_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def look(run_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("the database is away")
        return {run_id: "back" for run_id in run_ids}

    monkeypatch.setattr(hub, "payload_texts", look)
    monkeypatch.setattr(hub, "POLL_S", 0.1)
    assert await asyncio.wait_for(heard(hub.the_hub().follow(RUN)), 5) == "back"
    await hub.stop()


async def test_the_end_of_the_hub_ends_every_stream(looks: list[set[uuid.UUID]]) -> None:
    follower = hub.the_hub().follow(RUN)
    await heard(follower)
    waiting = asyncio.create_task(heard(follower))
    await asyncio.sleep(0)
    await hub.stop()
    assert await asyncio.wait_for(waiting, 5) == "the end"


def test_without_a_server_a_hint_is_nothing() -> None:
    hub.hint(uuid.uuid4())


def test_a_run_whose_figures_are_no_json_costs_itself_alone(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = (Run.objects.create(owner=owner, kind="train", config_hash="0" * 64) for _ in range(2))
    figures = {good.id: 1.0, bad.id: math.nan}
    monkeypatch.setattr(hub, "run_payload", lambda run, positions: {"x": figures[run.id]})
    assert hub.payload_texts([good.id, bad.id]) == {good.id: '{"x":1.0}'}
