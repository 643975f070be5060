"""`job.log`: what the job says, up to a cap; then a mark, a count, and at the end the last that it said."""

import contextlib
import os
from pathlib import Path

CAP = 4 * 1024 * 1024
TAIL = 64 * 1024


class CappedLog:
    """Appends bytes to a file until `cap`; keeps the last `TAIL` bytes of the rest for the end.

    A disk that is full stops the log, never the job.
    """

    def __init__(self, path: Path, cap: int = CAP) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        self._room = max(0, cap - os.fstat(self._descriptor).st_size)
        self._cap = cap
        self._tail = bytearray()
        self.dropped = 0

    def write(self, block: bytes) -> None:
        if self._room >= len(block):
            self._room -= len(block)
            self._put(block)
            return
        if not self.dropped:
            self._put(block[: self._room])
            self._put(f"\n[log capped at {self._cap:,} bytes; what follows is counted, its end is kept]\n".encode())
            block, self._room = block[self._room :], 0
        self.dropped += len(block)
        self._tail += block[-TAIL:]
        del self._tail[:-TAIL]

    def close(self) -> None:
        if self.dropped:
            left_out = self.dropped - len(self._tail)
            self._put(f"[{left_out:,} bytes left out]\n".encode() + bytes(self._tail))
        os.close(self._descriptor)

    def _put(self, block: bytes) -> None:
        view = memoryview(block)
        with contextlib.suppress(OSError):  # ENOSPC: the job's own end tells of it
            while view:
                view = view[os.write(self._descriptor, view) :]
