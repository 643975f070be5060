"""Sending an open file of a run: its size and tag, and its bytes a piece at a time."""

import os
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

from runs_app.pool import from_pool

PIECE = 256 * 1024


def size_and_tag(file: BinaryIO) -> tuple[int, str]:
    """Bytes of the file now, and an ETag that changes whenever the file does."""
    status = os.fstat(file.fileno())
    return status.st_size, f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    return os.pread(file.fileno(), length, offset)


def pieces(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Bytes `start` to `stop` (not included), a piece at a time."""
    with file:
        while start < stop and (piece := read_at(file, start, min(PIECE, stop - start))):
            start += len(piece)
            yield piece


async def pieces_async(file: BinaryIO, start: int, stop: int) -> AsyncIterator[bytes]:
    """The same for the event loop: each piece is read in the pool, and the next one when the client took the last."""
    with file:
        while start < stop and (piece := await from_pool(read_at, file, start, min(PIECE, stop - start))):
            start += len(piece)
            yield piece
