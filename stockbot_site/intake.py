"""A body with files on its way in: whose it is is found out first, and it holds a slot only while bytes come.

The first bytes, up to the limit of any other body, need no slot; a client that sends headers alone holds nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)

MOST_AT_ONCE = 8
"""Large bodies that come in at the same time; a further one is told to come back."""
MOST_OF_ADDRESS, MOST_OF_PERSON = 4, 2
PACE_S = 10.0
LEAST_PACE = 160 * 1024  # bytes that must come in each PACE_S while a slot is held

Headers = dict[bytes, bytes]
Who = Callable[[Headers], Awaitable[str | None]]

NOBODY = ("401 Unauthorized", "Files are taken from people who are logged in; log in, then send them again.")
UNKNOWN = ("503 Service Unavailable", "The server cannot look up who you are just now; send the files again later.")
TOO_MANY = ("503 Service Unavailable", "Too many files are being sent just now; send yours again in a moment.")
TOO_MANY_OF_YOURS = (
    "503 Service Unavailable",
    f"You are sending {MOST_OF_PERSON} bodies of files already; send this one when one of them has ended.",
)
TOO_MANY_FROM_THERE = (
    "503 Service Unavailable",
    f"{MOST_OF_ADDRESS} bodies of files come from your address already; send yours again in a moment.",
)
TOO_SLOW = ("408 Request Timeout", "The files come in too slowly; send them over a quicker line, or fewer at once.")


@dataclass(frozen=True)
class Sender:
    """Where a body comes from."""

    address: str
    person: str


class Slots:
    """Which senders have a large body under way."""

    def __init__(self) -> None:
        self._held: Counter[Sender] = Counter()

    @property
    def held(self) -> int:
        """How many there are."""
        return self._held.total()

    def refusal(self, sender: Sender) -> tuple[str, str] | None:
        """Why the sender cannot have a slot now: status and sentence."""
        if self._count(lambda other: other.person == sender.person) >= MOST_OF_PERSON:
            return TOO_MANY_OF_YOURS
        if self.held >= MOST_AT_ONCE:
            return TOO_MANY
        if self._count(lambda other: other.address == sender.address) >= MOST_OF_ADDRESS:
            return TOO_MANY_FROM_THERE
        return None

    def take(self, sender: Sender) -> None:
        self._held[sender] += 1

    def give_back(self, sender: Sender) -> None:
        self._held[sender] -= 1
        self._held += Counter()  # drops what has come to nothing

    def _count(self, same: Callable[[Sender], bool]) -> int:
        return sum(number for other, number in self._held.items() if same(other))


class Incoming(Protocol):
    """What an intake needs of the request."""

    received: int

    def hold(self) -> None:
        """Read nothing more of the body."""

    def go_on(self) -> None:
        """Read on."""

    def give_time(self) -> None:
        """The slot is taken: the body has as long as a large one may take."""

    def refuse(self, status: str, sentence: str) -> None:
        """Answer and take nothing more."""


class Intake:
    """One large body from the moment that it may be one until its request has been answered."""

    def __init__(self, request: Incoming, slots: Slots, who: Who, headers: Headers, address: str) -> None:
        self._request, self._slots, self._who = request, slots, who
        self._headers, self._address = headers, address
        self._asked: asyncio.Task[None] | None = None
        self._sender: Sender | None = None
        self._large = self._holds = self._ended = False
        self._pace: asyncio.TimerHandle | None = None

    def ask(self) -> None:
        """Begin to find out whose body it is; nothing more of it is read meanwhile."""
        if self._asked is None:
            self._request.hold()
            self._asked = asyncio.ensure_future(self._admit())

    def grown_large(self) -> None:
        """More has come than any body may hold. Called again with each further piece."""
        if self._large:
            return
        self._large = True
        if self._sender is None:
            self.ask()
        else:
            self._take(self._sender)

    def complete(self) -> None:
        """All of the body is here: nothing is owed any more, and its slot is kept until the answer."""
        self._ended = True
        self._stop_pace()

    def forget(self) -> None:
        """The request is over, however it ended."""
        self.complete()
        if self._holds and self._sender is not None:
            self._holds = False
            self._slots.give_back(self._sender)

    async def _admit(self) -> None:
        try:
            person = await self._who(self._headers)
        except Exception:
            log.exception("whose upload it is could not be found out")
            self._end(UNKNOWN)
            return
        if self._ended:
            return
        if person is None:
            self._end(NOBODY)
            return
        self._sender = Sender(self._address, person)
        if self._large:
            self._take(self._sender)
        elif refusal := self._slots.refusal(self._sender):
            self._end(refusal)
        if not self._ended:
            self._request.go_on()

    def _take(self, sender: Sender) -> None:
        if refusal := self._slots.refusal(sender):
            self._end(refusal)
            return
        self._slots.take(sender)
        self._holds = True
        self._request.give_time()
        self._watch()

    def _watch(self) -> None:
        """A slot is lost when too little has come since the last look."""
        before = self._request.received

        def look() -> None:
            if self._request.received - before < LEAST_PACE:
                self._end(TOO_SLOW)
            else:
                self._watch()

        self._pace = asyncio.get_running_loop().call_later(PACE_S, look)

    def _end(self, refusal: tuple[str, str]) -> None:
        if not self._ended:
            self.forget()
            self._request.refuse(*refusal)

    def _stop_pace(self) -> None:
        if self._pace is not None:
            self._pace.cancel()
            self._pace = None
