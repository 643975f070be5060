"""Sockets: a run's news to whoever owns it.

The handshake is accepted and then closed with 4401 (nobody logged in) or 4404 (no such run, or another person's: the
two are one answer), because a browser shows a page no reason for a refused handshake.
"""

import asyncio
import logging
import time
import uuid
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.models import User
from runs_app import seats
from runs_app.hub import Follower, the_hub
from runs_app.models import Run
from runs_app.pool import from_pool

log = logging.getLogger(__name__)

NOBODY, NOT_FOUND, TOO_BIG, TOO_MUCH, TOO_MANY = 4401, 4404, 4009, 4008, 4429  # Autobahn refuses to send 1008 and 1009
RECHECK_S = 5.0
MAX_INBOUND = 4096
MAX_MESSAGES = 30  # of a client in one second: it has nothing to say


class Nowhere(AsyncWebsocketConsumer):
    """An address where nothing is answers like a run that does not exist."""

    permission = "public"

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=NOT_FOUND)


class RunConsumer(AsyncWebsocketConsumer):
    """Sends the whole payload first and at each change; checks every five seconds who is there and whose run it is."""

    permission = "owner"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks: list[asyncio.Task[None]] = []
        self._follower: Follower | None = None
        self._seat: Any = None  # of whom it is, while one is held
        self._second, self._messages = 0, 0
        self._closed = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()

    async def connect(self) -> None:
        self.run_id: uuid.UUID = self.scope["url_route"]["kwargs"]["run_id"]
        await self.accept()
        user, fault = await self._fault()
        if fault:
            await self._close(fault)
        elif user is None or not seats.take(user.pk):
            await self._close(TOO_MANY)
        else:
            self._begin(user)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A client has nothing to say; a ping is ignored, a flood or a large message ends the socket."""
        size = len(text_data.encode("utf-8", "replace")) if text_data is not None else len(bytes_data or b"")
        second = int(time.monotonic())
        self._messages = self._messages + 1 if second == self._second else 1
        self._second = second
        if size > MAX_INBOUND:
            await self._close(TOO_BIG)
        elif self._messages > MAX_MESSAGES:
            await self._close(TOO_MUCH)

    async def _close(self, code: int) -> None:
        """Once: what a client has sent before it hears the close is read after it."""
        if not self._closed:
            self._closed = True
            await self.close(code=code)

    def _end(self) -> None:
        """Gives back whatever this socket holds, however it has ended."""
        if self._seat is not None:
            seats.leave(self._seat)
            self._seat = None
        for task in self._tasks:
            task.cancel()
        if self._follower is not None:
            self._hub.leave(self.run_id, self._follower)
            self._follower = None

    def _begin(self, user: User) -> None:
        self._seat = user.pk
        self._hub = the_hub()
        self._follower = self._hub.follow(self.run_id)
        self._tasks = [asyncio.create_task(self._relay(self._follower)), asyncio.create_task(self._guard())]

    async def _relay(self, follower: Follower) -> None:
        async for text in follower.texts():
            await self.send(text_data=text)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            try:
                _, fault = await self._fault()
            except Exception:
                log.exception("who hears of run %s is not known; asked again in %s s", self.run_id, RECHECK_S)
                continue
            if fault:
                await self._close(fault)
                return

    async def _fault(self) -> tuple[User | None, int]:
        user: User | None = await self.scope["who"]()
        if user is None:
            return None, NOBODY
        owned = await from_pool(Run.objects.owned_by(user).filter(id=self.run_id).exists)
        return user, 0 if owned else NOT_FOUND
