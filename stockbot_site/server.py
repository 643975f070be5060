"""Daphne's server with what it lacks: limits on bodies and slow clients, a graceful end, our own start and stop.

Import this module before anything else that imports Twisted: Daphne installs its asyncio reactor at import.
"""

import asyncio
import contextlib
import io
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

# isort: off
from daphne.server import Server  # first: it installs the reactor
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer, reactor
from twisted.web import http
# isort: on

from stockbot_site.intake import Intake, Slots
from stockbot_site.large_bodies import KEY, UPLOAD_S, Streamed, Uploads

log = logging.getLogger(__name__)

HEADER_S = 10.0  # seconds from a request's first byte to the end of its headers
BODY_S = 60.0  # seconds from the headers to the end of the body
STALL_S = 60.0  # seconds that a client may leave a full send buffer unread
DRAIN_S = 8.0  # seconds that requests under way have to end when the server stops
LINGER_S = 1.0  # seconds that a refused client's bytes are thrown away, so that it gets to read the refusal
MAX_SOCKET_MESSAGE = 4096
MAX_CHUNKS, MEAN_CHUNK = 4096, 64  # pieces of a body that may be smaller than so many bytes: each costs work

_TOO_LARGE = ("413 Content Too Large", "The body is larger than this server takes.")
_TOO_FINE = ("400 Bad Request", "The body comes in too many small pieces.")


class Channel(http.HTTPChannel):
    """A connection with deadlines: one byte now and then keeps Twisted's idle time-out from ever firing."""

    _deadline: Any = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._arm(HEADER_S)

    def dataReceived(self, data: bytes) -> None:
        if self._deadline is None and not self._handlingRequest and self._transferDecoder is None:
            self._arm(HEADER_S)  # the next request of a kept connection begins
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        self._arm(BODY_S)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:
        self._disarm()
        super().allContentReceived()

    def connectionLost(self, reason: Any) -> None:
        self._disarm()
        super().connectionLost(reason)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = reactor.callLater(seconds, self.forceAbortClient)

    def _disarm(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None


class Brake:
    """Told by the transport when its send buffer is full; the application waits instead of filling memory."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    def pauseProducing(self) -> None:
        self._free.clear()

    def resumeProducing(self) -> None:
        self._free.set()

    def stopProducing(self) -> None:
        self._free.set()

    async def wait(self) -> None:
        """Raises TimeoutError for a client that has stopped reading."""
        if not self._free.is_set():
            await asyncio.wait_for(self._free.wait(), STALL_S)


class LimitedRequest(WebRequest):
    """A request whose body is counted while it comes in: 413 before the rest is read, by length or by count.

    `large` is a body with files, in a file that the application reads by itself.
    """

    large: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Twisted would parse each form by itself, whole, on the reactor, before anybody knows whose it is
        self._parsePOSTFormSubmission = False
        self.brake: Brake | None = None
        self.received = self._chunks = 0
        self._refused = self._owes_100 = False
        self._limit = 0
        self._intake: Intake | None = None

    def gotLength(self, length: int | None) -> None:
        server, channel = self.server, self.channel
        self._limit = server.body_limit
        if server.uploads.may_be(channel._command, channel._path, self.requestHeaders):
            self._limit = server.uploads.limit
        if length is not None and length > self._limit:
            super().gotLength(0)
            self.refuse(*_TOO_LARGE)
            return
        super().gotLength(length)
        if self._limit > server.body_limit:
            self._begin_intake(length)

    def _begin_intake(self, length: int | None) -> None:
        """The body may become a large one; where its length says that it will, we ask at once who sends it."""
        headers = {name.lower(): b"; ".join(values) for name, values in self.requestHeaders.getAllRawHeaders()}
        address = str(getattr(self.channel.getPeer(), "host", ""))
        self._intake = Intake(self, self.server.slots, self.server.uploads.who, headers, address)
        if length is not None and length > self.server.body_limit:
            self._wait_with_100()
            self._intake.ask()

    def _wait_with_100(self) -> None:
        """A client that asks before it sends is told to go on when we know who it is, not before."""
        expected = self.getHeader(b"expect") or b""
        if expected.lower() == b"100-continue" and self.channel._version == b"HTTP/1.1":
            self.requestHeaders.removeHeader(b"expect")
            self._owes_100 = True

    def hold(self) -> None:
        self.channel._networkProducer.pauseProducing()

    def go_on(self) -> None:
        if self._owes_100:
            self.channel._send100Continue()
        self.channel._networkProducer.resumeProducing()

    def give_time(self) -> None:
        self.channel._arm(UPLOAD_S)

    def handleContentChunk(self, data: bytes) -> None:
        if self._refused:
            return
        self.received += len(data)
        self._chunks += 1
        if self.received > self._limit:
            self.refuse(*_TOO_LARGE)
        elif self._chunks > MAX_CHUNKS and self.received < MEAN_CHUNK * self._chunks:
            self.refuse(*_TOO_FINE)
        else:
            super().handleContentChunk(data)
            if self._intake is not None and self.received > self.server.body_limit:
                self._intake.grown_large()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self._refused:
            if self._intake is not None:
                self._intake.complete()
            super().requestReceived(command, path, version)

    def process(self) -> Any:
        if not self.requestHeaders.hasHeader(b"Upgrade"):
            self.brake = Brake()
            self.registerProducer(self.brake, True)
            if self.received > self.server.body_limit:
                self.large = self.content  # type: ignore[has-type]  # Twisted says None here
                self.content = io.BytesIO()
        return super().process()

    def finish(self) -> None:
        if self.producer is not None:
            self.unregisterProducer()
        self._forget_large()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        if self.brake is not None:
            self.brake.stopProducing()
        self._forget_large()
        super().connectionLost(reason)

    def _forget_large(self) -> None:
        if self._intake is not None:
            self._intake.forget()
        if self.large is not None:
            self.large.close()

    def refuse(self, status: str, sentence: str) -> None:
        """Answer at once, and take nothing more: the rest is thrown away until the client has read why."""
        self._refused = True
        self.requestHeaders.removeHeader(b"expect")  # no "100 Continue" after the refusal
        channel = self.channel
        channel.dataReceived = lambda data: None
        channel._networkProducer.resumeProducing()
        api = channel._path.startswith(b"/api/")
        body = (json.dumps({"detail": sentence, "errors": {}}) if api else sentence).encode()
        kind = "application/json" if api else "text/plain; charset=utf-8"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
        channel.transport.write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
        reactor.callLater(LINGER_S, channel.transport.loseConnection)


class LimitedFactory(HTTPFactory):
    """Makes our channels and requests in place of Daphne's."""

    protocol = Channel

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol


class StockBotServer(Server):
    """`on_start` runs first in the server's loop, `on_drain` when no more requests come in, `on_stop` last.

    `failure` is the sentence of why it could not serve, empty when it ended because it was asked to.
    """

    def __init__(
        self,
        application: Any,
        *,
        on_start: Callable[[], Awaitable[None]],
        on_drain: Callable[[], Awaitable[None]],
        on_stop: Callable[[], Awaitable[None]],
        body_limit: int,
        uploads: Uploads = Uploads(),  # noqa: B008 - frozen
        **options: Any,
    ) -> None:
        options.setdefault("websocket_max_message_size", MAX_SOCKET_MESSAGE)
        options.setdefault("websocket_max_frame_size", MAX_SOCKET_MESSAGE)
        super().__init__(Streamed(application), server_name="", **options)
        self.uploads, self.slots = uploads, Slots()
        self.on_start, self.on_drain, self.on_stop, self.body_limit = on_start, on_drain, on_stop, body_limit
        self.ports: list[Any] = []
        self.failure = ""

    @property
    def http_factory(self) -> HTTPFactory:
        return self._http_factory

    @http_factory.setter
    def http_factory(self, made: HTTPFactory) -> None:
        """Daphne's run() makes a plain factory; ours takes its place."""
        self._http_factory = LimitedFactory(self)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if getattr(protocol, "large", None) is not None:
            scope[KEY] = protocol.large
        return super().create_application(protocol, scope)

    def run(self) -> None:
        reactor.callWhenRunning(lambda: asyncio.ensure_future(self._start()))
        super().run()

    async def _start(self) -> None:
        self.ws_factory.setProtocolOptions(failByDrop=False)  # a frame too large is told 1009 before the end
        try:
            await self.on_start()
        except Exception as error:
            log.exception("start failed")
            self.failure = f"The server could not start: {error}"
            self.stop()

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    def listen_error(self, failure: Any) -> None:
        self.failure = str(failure.getErrorMessage())
        self.stop()

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        brake = getattr(protocol, "brake", None)
        if brake is not None:
            try:
                await brake.wait()
            except TimeoutError:
                if protocol.channel is not None:
                    protocol.channel.forceAbortClient()
        await super().handle_reply(protocol, message)

    def kill_all_applications(self) -> Any:
        """Daphne calls this before the reactor ends and waits for what it returns."""
        drained = defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))
        drained.addErrback(lambda failure: log.error("drain failed: %s", failure))
        return drained

    async def _drain(self) -> None:
        """No new connections; sockets are told to come back; requests under way end, or are cancelled at the limit."""
        until = time.monotonic() + DRAIN_S
        for port in self.ports:
            port.stopListening()
        for protocol in list(self.connections):
            if isinstance(protocol, WebSocketProtocol):
                with contextlib.suppress(Exception):  # a socket in its handshake cannot be closed politely
                    protocol.sendClose(code=4012, reason="server restart")
        await self.on_drain()
        while self._pending() and time.monotonic() < until:
            await asyncio.sleep(0.05)
        late = self._pending()
        for instance in late:
            instance.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self.on_stop()

    def _pending(self) -> list[asyncio.Future[None]]:
        found = (details.get("application_instance") for details in self.connections.values())
        return [instance for instance in found if instance is not None and not instance.done()]
