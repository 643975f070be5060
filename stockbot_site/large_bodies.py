"""Bodies that hold files: kept on disk while they come in, and read from there piece by piece, never whole."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import IO, Any

from stockbot_site.intake import Headers, Who

PIECE = 64 * 1024
UPLOAD_S = 600.0  # seconds from the moment that a body is large to its end

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
KEY = "stockbot.large_body"


async def _nobody(headers: Headers) -> None:
    return None


@dataclass(frozen=True)
class Uploads:
    """Addresses whose POST may carry files, up to `limit` bytes, from a person whom `who` finds in the headers."""

    paths: frozenset[bytes] = frozenset()
    limit: int = 0
    who: Who = _nobody

    def may_be(self, method: bytes, target: bytes, headers: Any) -> bool:
        shown = headers.hasHeader(b"cookie") or headers.hasHeader(b"authorization")
        return method == b"POST" and target.split(b"?", 1)[0] in self.paths and bool(shown)


class Streamed:
    """The application, which gets a large body out of its file: Daphne would put the whole of it into a queue."""

    def __init__(self, application: Callable[..., Awaitable[Any]]) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Any) -> None:
        body = scope.pop(KEY, None)
        await self._application(scope, receive if body is None else BodyReader(body, receive).receive, send)


class BodyReader:
    """Messages of a body on disk; after its end, what else the client has to say."""

    def __init__(self, body: IO[bytes], receive: Receive) -> None:
        self._body, self._receive = body, receive
        self._ended = False
        body.seek(0)

    async def receive(self) -> Message:
        if not self._ended:
            try:
                piece = self._body.read(PIECE)
            except ValueError:  # the connection is gone, and the file with it
                self._ended = True
            else:
                self._ended = len(piece) < PIECE
                return {"type": "http.request", "body": piece, "more_body": not self._ended}
        while (message := await self._receive())["type"] == "http.request":
            pass  # the empty body that stands in the queue instead of ours
        return message
