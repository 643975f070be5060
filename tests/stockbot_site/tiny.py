"""A server of ours around a small application, as a process, and how tests speak to it."""

import contextlib
import socket
import subprocess
import sys

import httpx

from tests.waiting import until

LIMIT = 100_000  # bytes of a body
LARGE = 64 << 20  # bytes of a body with files, at /upload
PIECES = 64  # of one MB each, in the long answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Tiny:
    """The running process and how to speak to it."""

    def __init__(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tests.stockbot_site.tiny_app", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10, trust_env=False)
        until(self.answers, what="the server's first answer")

    def answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/sent").status_code == 200
        return False

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def memory_mb(self) -> float:
        import psutil

        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def end(self) -> str:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.communicate(timeout=15)[0]


def everything(one: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(OSError):
        while piece := one.recv(65536):
            found += piece
    return found
