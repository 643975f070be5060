"""Sending an open file of a run: its size and tag, and its bytes a piece at a time."""

import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import BinaryIO

from django.http import StreamingHttpResponse
from rest_framework.request import Request

from runfiles.hashes import sha256_of
from runs_app.pool import from_pool

PIECE = 256 * 1024


class AsyncResponse(StreamingHttpResponse):
    """A stream out of an async generator, which is closed the moment the client is gone.

    Django's own leaves that to the garbage collector, and a file or a seat stays taken until it comes by.
    """

    def __init__(self, source: AsyncGenerator[bytes, None], **options: object) -> None:
        super().__init__(source, **options)
        self._source = source

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with contextlib.aclosing(self._source) as source:
            async for part in source:
                yield part


def size_and_tag(file: BinaryIO) -> tuple[int, str]:
    """Bytes of the file now, and an ETag that changes whenever the file does."""
    status = os.fstat(file.fileno())
    return status.st_size, f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'


def tag_of(request: Request, *seen: object) -> str:
    """An ETag of an answer: of what it was made from and how it was asked for."""
    content = repr((*seen, request.path, sorted(request.query_params.lists()), request.accepted_renderer.format))
    return f'"{sha256_of(content.encode())[:32]}"'


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    return os.pread(file.fileno(), length, offset)


def pieces(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Bytes `start` to `stop` (not included), a piece at a time."""
    with file:
        while start < stop and (piece := read_at(file, start, min(PIECE, stop - start))):
            start += len(piece)
            yield piece


async def pieces_async(file: BinaryIO, start: int, stop: int) -> AsyncGenerator[bytes, None]:
    """The same for the event loop: each piece is read in the pool, and the next one when the client took the last."""
    with file:
        while start < stop and (piece := await from_pool(read_at, file, start, min(PIECE, stop - start))):
            start += len(piece)
            yield piece
