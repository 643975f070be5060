"""The one bounded pool for what would block the event loop: parsing, hashing, zipping, reading rows for sockets."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

WORKERS = 4
POOL = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="stockbot-pool")


def _queued(work: Callable[[], T]) -> Future[T]:
    """A pool thread lives long: a database connection that went stale must not stay with it."""

    def fresh() -> T:
        close_old_connections()
        try:
            return work()
        finally:
            close_old_connections()

    return POOL.submit(fresh)


def in_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work` in the pool and waits: a request thread takes its turn, so that four at once is the most."""
    return _queued(lambda: work(*args, **kwargs)).result()


async def from_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Awaits `work` in the pool."""
    return await asyncio.wrap_future(_queued(lambda: work(*args, **kwargs)))
