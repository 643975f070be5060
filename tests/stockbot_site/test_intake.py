"""Who may send files, how many at once, and for how long: with a real process and real sockets."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from stockbot_site import intake
from stockbot_site.intake import MOST_AT_ONCE, MOST_OF_ADDRESS, MOST_OF_PERSON, Sender, Slots
from tests.stockbot_site.tiny import LARGE, LIMIT, Tiny, everything
from tests.waiting import until

pytestmark = pytest.mark.slow

BEGUN = b"x" * (LIMIT + 1)  # so much of a body that it needs a slot


@pytest.fixture(scope="module")
def tiny() -> Iterator[Tiny]:
    found = Tiny()
    yield found
    found.end()


def head(cookie: str, *, length: int | None = LARGE, more: str = "") -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST /upload HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n{size}\r\n{more}\r\n".encode()


@contextlib.contextmanager
def begun(tiny: Tiny, *cookies: str) -> Iterator[list[socket.socket]]:
    """Bodies under way, each with its slot; they stand still from then on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(tiny.raw()) for _ in cookies]
        for one, cookie in zip(sockets, cookies, strict=True):
            one.sendall(head(cookie) + BEGUN)
        until(lambda: held(tiny) == len(cookies), what="their slots")
        yield sockets
    until(lambda: held(tiny) == 0, what="the end of their slots")


def held(tiny: Tiny) -> int:
    return int(tiny.client.get("/held").text)


def upload(tiny: Tiny, cookie: str) -> int:
    return tiny.client.post("/upload", content=bytes(LIMIT + 1), headers={"Cookie": cookie}).status_code


def late(tiny: Tiny, cookie: str) -> bytes:
    with tiny.raw() as one:
        one.sendall(head(cookie) + BEGUN)
        return everything(one)


def test_headers_alone_hold_no_slot(tiny: Tiny) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(3 * MOST_AT_ONCE):
            stack.enter_context(tiny.raw()).sendall(head(f"p{number % 5}"))
        assert upload(tiny, "p0") == 200


def test_a_small_part_of_a_body_holds_no_slot(tiny: Tiny) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(3 * MOST_AT_ONCE):
            stack.enter_context(tiny.raw()).sendall(head("a") + b"x" * (LIMIT // 2))
        assert upload(tiny, "a") == 200


def test_a_person_has_two_slots(tiny: Tiny) -> None:
    with begun(tiny, *["a"] * MOST_OF_PERSON):
        assert upload(tiny, "b") == 200
        assert late(tiny, "a").endswith(intake.TOO_MANY_OF_YOURS[1].encode())
    assert upload(tiny, "a") == 200


def test_an_address_has_four_slots(tiny: Tiny) -> None:
    with begun(tiny, *[f"p{number}" for number in range(MOST_OF_ADDRESS)]):
        assert late(tiny, "b").endswith(intake.TOO_MANY_FROM_THERE[1].encode())


def test_all_together_have_eight_slots() -> None:
    slots = Slots()
    senders = [Sender(f"10.0.0.{number}", f"p{number}") for number in range(MOST_AT_ONCE)]
    for sender in senders:
        assert slots.refusal(sender) is None
        slots.take(sender)
    assert slots.refusal(Sender("10.0.1.1", "another")) == intake.TOO_MANY
    slots.give_back(senders[0])
    assert slots.refusal(Sender("10.0.1.1", "another")) is None


def test_a_body_that_stands_still_loses_its_slot(tiny: Tiny) -> None:
    with begun(tiny, "a", "a") as sockets:
        began = time.monotonic()
        assert all(everything(one).startswith(b"HTTP/1.1 408 ") for one in sockets)
        assert time.monotonic() - began < 5
        assert upload(tiny, "a") == 200


def test_a_body_that_drips_loses_its_slot(tiny: Tiny) -> None:
    with begun(tiny, "a") as [one]:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 8:
                one.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() - began < 4


def test_a_body_that_comes_steadily_keeps_its_slot(tiny: Tiny) -> None:
    length = LIMIT + 3 * 600_000
    with tiny.raw() as one:
        one.sendall(head("a", length=length) + BEGUN)
        sent = len(BEGUN)
        while sent < length:
            time.sleep(0.1)
            piece = b"x" * min(60_000, length - sent)
            one.sendall(piece)
            sent += len(piece)
        answer = one.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 ") and str(length).encode() in answer


@pytest.mark.parametrize(("cookie", "said"), [("nobody", intake.NOBODY), ("broken", intake.UNKNOWN)])
@pytest.mark.parametrize("more", ["", "Expect: 100-continue\r\n"])
def test_a_body_of_nobody_is_refused_before_it_is_sent(
    tiny: Tiny, cookie: str, said: tuple[str, str], more: str
) -> None:
    with tiny.raw() as one:
        one.sendall(head(cookie, more=more))
        answer = everything(one)
    status, sentence = said
    assert answer.startswith(f"HTTP/1.1 {status}".encode()) and answer.endswith(sentence.encode())
    assert answer.count(b"HTTP/1.1") == 1


def test_a_person_is_told_to_go_on(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(head("a", length=len(BEGUN), more="Expect: 100-continue\r\nConnection: close\r\n"))
        assert one.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        one.sendall(BEGUN)
        assert everything(one).startswith(b"HTTP/1.1 200 ")


def test_nobody_waits_while_it_is_found_out_who_sends(tiny: Tiny) -> None:
    with tiny.raw() as one:
        began = time.monotonic()
        one.sendall(head("late", length=len(BEGUN), more="Connection: close\r\n") + BEGUN)
        assert tiny.answers() and time.monotonic() - began < 0.4
        assert everything(one).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began >= 0.5


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def test_a_body_without_a_length_is_asked_about_when_it_has_become_large(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(head("nobody", length=None) + b"%x\r\n" % LARGE + BEGUN)
        assert everything(one).startswith(b"HTTP/1.1 401 ")
    with tiny.raw() as one:
        one.sendall(head("nobody", length=None, more="Connection: close\r\n") + chunked(b"x" * 1000))
        assert everything(one).startswith(b"HTTP/1.1 200 ")  # small: the application finds out by itself


def test_a_connection_goes_on_after_a_large_body(tiny: Tiny) -> None:
    with tiny.raw() as one:
        for _ in range(3):
            one.sendall(head("a", length=len(BEGUN)) + BEGUN)
            found = b""
            while str(len(BEGUN)).encode() not in found:
                found += one.recv(65536)
            assert found.startswith(b"HTTP/1.1 200 ")
