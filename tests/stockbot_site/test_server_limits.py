"""The server against hostile and slow clients, with a real process and real sockets."""

import contextlib
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.stockbot_site.tiny import LARGE, LIMIT, PIECES, Tiny, everything
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tiny() -> Iterator[Tiny]:
    found = Tiny()
    yield found
    found.end()


def test_a_body_up_to_the_limit_arrives(tiny: Tiny) -> None:
    assert tiny.client.post("/echo", content=b"x" * LIMIT).text == str(LIMIT)
    assert tiny.client.post("/echo", content=iter([b"x" * (LIMIT // 2)] * 2)).text == str(LIMIT)


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_a_body_over_the_limit_is_refused_before_it_is_sent(tiny: Tiny, expect: bytes) -> None:
    with tiny.raw() as one:
        one.sendall(b"POST /api/x HTTP/1.1\r\nHost: x\r\n" + expect + b"Content-Length: 419430400\r\n\r\n")
        began = time.monotonic()
        first = one.recv(65536)
        assert time.monotonic() - began < 0.5
        answer = first + everything(one)
    assert answer.startswith(b"HTTP/1.1 413 ") and answer.endswith(b'"errors": {}}') and answer.count(b"HTTP/1.1") == 1


def test_a_body_without_a_length_is_refused_when_it_has_become_too_long(tiny: Tiny) -> None:
    before = tiny.memory_mb()
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with tiny.raw() as one:
        one.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        while not select.select([one], [], [], 0)[0]:
            one.sendall(piece)
            sent += 1
        assert everything(one).startswith(b"HTTP/1.1 413 ") and sent < 1000
    assert tiny.memory_mb() - before < 16
    assert tiny.answers()


def chunked(tiny: Tiny, pieces: list[bytes]) -> tuple[bytes, float]:
    """The answer to a body sent in these chunks, and the longest that another client waited meanwhile."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    waits = [0.0]
    with tiny.raw() as one:
        one.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            for start in range(0, len(body), 1 << 18):
                one.sendall(body[start : start + (1 << 18)])
                began = time.monotonic()
                assert tiny.answers()
                waits.append(time.monotonic() - began)
        return everything(one), max(waits)


def test_a_body_in_single_bytes_is_refused(tiny: Tiny) -> None:
    answer, wait = chunked(tiny, [b"x"] * (LIMIT - 1))
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.1") == 1
    assert answer.endswith(b"\r\n\r\nThe body comes in too many small pieces.")
    assert wait < 0.5
    assert tiny.answers()


@pytest.mark.parametrize(("count", "size"), [(4096, 1), (1500, 64), (3, 30_000)])
def test_a_body_in_pieces_that_a_client_may_mean_arrives(tiny: Tiny, count: int, size: int) -> None:
    answer, _ = chunked(tiny, [b"x" * size] * count)
    assert answer.startswith(b"HTTP/1.1 200 ") and str(count * size).encode() in answer


def _pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(1 << 20)


@pytest.mark.parametrize("known", [True, False])
def test_a_body_with_files_arrives_without_being_held_in_memory(tiny: Tiny, known: bool) -> None:
    before = tiny.memory_mb()
    headers = {"Cookie": "a=b"} | ({"Content-Length": str(LARGE)} if known else {})
    assert tiny.client.post("/upload", content=_pieces(64), headers=headers).text == str(LARGE)
    assert tiny.memory_mb() - before < 8


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=B", "multipart/form-data", "multipart/form-data; b"])
def test_a_form_is_nothing_that_the_server_reads_by_itself(tiny: Tiny, kind: str) -> None:
    """Twisted's own reading, on the reactor and before any log-in, answered a form without a boundary by itself and
    took seconds for one in many parts.
    """
    body = (b"--B\r\n\r\n\r\n" * LIMIT)[:LIMIT]
    assert tiny.client.post("/echo", content=body, headers={"Content-Type": kind}).text == str(LIMIT)


def test_a_body_with_too_large_files_is_refused_before_it_is_sent(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nContent-Length: %d\r\n\r\n" % (LARGE + 1))
        assert everything(one).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("head", [b"POST /upload HTTP/1.1", b"PUT /upload HTTP/1.1\r\nCookie: a=b",
                                  b"POST /echo HTTP/1.1\r\nCookie: a=b"])  # fmt: skip
def test_elsewhere_and_for_nobody_the_limit_is_that_of_any_body(tiny: Tiny, head: bytes) -> None:
    with tiny.raw() as one:
        one.sendall(head + b"\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (LIMIT + 1))
        assert everything(one).startswith(b"HTTP/1.1 413 ")


def test_headers_that_drip_are_cut_off(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(b"GET /echo HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 8:
                one.sendall(b"X-a: 1\r\n")
                time.sleep(0.1)
        assert 0.8 < time.monotonic() - began < 3


def test_headers_that_drip_on_a_kept_connection_are_cut_off(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(b"GET /sent HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.recv(65536).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 8:
                one.sendall(b"G")
                time.sleep(0.1)
        assert time.monotonic() - began < 3


def test_a_body_that_drips_is_cut_off(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 8:
                one.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() - began < 4


def test_a_request_under_work_is_not_cut_off(tiny: Tiny) -> None:
    """The deadlines are for the client's part alone: ours may take longer."""
    with tiny.raw() as one:
        for _ in range(2):
            one.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            found = b""
            while b"done" not in found:
                found += one.recv(65536)


def test_a_client_that_does_not_read_holds_up_itself_alone(tiny: Tiny) -> None:
    before = tiny.memory_mb()
    with tiny.raw() as one:
        one.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        until(lambda: int(tiny.client.get("/sent").text) > 0, what="the first piece")
        time.sleep(0.5)  # time enough to send it all, were nothing in the way
        assert int(tiny.client.get("/sent").text) < PIECES // 2
        assert tiny.memory_mb() - before < 16
        length = 0
        while piece := one.recv(1 << 20):
            length += len(piece)
        assert length > PIECES << 20


@pytest.mark.parametrize("message", ["x" * 5000, b"\0" * 5000])
def test_a_large_message_closes_the_socket(tiny: Tiny, message: Any) -> None:
    with connect(f"ws://127.0.0.1:{tiny.port}/ws", proxy=None) as one:
        one.send(message)
        with pytest.raises(ConnectionClosed) as end:
            one.recv(timeout=5)
    assert end.value.rcvd is not None and end.value.rcvd.code == 1009
    assert tiny.answers()


def test_a_port_in_use_is_one_sentence(tiny: Tiny) -> None:
    command = [sys.executable, "-m", "tests.stockbot_site.tiny_app", str(tiny.port)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and "Address already in use" in second.stderr
    assert "Traceback" not in second.stderr
