"""A run's news as server-sent events: what happened, each once and in order, and where the run stands now.

`event: news` has the number of a RunEvent as its id and `{"seq", "kind", "data"}`; after a cut the browser names the
last one it has (Last-Event-ID) and gets those that follow. `event: run` has the live payload, under the same id. The
stream ends when the run has ended; a client that comes again for nothing gets 204, which tells a browser to stop.
"""

import asyncio
import contextlib
import json
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.sockets import Who, bearer, whoever
from runs_app import access, seats
from runs_app.api.files import AsyncResponse
from runs_app.api.runs import ERRORS
from runs_app.hub import Follower, the_hub
from runs_app.models import Run, RunEvent
from runs_app.pool import from_pool

RECHECK_S = 5.0
QUIET_S = 15.0  # a comment line after so long without news: proxies and browsers then know that the line is alive
LAST_EVENT = OpenApiParameter(
    "Last-Event-ID", int, OpenApiParameter.HEADER, description="The last `id` that was heard."
)
ANSWERS: dict[Any, Any] = {
    (200, "text/event-stream"): OpenApiTypes.STR,
    204: OpenApiResponse(description="The run has ended and everything was heard."),
    **ERRORS,
}


class Stream(APIView):
    @extend_schema(parameters=[LAST_EVENT], responses=ANSWERS)
    def get(self, request: Request, run_id: uuid.UUID) -> HttpResponseBase:
        """The run's news as they come, until it has ended."""
        run = access.get_run(request.user, run_id)
        heard = _heard(request)
        if run.is_terminal and heard is not None and heard >= run.seq:
            return HttpResponse(status=204)
        news = _news(run.id, request.user.pk, _who(request), heard if heard is not None else run.seq)
        answer = AsyncResponse(news, content_type="text/event-stream")
        answer["Cache-Control"] = "no-store"
        answer["X-Accel-Buffering"] = "no"
        return answer

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[object, str]:
        """A browser asks for text/event-stream alone; errors are JSON nevertheless."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type


async def _news(run_id: uuid.UUID, user_id: Any, who: Who, heard: int) -> AsyncGenerator[bytes, None]:
    if not seats.take(user_id):
        yield b"event: full\ndata: {}\n\n"
        return
    hub = the_hub()
    follower = hub.follow(run_id)
    guard = asyncio.create_task(_guard(run_id, who, follower))
    try:
        async for text in _texts(follower):
            if not text:
                yield b": still here\n\n"
                continue
            for event in await from_pool(_events_after, run_id, heard):
                heard = event["seq"]
                yield f"event: news\nid: {heard}\ndata: {_json(event)}\n\n".encode()
            yield f"event: run\nid: {heard}\ndata: {text}\n\n".encode()
            if json.loads(text)["state"] in Run.TERMINAL:
                return
    finally:
        guard.cancel()
        hub.leave(run_id, follower)
        seats.leave(user_id)


async def _texts(follower: Follower) -> AsyncIterator[str]:
    """Payloads as they come, and an empty text after each quiet while."""
    while not follower.is_over:
        text = ""
        with contextlib.suppress(TimeoutError):
            text = await asyncio.wait_for(follower.next_text(), QUIET_S)
        if not follower.is_over:
            yield text


async def _guard(run_id: uuid.UUID, who: Who, follower: Follower) -> None:
    """Ends the stream of somebody who has logged out or lost the run."""
    while True:
        await asyncio.sleep(RECHECK_S)
        user = await who()
        if user is None or not await from_pool(Run.objects.owned_by(user).filter(id=run_id).exists):
            follower.end()
            return


def _events_after(run_id: uuid.UUID, seq: int) -> list[dict[str, Any]]:
    return list(RunEvent.objects.filter(run=run_id, seq__gt=seq).order_by("seq").values("seq", "kind", "data"))


def _heard(request: Request) -> int | None:
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _who(request: Request) -> Who:
    token = bearer(request.headers.get("Authorization", "").encode("latin-1", "replace"))
    return whoever(token, request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))


def _json(value: Any) -> str:
    """One line: JSON escapes line ends, so that no text of a user can end an event and begin another."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
