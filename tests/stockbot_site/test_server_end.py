"""The end of the server: what is under way ends well, what never would is cut, what comes new finds a closed door."""

import signal
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.stockbot_site.tiny import Tiny, everything
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    found = Tiny()
    yield found
    if found.process.poll() is None:
        found.end()


def test_requests_under_way_end_well_and_new_ones_find_a_closed_door(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.3)
        tiny.process.send_signal(signal.SIGTERM)
        until(lambda: not tiny.answers(), within_s=1.0, what="the closed door")
        assert b"done" in everything(one)
    assert tiny.process.communicate(timeout=15)[0].split() == ["started", "draining", "stopped"]
    assert tiny.process.returncode == 0


def test_a_socket_is_told_to_come_back(tiny: Tiny) -> None:
    with connect(f"ws://127.0.0.1:{tiny.port}/ws", proxy=None) as one:
        tiny.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            one.recv(timeout=5)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4012


def test_a_request_without_end_does_not_hold_the_server(tiny: Tiny) -> None:
    with tiny.raw() as one:
        one.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.3)
        began = time.monotonic()
        assert "stopped" in tiny.end()
        assert 2 < time.monotonic() - began < 8
