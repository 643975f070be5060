"""The news of runs, from one place to every socket and stream.

`hint(run_id)` may be called from any thread: "look again". The hub reads the row, builds the payload once and hands
the same text to everybody who follows the run. A follower keeps the newest text only, so a slow one costs itself news
it would have overwritten anyway, and nobody else anything. Every two seconds the hub looks by itself: a hint that got
lost heals then.
"""

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import AsyncIterator, Iterable

from runs_app import queueing
from runs_app.models import Run
from runs_app.payload import run_payload
from runs_app.pool import from_pool

log = logging.getLogger(__name__)

POLL_S = 2.0


class Follower:
    """One socket or stream that follows one run. `texts()` gives payloads as JSON, the newest only."""

    def __init__(self) -> None:
        self._text = ""
        self._news = asyncio.Event()
        self._over = False

    def offer(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._news.set()

    def end(self) -> None:
        self._over = True
        self._news.set()

    @property
    def is_over(self) -> bool:
        return self._over

    async def next_text(self) -> str:
        """The newest payload when there is one that was not given yet; empty at the end."""
        await self._news.wait()
        if self._over:
            return ""
        self._news.clear()
        return self._text

    async def texts(self) -> AsyncIterator[str]:
        while text := await self.next_text():
            yield text


class Hub:
    """Lives in one event loop; all its state is touched in that loop alone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._followers: dict[uuid.UUID, set[Follower]] = {}
        self._latest: dict[uuid.UUID, str] = {}
        self._wanted: set[uuid.UUID] = set()
        self._wake = asyncio.Event()
        self._task = loop.create_task(self._watch())

    def follow(self, run_id: uuid.UUID) -> Follower:
        """The first payload comes at once: the latest known, then a fresh look."""
        follower = Follower()
        self._followers.setdefault(run_id, set()).add(follower)
        if run_id in self._latest:
            follower.offer(self._latest[run_id])
        self.look(run_id)
        return follower

    def leave(self, run_id: uuid.UUID, follower: Follower) -> None:
        others = self._followers.get(run_id, set())
        others.discard(follower)
        if not others:
            self._followers.pop(run_id, None)
            self._latest.pop(run_id, None)

    def look(self, run_id: uuid.UUID) -> None:
        if run_id in self._followers:
            self._wanted.add(run_id)
            self._wake.set()

    async def close(self) -> None:
        """Every stream ends, and the loop's task with it."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        for followers in self._followers.values():
            for follower in followers:
                follower.end()

    async def _watch(self) -> None:
        look_at_all = self.loop.time() + POLL_S
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.0, look_at_all - self.loop.time()))
            self._wake.clear()
            run_ids, self._wanted = self._wanted, set()
            if self.loop.time() >= look_at_all:
                run_ids, look_at_all = set(self._followers), self.loop.time() + POLL_S
            if run_ids:
                await self._refresh(run_ids)

    async def _refresh(self, run_ids: set[uuid.UUID]) -> None:
        try:
            texts = await from_pool(payload_texts, run_ids)
        except Exception:  # the database may be away for a while: the next look tries again
            log.exception("the news of %d runs could not be read", len(run_ids))
            return
        for run_id, text in texts.items():
            if run_id in self._followers:
                self._latest[run_id] = text
            for follower in self._followers.get(run_id, ()):
                follower.offer(text)


def payload_texts(run_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The payload of each run that still exists, as strict JSON. A run whose figures are no JSON costs itself alone."""
    positions, texts = queueing.positions(), {}
    for run in Run.objects.filter(id__in=list(run_ids)):
        try:
            texts[run.id] = json.dumps(run_payload(run, positions), allow_nan=False, separators=(",", ":"))
        except ValueError:
            log.exception("run %s has a payload that is no JSON", run.id)
    return texts


_hub: Hub | None = None


def the_hub() -> Hub:
    """The hub of the running loop, made at the first call in it."""
    global _hub
    loop = asyncio.get_running_loop()
    if _hub is None or _hub.loop is not loop:
        _hub = Hub(loop)
    return _hub


def hint(run_id: uuid.UUID) -> None:
    """Something about this run changed. From any thread, never waits, never fails; without a server nobody listens."""
    hub = _hub
    if hub is not None and hub.loop.is_running():
        with contextlib.suppress(RuntimeError):  # the loop ended between the two lines
            hub.loop.call_soon_threadsafe(hub.look, run_id)


async def start() -> None:
    the_hub()


async def stop() -> None:
    global _hub
    if _hub is not None and _hub.loop is asyncio.get_running_loop():
        await _hub.close()
    _hub = None
